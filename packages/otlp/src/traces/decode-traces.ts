import { SpanBatch } from '@signalbox/records';
import { DEFAULT_DECODE_LIMITS, type DecodeOptions } from '../wire/decode-limits.ts';
import { ExpectedRows } from '../wire/expected-rows.ts';
import { type Rejected, Rejections } from '../wire/rejections.ts';
import { JsonTraces } from './json-traces.ts';
import { ProtobufTraces } from './protobuf-traces.ts';

const EXPECTED = {
  protobuf: { spans: new ExpectedRows(), attributes: new ExpectedRows() },
  json: { spans: new ExpectedRows(), attributes: new ExpectedRows() },
};

/**
 * Decodes an `Export…ServiceRequest` of spans into columns over `bytes`, which the batch takes over: JSON is unescaped
 * in place, so the bytes are used up even after an error. Throws OtlpDecodeError when they are malformed.
 * Spans with an invalid trace, span or parent id are rejected, not failures.
 */
export function decodeTraces(
  bytes: Uint8Array,
  encoding: 'protobuf' | 'json',
  { limits = DEFAULT_DECODE_LIMITS, into }: DecodeOptions<SpanBatch> = {},
): { batch: SpanBatch; rejected: Rejected | null } {
  into?.reuse(bytes);
  const batch = into ?? new SpanBatch(bytes);
  const { spans, attributes } = EXPECTED[encoding];
  batch.reserve(spans.expect(bytes.length), attributes.expect(bytes.length));
  const rejections = new Rejections();
  const request =
    encoding === 'json' ? new JsonTraces(batch, limits, rejections) : new ProtobufTraces(batch, limits, rejections);
  request.read();
  spans.learn(bytes.length, batch.rowCount);
  attributes.learn(bytes.length, batch.attributes.count);
  return { batch, rejected: rejections.result() };
}
