import { type Static, staticKey, type traceql } from '@signalbox/query-language';
import { BUCKET, type Exemplar, type Label, NAME, type TimeSeries } from './time-series.ts';

/** What spans of one step and one series add up to. */
export interface Observation {
  readonly step: number;
  readonly group: readonly Static[];
  /** Spans. */
  readonly count: number;
  /** Of their values; undefined: none has one. Of `avg_over_time` and `sum_over_time` the sum. */
  readonly value?: number | undefined;
  /** Spans that have a value. */
  readonly valueCount?: number;
  /** Upper end of the values' bucket, of histograms and quantiles. */
  readonly bucket?: number | undefined;
}

interface Collected {
  readonly labels: readonly Label[];
  readonly counts: Float64Array;
  readonly values: Float64Array;
  readonly exemplars: Exemplar[];
  /** Counts by bucket, of histograms and quantiles. */
  readonly buckets: Map<number, Float64Array>;
}

export interface CollectorOptions {
  readonly function: traceql.MetricsFunction;
  /** Names of the labels of a group. */
  readonly by: readonly string[];
  readonly steps: number;
  /** Of one step, for `rate`. */
  readonly stepSeconds: number;
  readonly quantiles: readonly number[];
}

/** Puts observations together into the series of a metrics function, in any order. */
export class SeriesCollector {
  readonly #options: CollectorOptions;
  readonly #groups = new Map<string, Collected>();

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#groups.size;
  }

  observe({ step, group, count, value, valueCount = 0, bucket }: Observation): void {
    const collected = this.#collected(group);
    if (bucket !== undefined) {
      let counts = collected.buckets.get(bucket);
      if (counts === undefined) {
        counts = new Float64Array(this.#options.steps);
        collected.buckets.set(bucket, counts);
      }
      counts[step] = (counts[step] ?? 0) + count;
      return;
    }
    if (this.#options.function === 'rate' || this.#options.function === 'count_over_time') {
      collected.counts[step] = (collected.counts[step] ?? 0) + count;
      return;
    }
    if (value === undefined || Number.isNaN(value)) return;
    collected.counts[step] = (collected.counts[step] ?? 0) + valueCount;
    const before = collected.values[step] ?? Number.NaN;
    collected.values[step] = Number.isNaN(before) ? value : this.#fold(before, value);
  }

  /** NaN as value: the series' own at that step. */
  observeExemplar(group: readonly Static[], exemplar: Exemplar): void {
    this.#collected(group).exemplars.push(exemplar);
  }

  #fold(before: number, value: number): number {
    switch (this.#options.function) {
      case 'min_over_time':
        return Math.min(before, value);
      case 'max_over_time':
        return Math.max(before, value);
      default:
        return before + value;
    }
  }

  #collected(group: readonly Static[]): Collected {
    const key = group.map(staticKey).join('\n');
    let collected = this.#groups.get(key);
    if (collected === undefined) {
      const { steps } = this.#options;
      collected = {
        labels: this.#labelsOf(group),
        counts: new Float64Array(steps),
        values: new Float64Array(steps).fill(Number.NaN),
        exemplars: [],
        buckets: new Map(),
      };
      this.#groups.set(key, collected);
    }
    return collected;
  }

  /** Nil labels are left out; of only nil ones the first stays. */
  #labelsOf(group: readonly Static[]): Label[] {
    const labels = this.#options.by.map((name, index): Label => [name, group[index] ?? { type: 'nil', value: null }]);
    const present = labels.filter(([, { type }]) => type !== 'nil');
    return present.length > 0 || this.#hasBuckets ? present : labels.slice(0, 1);
  }

  get #hasBuckets(): boolean {
    return this.#options.function === 'histogram_over_time' || this.#options.function === 'quantile_over_time';
  }

  series(): TimeSeries[] {
    const { function: name, by } = this.#options;
    // A series without labels is there even when no span is.
    if (by.length === 0 && !this.#hasBuckets) this.#collected([]);
    const named: Label[] = by.length === 0 ? [[NAME, { type: 'string', value: name }]] : [];
    return [...this.#groups.values()].flatMap((collected) => {
      const labels = [...named, ...collected.labels];
      if (name === 'histogram_over_time') return histogramSeries(collected);
      if (name === 'quantile_over_time') return quantileSeries(collected, this.#options.quantiles, this.#options.steps);
      return [{ labels, values: this.#valuesOf(collected), exemplars: withValues(collected.exemplars) }];
    });
  }

  #valuesOf({ counts, values }: Collected): Float64Array {
    switch (this.#options.function) {
      case 'rate':
        return counts.map((count) => count / this.#options.stepSeconds);
      case 'count_over_time':
        return counts;
      case 'avg_over_time':
        return values.map((sum, step) => sum / (counts[step] ?? 0));
      default:
        return values;
    }
  }
}

function withValues(exemplars: readonly Exemplar[]): readonly Exemplar[] {
  return [...exemplars].sort((a, b) => a.timeMs - b.timeMs);
}

function histogramSeries({ labels, buckets, exemplars }: Collected): TimeSeries[] {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  return sorted.map(([bucket, values], index) => ({
    labels: [...labels, [BUCKET, { type: 'float', value: bucket }]],
    values,
    exemplars: withValues(
      exemplars.filter(({ value }) => value <= bucket && value > (sorted[index - 1]?.[0] ?? Number.NEGATIVE_INFINITY)),
    ),
  }));
}

function quantileSeries(
  { labels, buckets, exemplars }: Collected,
  quantiles: readonly number[],
  steps: number,
): TimeSeries[] {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const whole = sorted.map(([max, counts]): Bucket => [max, counts.reduce((sum, count) => sum + count, 0)]);
  const overall = quantiles.map((quantile) => log2Quantile(quantile, whole));
  return quantiles.map((quantile, index) => {
    const values = new Float64Array(steps);
    for (let step = 0; step < steps; step++) {
      values[step] = log2Quantile(
        quantile,
        sorted.flatMap(([max, counts]): Bucket[] => ((counts[step] ?? 0) > 0 ? [[max, counts[step] ?? 0]] : [])),
      );
    }
    return {
      labels: [...labels, ['p', { type: 'float', value: quantile }]],
      values,
      exemplars: withValues(exemplars.filter(({ value }) => nearest(overall, value) === index)),
    };
  });
}

function nearest(values: readonly number[], value: number): number {
  return values.reduce(
    (best, each, index) => (Math.abs(each - value) < Math.abs((values[best] ?? 0) - value) ? index : best),
    0,
  );
}

type Bucket = readonly [max: number, count: number];

/**
 * The quantile of values that lie in buckets of powers of two, given with their upper ends in ascending order; within a bucket
 * it grows exponentially. 0 without values.
 */
export function log2Quantile(quantile: number, buckets: readonly Bucket[]): number {
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return 0;
  const wanted = Math.max(1, Math.ceil(quantile * total));
  let before = 0;
  for (const [index, [max, count]] of buckets.entries()) {
    if (before + count === wanted) return max;
    if (before + count > wanted) {
      const upper = Math.log2(max);
      const lower = index > 0 ? Math.log2((buckets[index - 1] as Bucket)[0]) : upper - 1;
      return 2 ** (lower + ((upper - lower) * (wanted - before)) / count);
    }
    before += count;
  }
  return buckets.at(-1)?.[0] ?? 0;
}

/** Upper end of the bucket of a whole number: the next power of two. undefined: below 2. */
export function log2Bucket(value: number): number | undefined {
  if (!(value >= 2)) return undefined;
  const whole = Math.floor(value);
  let bucket = 2 ** Math.ceil(Math.log2(whole));
  if (bucket < whole) bucket *= 2;
  else if (bucket / 2 >= whole) bucket /= 2;
  return bucket;
}
