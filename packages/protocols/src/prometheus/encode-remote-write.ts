import { ReverseWriter } from '@signalbox/otlp';
import { encodeSnappy } from '../snappy/encode-snappy.ts';
import type { RemoteHistogram, RemoteSeries } from './remote-write-series.ts';
import type { NativeBuckets } from './translate-metrics.ts';
import { writeDouble, writeInt64, writeLabels, writeWords } from './write-remote-fields.ts';

/**
 * Series as `prometheus.WriteRequest` in a Snappy block: the body of remote write 1.0
 * (https://prometheus.io/docs/specs/prw/remote_write_spec/).
 */
export function encodeRemoteWrite(series: readonly RemoteSeries[]): Uint8Array<ArrayBuffer> {
  const writer = new ReverseWriter();
  for (const { labels, samples, histograms, exemplars } of series.toReversed()) {
    const end = writer.length;
    for (const histogram of histograms.toReversed()) writeHistogram(writer, histogram);
    for (const { labels: exemplarLabels, value, timeMs } of exemplars.toReversed()) {
      const exemplarEnd = writer.length;
      writeInt64(writer, 0x18, timeMs);
      writeDouble(writer, 0x11, value);
      writeLabels(writer, exemplarLabels);
      writer.endMessage(0x1a, exemplarEnd);
    }
    for (const { timeMs, value } of samples.toReversed()) {
      const sampleEnd = writer.length;
      writeInt64(writer, 0x10, timeMs);
      writeDouble(writer, 0x09, value);
      writer.endMessage(0x12, sampleEnd);
    }
    writeLabels(writer, labels);
    writer.endMessage(0x0a, end);
  }
  return encodeSnappy(writer.finish());
}

/** Message `Histogram`, with whole counts. */
function writeHistogram(writer: ReverseWriter, histogram: RemoteHistogram): void {
  const end = writer.length;
  writeInt64(writer, 0x78, histogram.timeMs);
  writeBuckets(writer, histogram.positive, 0x62, 0x5a);
  writeBuckets(writer, histogram.negative, 0x4a, 0x42);
  writeInt64(writer, 0x30, histogram.zeroCount);
  writeDouble(writer, 0x29, histogram.zeroThreshold);
  writer.sint32(histogram.schema);
  writer.varint(0x20);
  writeDouble(writer, 0x19, histogram.stale ? 'stale' : histogram.sum);
  writeInt64(writer, 0x08, histogram.count);
  writer.endMessage(0x22, end);
}

/** Counts as differences, and one span: Prometheus's bucket i ends where OTLP's bucket i - 1 does. */
function writeBuckets(
  writer: ReverseWriter,
  { offset, counts }: NativeBuckets,
  deltasTag: number,
  spansTag: number,
): void {
  if (counts.length === 0) return;
  const deltasEnd = writer.length;
  for (let i = counts.length - 1; i >= 0; i--) {
    writeSint64(writer, (counts[i] as number) - (counts[i - 1] ?? 0));
  }
  writer.endMessage(deltasTag, deltasEnd);
  const spanEnd = writer.length;
  writer.varint(counts.length);
  writer.varint(0x10);
  writer.sint32(offset + 1);
  writer.varint(0x08);
  writer.endMessage(spansTag, spanEnd);
}

function writeSint64(writer: ReverseWriter, value: number): void {
  const wide = BigInt(value);
  writeWords(writer, (wide << 1n) ^ (wide >> 63n));
}
