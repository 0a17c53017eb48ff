/** `google.rpc.Status` as a client reads it. */
export interface RpcStatus {
  code: number;
  message: string;
  /** `retry_delay` of a `google.rpc.RetryInfo` among the details, in milliseconds. */
  retryDelayMs?: number;
}

/** Fields of a protobuf message: varints and fixed as bigint, the rest as bytes. Throws for anything malformed. */
export function readFields(bytes: Uint8Array): { field: number; value: bigint | Uint8Array }[] {
  const fields: { field: number; value: bigint | Uint8Array }[] = [];
  let offset = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[offset++];
      if (byte === undefined) {
        throw new Error('truncated varint');
      }
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return value;
      }
    }
    throw new Error('varint too long');
  };
  const take = (length: number) => {
    if (offset + length > bytes.byteLength) {
      throw new Error('truncated field');
    }
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  while (offset < bytes.byteLength) {
    const tag = Number(varint());
    const field = tag >>> 3;
    switch (tag & 7) {
      case 0:
        fields.push({ field, value: varint() });
        break;
      case 1:
        fields.push({ field, value: take(8) });
        break;
      case 2:
        fields.push({ field, value: take(Number(varint())) });
        break;
      case 5:
        fields.push({ field, value: take(4) });
        break;
      default:
        throw new Error(`wire type ${tag & 7}`);
    }
  }
  return fields;
}

export function decodeProtobufStatus(bytes: Uint8Array): RpcStatus {
  const status: RpcStatus = { code: 0, message: '' };
  for (const { field, value } of readFields(bytes)) {
    if (field === 1 && typeof value === 'bigint') {
      status.code = Number(value);
    } else if (field === 2 && typeof value !== 'bigint') {
      status.message = new TextDecoder('utf-8', { fatal: true }).decode(value);
    } else if (field === 3 && typeof value !== 'bigint') {
      readDetail(value, status);
    }
  }
  return status;
}

function readDetail(any: Uint8Array, status: RpcStatus): void {
  const fields = readFields(any);
  const typeUrl = fields.find(({ field }) => field === 1)?.value;
  const value = fields.find(({ field }) => field === 2)?.value;
  if (
    !(typeUrl instanceof Uint8Array) ||
    Buffer.from(typeUrl).toString() !== 'type.googleapis.com/google.rpc.RetryInfo'
  ) {
    return;
  }
  const delay = value instanceof Uint8Array ? readFields(value).find(({ field }) => field === 1)?.value : undefined;
  const duration = delay instanceof Uint8Array ? readFields(delay) : [];
  const seconds = Number(duration.find(({ field }) => field === 1)?.value ?? 0);
  const nanos = Number(duration.find(({ field }) => field === 2)?.value ?? 0);
  status.retryDelayMs = seconds * 1000 + nanos / 1e6;
}

export function decodeStatus(body: Uint8Array, contentType: string): RpcStatus {
  if (contentType.startsWith('application/json')) {
    const { code = 0, message = '' } = JSON.parse(Buffer.from(body).toString()) as Partial<RpcStatus>;
    return { code, message };
  }
  return decodeProtobufStatus(body);
}
