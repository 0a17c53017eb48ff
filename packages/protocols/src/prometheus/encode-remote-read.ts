import { ReverseWriter } from '@signalbox/otlp';
import { encodeSnappy } from '../snappy/encode-snappy.ts';
import { writeBucketSpans, writeDouble, writeInt64, writeLabels } from './write-remote-fields.ts';

/** Counts of buckets by their indexes, which ascend. */
export interface ReadBuckets {
  readonly indexes: readonly number[];
  readonly counts: readonly number[];
}

/** A native histogram whose counts may be any doubles. */
export interface ReadHistogram {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  readonly positive: ReadBuckets;
  readonly negative: ReadBuckets;
  readonly customBounds: readonly number[];
  readonly resetHint: 'unknown' | 'reset' | 'not_reset' | 'gauge';
}

export interface ReadSeries {
  /** Sorted by name, `__name__` among them. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** In ms since 1970, ascending. */
  readonly times: ArrayLike<number>;
  readonly values: ArrayLike<number>;
  /** Those samples that are histograms. */
  readonly histograms?: readonly (ReadHistogram | undefined)[];
  /** 1: the series ended there. */
  readonly stale?: ArrayLike<number>;
}

/** `prometheus.Histogram.ResetHint`. */
const RESET_HINTS = { unknown: 0, reset: 1, not_reset: 2, gauge: 3 } as const;

/**
 * The answer to a remote read of type SAMPLES: `prometheus.ReadResponse` in a Snappy block, with a result for each query. Histograms
 * are those of floats, which hold whole counts as well.
 */
export function encodeRemoteRead(results: readonly (readonly ReadSeries[])[]): Uint8Array<ArrayBuffer> {
  const writer = new ReverseWriter();
  for (const result of results.toReversed()) {
    const resultEnd = writer.length;
    for (const series of result.toReversed()) {
      const seriesEnd = writer.length;
      writeHistograms(writer, series);
      writeSamples(writer, series);
      writeLabels(writer, series.labels);
      writer.endMessage(0x0a, seriesEnd);
    }
    writer.endMessage(0x0a, resultEnd);
  }
  return encodeSnappy(writer.finish());
}

function writeSamples(writer: ReverseWriter, { times, values, histograms, stale }: ReadSeries): void {
  for (let i = times.length - 1; i >= 0; i--) {
    if (histograms?.[i] !== undefined) continue;
    const end = writer.length;
    writeInt64(writer, 0x10, times[i] as number);
    writeDouble(writer, 0x09, stale?.[i] === 1 ? 'stale' : (values[i] as number));
    writer.endMessage(0x12, end);
  }
}

function writeHistograms(writer: ReverseWriter, { times, histograms = [] }: ReadSeries): void {
  for (let i = histograms.length - 1; i >= 0; i--) {
    const histogram = histograms[i];
    if (histogram === undefined) continue;
    const end = writer.length;
    if (histogram.customBounds.length > 0) writePacked(writer, 0x82, histogram.customBounds);
    writeInt64(writer, 0x78, times[i] as number);
    writer.varint(RESET_HINTS[histogram.resetHint]);
    writer.varint(0x70);
    writeBuckets(writer, histogram.positive, 0x6a, 0x5a);
    writeBuckets(writer, histogram.negative, 0x52, 0x42);
    writeDouble(writer, 0x39, histogram.zeroCount);
    writeDouble(writer, 0x29, histogram.zeroThreshold);
    writer.sint32(histogram.schema);
    writer.varint(0x20);
    writeDouble(writer, 0x19, histogram.sum);
    writeDouble(writer, 0x11, histogram.count);
    writer.endMessage(0x22, end);
  }
}

function writeBuckets(
  writer: ReverseWriter,
  { indexes, counts }: ReadBuckets,
  countsTag: number,
  spansTag: number,
): void {
  if (indexes.length === 0) return;
  writePacked(writer, countsTag, counts);
  writeBucketSpans(writer, indexes, spansTag);
}

function writePacked(writer: ReverseWriter, tag: number, values: readonly number[]): void {
  const end = writer.length;
  for (let i = values.length - 1; i >= 0; i--) writer.double(values[i] as number);
  writer.endMessage(tag, end);
}
