import { ReverseWriter } from '@signalbox/otlp';
import type { ReadHistogram } from './encode-remote-read.ts';
import type { Labels } from './translate-metrics.ts';
import { writeBucketSpans, writeDouble, writeInt64, writeLabels } from './write-remote-fields.ts';

/** `io.prometheus.client.MetricType`. */
const TYPES = { untyped: 3, histogram: 4, gaugeHistogram: 5 } as const;

export interface EncodedSeries {
  readonly labels: Labels;
  /** In ms since 1970. */
  readonly timeMs: number;
  /** A histogram with bounds of its own becomes a classic one. */
  readonly value: number | ReadHistogram;
}

/**
 * Messages `io.prometheus.client.Metric` of a family, in their order: what it is made of behind its head.
 *
 * @param utf8Names the reader takes names of any characters; otherwise underscores stand for those that were not always allowed
 */
export function encodeMetrics(series: readonly EncodedSeries[], utf8Names: boolean): Uint8Array<ArrayBuffer> {
  const shown = utf8Names ? (one: string) => one : escaped;
  const writer = new ReverseWriter();
  for (const { labels, timeMs, value } of series.toReversed()) {
    const end = writer.length;
    if (typeof value !== 'number') writeHistogram(writer, value);
    writeInt64(writer, 0x30, timeMs);
    if (typeof value === 'number') {
      const valueEnd = writer.length;
      writeDouble(writer, 0x09, value);
      writer.endMessage(0x2a, valueEnd);
    }
    writeLabels(
      writer,
      labels.map(([label, text]) => [shown(label), text]),
    );
    writer.endMessage(0x22, end);
  }
  return writer.finish();
}

/**
 * A message `io.prometheus.client.MetricFamily` behind its length, up to its metrics: what protobuf exposition is made of
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#protobuf-format).
 *
 * @param metricBytes of all its metrics, which follow
 */
export function encodeFamilyHead(
  { name, type }: { readonly name: string; readonly type: keyof typeof TYPES },
  metricBytes: number,
  utf8Names: boolean,
): Uint8Array<ArrayBuffer> {
  const writer = new ReverseWriter();
  writer.varint(TYPES[type]);
  writer.varint(0x18);
  writer.text(0x0a, utf8Names ? name : escaped(name));
  writer.varint(writer.length + metricBytes);
  return writer.finish();
}

function escaped(name: string): string {
  return name.replace(/[^a-zA-Z0-9_:]/gu, '_').replace(/^\d/, '_');
}

function writeHistogram(writer: ReverseWriter, histogram: ReadHistogram): void {
  const end = writer.length;
  const { schema, zeroThreshold, zeroCount, count, sum, positive, negative, customBounds } = histogram;
  if (customBounds.length > 0) {
    writeDouble(writer, 0x21, count);
    writeClassicBuckets(writer, histogram);
  } else {
    for (const bucket of positive.counts.toReversed()) writeDouble(writer, 0x71, bucket);
    writeBucketSpans(writer, positive.indexes, 0x62);
    for (const bucket of negative.counts.toReversed()) writeDouble(writer, 0x59, bucket);
    writeBucketSpans(writer, negative.indexes, 0x4a);
    writeDouble(writer, 0x41, zeroCount);
    writeDouble(writer, 0x31, zeroThreshold);
    writer.sint32(schema);
    writer.varint(0x28);
    writeDouble(writer, 0x21, count);
  }
  writeDouble(writer, 0x11, sum);
  writer.endMessage(0x3a, end);
}

/** Cumulative; that of infinity is the count. */
function writeClassicBuckets(writer: ReverseWriter, { positive, customBounds }: ReadHistogram): void {
  const counts = new Map(positive.indexes.map((index, at) => [index, positive.counts[at] ?? 0]));
  let cumulative = 0;
  const buckets = customBounds.map((bound, index) => {
    cumulative += counts.get(index) ?? 0;
    return { bound, cumulative };
  });
  for (const bucket of buckets.reverse()) {
    const end = writer.length;
    writeDouble(writer, 0x21, bucket.cumulative);
    writeDouble(writer, 0x11, bucket.bound);
    writer.endMessage(0x1a, end);
  }
}
