/** Just enough of protobuf's wire format to write messages field by field, right or wrong. */
export function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

export function field(number: number, wireType: number, ...content: Uint8Array[]): Buffer {
  return Buffer.concat([varint(number * 8 + wireType), ...content]);
}

/** A length-delimited field. */
export function message(number: number, ...parts: (Uint8Array | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return field(number, 2, varint(content.length), content);
}

export const TRACE_ID = Buffer.from('5b8efff798038103d269b633813fc60c', 'hex');
export const SPAN_ID = Buffer.from('eee19b7ec3c1b174', 'hex');
export const IDS = Buffer.concat([message(1, TRACE_ID), message(2, SPAN_ID)]);

/** A request of one resource and scope. */
export function request(...records: Uint8Array[]): Buffer {
  return message(1, message(2, ...records.map((record) => message(2, record))));
}
