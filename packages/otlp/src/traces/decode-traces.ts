import { SpanBatch } from '@signalbox/records';
import { DEFAULT_DECODE_LIMITS, type DecodeLimits } from '../wire/decode-limits.ts';
import { type Rejected, Rejections } from '../wire/rejections.ts';
import { JsonTraces } from './json-traces.ts';
import { ProtobufTraces } from './protobuf-traces.ts';

/**
 * Decodes an `Export…ServiceRequest` of spans into columns over `bytes`, which the batch takes over: JSON is unescaped
 * in place, so the bytes are used up even after an error. Throws OtlpDecodeError when they are malformed.
 * Spans with an invalid trace, span or parent id are rejected, not failures.
 */
export function decodeTraces(
  bytes: Uint8Array,
  encoding: 'protobuf' | 'json',
  limits: DecodeLimits = DEFAULT_DECODE_LIMITS,
): { batch: SpanBatch; rejected: Rejected | null } {
  const batch = new SpanBatch(bytes);
  const rejections = new Rejections();
  const request =
    encoding === 'json' ? new JsonTraces(batch, limits, rejections) : new ProtobufTraces(batch, limits, rejections);
  request.read();
  return { batch, rejected: rejections.result() };
}
