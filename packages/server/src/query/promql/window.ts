import type { FloatHistogram } from './histogram/float-histogram.ts';
import type { RawSeries } from './queryable.ts';

/** The samples of one series within a range. Used again for the next step: a function must not keep it. */
export class Window {
  readonly series: RawSeries;
  /** Samples from `from` to `to` (exclusive) are in it. */
  from = 0;
  to = 0;
  /** The range, open on the left: in ms since 1970. */
  startMs = 0;
  endMs = 0;
  /** Time of the evaluation. */
  timeMs = 0;
  /** Before it and after `from` no number is smaller than the one before. */
  #dropAt = 0;

  /** The series must have no stale samples. */
  constructor(series: RawSeries) {
    this.series = series;
  }

  /** Moves on to the samples in (first, last]; both must not go back. */
  move(firstMs: number, lastMs: number): void {
    const { times } = this.series;
    let { from, to } = this;
    while (to < times.length && times[to] <= lastMs) to++;
    while (from < to && times[from] <= firstMs) from++;
    this.from = from;
    this.to = to;
  }

  get length(): number {
    return this.to - this.from;
  }

  /** Whether a number is smaller than the one before it. */
  hasDrop(): boolean {
    const { values } = this.series;
    let at = Math.max(this.#dropAt, this.from + 1);
    while (at < this.to && !(values[at] < values[at - 1])) at++;
    this.#dropAt = at;
    return at < this.to;
  }

  /** Samples that are histograms. */
  get histogramCount(): number {
    const { histograms } = this.series;
    if (!histograms) return 0;
    let count = 0;
    for (let i = this.from; i < this.to; i++) if (histograms[i] !== undefined) count++;
    return count;
  }

  /** The sample at an index of the series. */
  at(index: number): number | FloatHistogram {
    return this.series.histograms?.[index] ?? this.series.values[index];
  }

  /** Indexes of the samples that are numbers. */
  floatIndexes(): number[] {
    const { histograms } = this.series;
    const indexes: number[] = [];
    for (let i = this.from; i < this.to; i++) if (histograms?.[i] === undefined) indexes.push(i);
    return indexes;
  }

  /** The samples that are numbers. */
  floats(): number[] {
    return this.floatIndexes().map((index) => this.series.values[index]);
  }

  /** The samples that are histograms: not to be changed. */
  histograms(): FloatHistogram[] {
    const { histograms } = this.series;
    const found: FloatHistogram[] = [];
    if (!histograms) return found;
    for (let i = this.from; i < this.to; i++) {
      const histogram = histograms[i];
      if (histogram) found.push(histogram);
    }
    return found;
  }

  startTime(index: number): number {
    return this.series.startTimes?.[index] ?? 0;
  }
}

/** The series without its stale samples. */
export function withoutStale(series: RawSeries): RawSeries {
  const { stale } = series;
  if (!stale?.includes(1)) return series;
  const keep: number[] = [];
  for (let i = 0; i < series.times.length; i++) if (stale[i] === 0) keep.push(i);
  const pick = (column: Float64Array) => Float64Array.from(keep, (index) => column[index]);
  const { histograms, startTimes } = series;
  return {
    labels: series.labels,
    times: pick(series.times),
    values: pick(series.values),
    ...(histograms ? { histograms: keep.map((index) => histograms[index]) } : {}),
    ...(startTimes ? { startTimes: pick(startTimes) } : {}),
  };
}
