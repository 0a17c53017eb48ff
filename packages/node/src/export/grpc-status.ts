import type { IncomingHttpHeaders } from 'node:http2';

/** How a call ended, as its trailers tell. */
export interface GrpcStatus {
  readonly code: number;
  readonly name: string;
  readonly message: string;
  /** From a google.rpc.RetryInfo among the details. */
  readonly retryAfterMillis: number | undefined;
}

const names = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];
const unknown = 2;

/** What a gRPC client takes an answer of plain HTTP for (gRPC's http-grpc-status-mapping.md). */
const codesOfHttp: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};

const retryableNames = new Set([
  'CANCELLED',
  'DEADLINE_EXCEEDED',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

/** `headers` may hold the trailers as well, when nothing came between them. */
export function grpcStatus(headers: IncomingHttpHeaders, trailers: IncomingHttpHeaders): GrpcStatus {
  const all = { ...headers, ...trailers };
  const text = single(all['grpc-status']);
  const code = text === undefined ? (codesOfHttp[Number(headers[':status'])] ?? unknown) : Number(text);
  const details = single(all['grpc-status-details-bin']);
  return {
    code,
    name: names[code] ?? 'UNKNOWN',
    message: text === undefined ? `HTTP ${headers[':status'] ?? ''}` : decodeMessage(single(all['grpc-message']) ?? ''),
    retryAfterMillis: details === undefined ? undefined : retryDelay(Buffer.from(details, 'base64')),
  };
}

/** https://opentelemetry.io/docs/specs/otlp/#failures: RESOURCE_EXHAUSTED only where the server says when to try again. */
export function isRetryable({ name, retryAfterMillis }: GrpcStatus): boolean {
  return retryableNames.has(name) || (name === 'RESOURCE_EXHAUSTED' && retryAfterMillis !== undefined);
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `google.rpc.Status.details` (3) → `Any.value` (2) of a RetryInfo → `retry_delay` (1) → seconds (1) and nanoseconds (2). */
function retryDelay(status: Buffer): number | undefined {
  for (const [field, any] of fields(status)) {
    if (field !== 3 || typeof any === 'number') continue;
    const parts = new Map(fields(any));
    const [url, value] = [parts.get(1), parts.get(2)];
    if (!(url instanceof Buffer) || !(value instanceof Buffer) || !url.toString().endsWith('/google.rpc.RetryInfo'))
      continue;
    const delay = new Map(fields(value)).get(1);
    if (!(delay instanceof Buffer)) continue;
    const duration = new Map(fields(delay));
    return Number(duration.get(1) ?? 0) * 1000 + Number(duration.get(2) ?? 0) / 1e6;
  }
  return undefined;
}

/** Fields of a protobuf message: varints as numbers, the rest as bytes. Ends at the first that is malformed. */
function* fields(message: Buffer): Generator<[number, number | Buffer]> {
  let position = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 64; shift += 7) {
      const byte = message[position++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (position < message.length) {
    const tag = varint();
    const type = tag & 7;
    if (type === 0) yield [tag >>> 3, varint()];
    else if (type === 2) {
      const length = varint();
      yield [tag >>> 3, message.subarray(position, position + length)];
      position += length;
    } else return;
  }
}
