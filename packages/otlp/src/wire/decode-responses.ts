import { OtlpDecodeError } from './otlp-decode-error.ts';
import { ProtobufReader } from './protobuf-reader.ts';

/** What a destination did with a request that it took. */
export interface ExportResponse {
  /** Rows that it did not take and never will. */
  readonly rejected: number;
  /** Why, or a warning when nothing was rejected; '' for neither. */
  readonly reason: string;
}

const decoder = new TextDecoder();

/** Decodes an `Export…ServiceResponse` of any signal. Throws OtlpDecodeError. */
export function decodeExportResponse(bytes: Uint8Array, encoding: 'protobuf' | 'json'): ExportResponse {
  if (encoding === 'json') {
    const { partialSuccess } = parseJson(bytes) as { partialSuccess?: Record<string, unknown> };
    const { rejectedSpans, rejectedDataPoints, rejectedLogRecords, errorMessage } = partialSuccess ?? {};
    return {
      rejected: Number(rejectedSpans ?? rejectedDataPoints ?? rejectedLogRecords ?? 0) || 0,
      reason: typeof errorMessage === 'string' ? errorMessage : '',
    };
  }
  let rejected = 0;
  let reason = '';
  const reader = new ProtobufReader(bytes);
  eachField(reader, bytes.length, 0x0a, () => {
    const end = reader.delimited(bytes.length);
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === 0x08) {
        reader.varint();
        rejected = reader.high * 0x1_0000_0000 + reader.low;
      } else if (tag === 0x12) {
        reason = text(reader, end);
      } else {
        reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
  });
  return { rejected, reason };
}

/** A `google.rpc.Status` as far as a client of OTLP needs it. */
export interface DecodedStatus {
  readonly message: string;
  /** Milliseconds to wait before trying again, of its `RetryInfo`; undefined without one. */
  readonly retryAfterMs: number | undefined;
}

/** Decodes the body of a refusal over OTLP/HTTP, or gRPC's `grpc-status-details-bin`. Throws OtlpDecodeError. */
export function decodeStatus(bytes: Uint8Array, encoding: 'protobuf' | 'json'): DecodedStatus {
  if (encoding === 'json') {
    const { message } = parseJson(bytes) as { message?: unknown };
    return { message: typeof message === 'string' ? message : '', retryAfterMs: undefined };
  }
  let message = '';
  let retryAfterMs: number | undefined;
  const reader = new ProtobufReader(bytes);
  while (reader.position < bytes.length) {
    const tag = reader.tag();
    if (tag === 0x12) message = text(reader, bytes.length);
    else if (tag === 0x1a) retryAfterMs = readRetryInfo(reader, bytes.length) ?? retryAfterMs;
    else reader.skip(tag, bytes.length);
  }
  reader.endMessage(bytes.length);
  return { message, retryAfterMs };
}

/** Of a `google.protobuf.Any`; undefined when it holds something else. */
function readRetryInfo(reader: ProtobufReader, messageEnd: number): number | undefined {
  const end = reader.delimited(messageEnd);
  let type = '';
  let valueStart = 0;
  let valueEnd = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === 0x0a) type = text(reader, end);
    else if (tag === 0x12) {
      valueEnd = reader.delimited(end);
      valueStart = reader.position;
      reader.position = valueEnd;
    } else reader.skip(tag, end);
  }
  reader.endMessage(end);
  if (!type.endsWith('google.rpc.RetryInfo')) return undefined;
  let ms = 0;
  const value = new ProtobufReader(reader.bytes.subarray(valueStart, valueEnd));
  eachField(value, value.bytes.length, 0x0a, () => {
    const durationEnd = value.delimited(value.bytes.length);
    while (value.position < durationEnd) {
      const tag = value.tag();
      if (tag === 0x08 || tag === 0x10) {
        value.varint();
        ms += tag === 0x08 ? value.low * 1_000 : value.low / 1_000_000;
      } else value.skip(tag, durationEnd);
    }
    value.endMessage(durationEnd);
  });
  return ms;
}

function eachField(reader: ProtobufReader, end: number, wanted: number, read: () => void): void {
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === wanted) read();
    else reader.skip(tag, end);
  }
  reader.endMessage(end);
}

function text(reader: ProtobufReader, messageEnd: number): string {
  const end = reader.delimited(messageEnd);
  const value = decoder.decode(reader.bytes.subarray(reader.position, end));
  reader.position = end;
  return value;
}

function parseJson(bytes: Uint8Array): object {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Whatever is wrong with it, it is not what was asked for.
  }
  throw new OtlpDecodeError('JSON', 'not an object', 0);
}
