import { MetricBatch } from '@signalbox/records';
import { DEFAULT_DECODE_LIMITS, type DecodeOptions } from '../wire/decode-limits.ts';
import { ExpectedRows } from '../wire/expected-rows.ts';
import { type Rejected, Rejections } from '../wire/rejections.ts';
import { JsonMetrics } from './json-metrics.ts';
import { ProtobufMetrics } from './protobuf-metrics.ts';

/** Of points of gauges and sums, of which requests have the most. */
const EXPECTED = {
  protobuf: { points: new ExpectedRows(), attributes: new ExpectedRows() },
  json: { points: new ExpectedRows(), attributes: new ExpectedRows() },
};

/**
 * Decodes an `Export…ServiceRequest` of data points into columns over `bytes`, which the batch takes over: JSON is unescaped
 * in place, so the bytes are used up even after an error. Throws OtlpDecodeError when they are malformed.
 * Points without a value or a metric's name, and histograms whose buckets do not fit, are rejected, not failures.
 */
export function decodeMetrics(
  bytes: Uint8Array,
  encoding: 'protobuf' | 'json',
  { limits = DEFAULT_DECODE_LIMITS, into }: DecodeOptions<MetricBatch> = {},
): { batch: MetricBatch; rejected: Rejected | null } {
  into?.reuse(bytes);
  const batch = into ?? new MetricBatch(bytes);
  const { points, attributes } = EXPECTED[encoding];
  const { numberPoints } = batch;
  numberPoints.reserve(points.expect(bytes.length), attributes.expect(bytes.length));
  const rejections = new Rejections();
  const request =
    encoding === 'json' ? new JsonMetrics(batch, limits, rejections) : new ProtobufMetrics(batch, limits, rejections);
  request.read();
  points.learn(bytes.length, numberPoints.rowCount);
  attributes.learn(bytes.length, numberPoints.attributes.count);
  return { batch, rejected: rejections.result() };
}
