import type { ProtobufReader } from '@signalbox/otlp';
import { HistogramPresence, type MetricBatch } from '@signalbox/records';
import { message } from '../protobuf-fields.ts';
import { ProtocolDecodeError } from '../protocol-decode-error.ts';

/** A histogram as Prometheus's protobuf has it (`prompb.Histogram`, `io.prometheus.client.Histogram`). */
export interface NativeHistogram {
  count: number;
  sum: number;
  /** -53: `customValues` are the bounds. */
  schema: number;
  zeroThreshold: number;
  zeroCount: number;
  readonly positive: NativeSide;
  readonly negative: NativeSide;
  readonly customValues: number[];
}

export interface NativeSide {
  readonly spans: { offset: number; length: number }[];
  /** Of integer histograms: change from bucket to bucket. */
  readonly deltas: number[];
  /** Of histograms of floats. */
  readonly counts: number[];
}

export const CUSTOM_BUCKETS_SCHEMA = -53;

/** Buckets are dense here: gaps between spans cost memory. */
const MAX_BUCKETS = 1 << 16;

export function emptyHistogram(): NativeHistogram {
  const side = (): NativeSide => ({ spans: [], deltas: [], counts: [] });
  return {
    count: 0,
    sum: 0,
    schema: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    positive: side(),
    negative: side(),
    customValues: [],
  };
}

/** Reads a `BucketSpan`, which both messages have alike. */
export function readSpan(reader: ProtobufReader, messageEnd: number): { offset: number; length: number } {
  const span = { offset: 0, length: 0 };
  message(reader, messageEnd, (tag) => {
    if (tag === 0x08) span.offset = reader.sint32();
    else if (tag === 0x10) span.length = reader.uint32();
    else return false;
    return true;
  });
  return span;
}

/** Sets an exponential point under construction. Counts that are not whole are rounded: OTLP has whole ones. */
export function setExponentialPoint(
  points: MetricBatch['exponentialHistogramPoints'],
  row: number,
  histogram: NativeHistogram,
): void {
  points.valueCount.values[row] = whole(histogram.count);
  points.sum[row] = histogram.sum;
  points.presence[row] = HistogramPresence.Sum;
  points.scale[row] = histogram.schema;
  points.zeroThreshold[row] = histogram.zeroThreshold;
  points.zeroCount.values[row] = whole(histogram.zeroCount);
  const positive = denseBuckets(histogram.positive);
  const negative = denseBuckets(histogram.negative);
  // A bucket is named after its upper bound there, after its lower one here.
  points.positiveOffset[row] = positive.counts.length === 0 ? 0 : positive.offset - 1;
  points.negativeOffset[row] = negative.counts.length === 0 ? 0 : negative.offset - 1;
  pushAll(points.positiveCounts, positive.counts);
  pushAll(points.negativeCounts, negative.counts);
}

/** Sets a point with explicit bounds under construction, of a histogram with custom buckets. */
export function setCustomPoint(points: MetricBatch['histogramPoints'], row: number, histogram: NativeHistogram): void {
  points.valueCount.values[row] = whole(histogram.count);
  points.sum[row] = histogram.sum;
  points.presence[row] = HistogramPresence.Sum;
  const { offset, counts } = denseBuckets(histogram.positive);
  for (const bound of histogram.customValues) points.explicitBounds.push(bound);
  for (let index = 0; index <= histogram.customValues.length; index++) {
    const count = whole(counts[index - offset] ?? 0);
    points.bucketCounts.pushWords(Number(count & 0xffff_ffffn), Number(count >> 32n));
  }
}

/** Throws ProtocolDecodeError when the buckets are too many, or their spans not in order. */
export function checkSpans({ spans }: NativeSide): void {
  let buckets = 0;
  for (const [index, { offset, length }] of spans.entries()) {
    const gap = index === 0 ? 0 : offset;
    buckets += gap + length;
    if (gap < 0 || buckets > MAX_BUCKETS) {
      throw new ProtocolDecodeError(
        `a native histogram must not have more than ${MAX_BUCKETS} buckets, nor spans out of order`,
      );
    }
  }
}

/** All buckets from the first to the last, gaps as zeros. Throws as `checkSpans` does. */
export function denseBuckets(side: NativeSide): { offset: number; counts: number[] } {
  checkSpans(side);
  const { spans, deltas, counts } = side;
  const dense: number[] = [];
  const isFloat = counts.length > 0;
  let next = 0;
  let count = 0;
  for (const [index, { offset, length }] of spans.entries()) {
    for (let i = 0; index > 0 && i < offset; i++) dense.push(0);
    for (let i = 0; i < length; i++, next++) {
      count = isFloat ? (counts[next] ?? 0) : count + (deltas[next] ?? 0);
      dense.push(count);
    }
  }
  return { offset: spans[0]?.offset ?? 0, counts: dense };
}

function whole(count: number): bigint {
  return count > 0 && count < 2 ** 63 ? BigInt(Math.round(count)) : 0n;
}

function pushAll(list: { pushWords(low: number, high: number): void }, counts: readonly number[]): void {
  for (const count of counts) {
    const value = whole(count);
    list.pushWords(Number(value & 0xffff_ffffn), Number(value >> 32n));
  }
}
