import type { ReadHistogram, ReadSeries } from '../encode-remote-read.ts';
import { encodeHistograms } from './encode-histograms.ts';
import { encodeNumbers } from './encode-numbers.ts';

/** Samples of a series from one place up to another, packed; all are numbers, or histograms with the same buckets. */
export interface EncodedChunk {
  /** By their numbers in `prometheus.Chunk.Encoding`. */
  readonly type: 1 | 3;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly data: Uint8Array;
}

/** As many as Prometheus makes. */
const MAX_SAMPLES = 120;
/** Values of a chunk of histograms, unless one histogram has more: with very many buckets, 120 of them would be tens of megabytes. */
const MAX_VALUES = 4_000;
const NUMBERS = 1;
const HISTOGRAMS = 3;

/** A series in chunks as Prometheus's own store has them (https://github.com/prometheus/prometheus/blob/main/tsdb/docs/format/chunks.md). */
export function* encodeChunks(series: ReadSeries): Generator<EncodedChunk> {
  const { times, histograms } = series;
  for (let from = 0; from < times.length; ) {
    const first = histograms?.[from];
    const most = first === undefined ? MAX_SAMPLES : Math.min(MAX_SAMPLES, MAX_VALUES / valuesOf(first));
    let to = from + 1;
    while (to < times.length && to - from + 1 <= most && goesOn(histograms?.[to - 1], histograms?.[to])) to++;
    yield {
      type: first === undefined ? NUMBERS : HISTOGRAMS,
      minTimeMs: times[from] as number,
      maxTimeMs: times[to - 1] as number,
      data: first === undefined ? encodeNumbers(series, from, to) : encodeHistograms(series, from, to),
    };
    from = to;
  }
}

/** Whether the next sample may stand in the same chunk: numbers behind numbers, histograms whose counts only grow. */
function goesOn(last: ReadHistogram | undefined, next: ReadHistogram | undefined): boolean {
  if (last === undefined || next === undefined) return last === next;
  if (last.schema !== next.schema || last.zeroThreshold !== next.zeroThreshold) return false;
  if (!equal(last.customBounds, next.customBounds)) return false;
  if (!equal(last.positive.indexes, next.positive.indexes)) return false;
  if (!equal(last.negative.indexes, next.negative.indexes)) return false;
  if (last.resetHint === 'gauge' || next.resetHint === 'gauge') return last.resetHint === next.resetHint;
  return (
    next.resetHint !== 'reset' &&
    next.count >= last.count &&
    next.zeroCount >= last.zeroCount &&
    noneFalls(last.positive.counts, next.positive.counts) &&
    noneFalls(last.negative.counts, next.negative.counts)
  );
}

function valuesOf({ positive, negative }: ReadHistogram): number {
  const countZeroCountAndSum = 3;
  return countZeroCountAndSum + positive.counts.length + negative.counts.length;
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at]);
}

function noneFalls(last: readonly number[], next: readonly number[]): boolean {
  return next.every((count, at) => count >= (last[at] as number));
}
