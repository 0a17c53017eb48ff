import { type Grouping, printSelector, type RangeAggregation } from '@signalbox/query-language';
import { absentLabels } from '../promql/functions/labels-functions.ts';
import type { Labels } from '../promql/labels.ts';
import { StepSeries, type StepVector } from '../promql/step-vector.ts';
import type { LogCount } from './log-source.ts';
import { LogqlError } from './logql-error.ts';
import { windowFunction } from './range-functions.ts';
import type { RangeWindows } from './range-windows.ts';
import { groupingOf, SampleExtractor } from './sample-extractor.ts';
import type { LogEntry } from './stream-labels.ts';

/** What an aggregation may hold. */
export interface AggregationLimits {
  /** Values that are kept to be looked at together. */
  readonly maxSamples: number;
  /** Series before they are aggregated further. */
  readonly maxSeries: number;
}

/** Takes in the samples of one series. */
interface SeriesWindows {
  /** @returns values that are kept from now on */
  add(relativeNs: number, first: number, last: number, value: number): number;
  result(): StepSeries;
}

const COUNTED: ReadonlySet<string> = new Set(['count_over_time', 'rate', 'bytes_over_time', 'bytes_rate']);

/** A range aggregation that entries are given to one after the other, in any order. */
export class RangeAggregator {
  readonly #expr: RangeAggregation;
  readonly #windows: RangeWindows;
  readonly #limits: AggregationLimits;
  readonly #extractor: SampleExtractor;
  readonly #series = new Map<Labels, SeriesWindows>();
  readonly #byKey = new Map<string, SeriesWindows>();
  readonly #counts: boolean;
  #samples = 0;

  constructor(expr: RangeAggregation, outer: Grouping | undefined, windows: RangeWindows, limits: AggregationLimits) {
    this.#expr = expr;
    this.#windows = windows;
    this.#limits = limits;
    this.#extractor = new SampleExtractor(expr, outer);
    this.#counts = !expr.logRange.unwrap;
  }

  add(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      const relative = this.#windows.relative(entry.time);
      const first = this.#windows.first(relative);
      const last = this.#windows.last(relative);
      if (last < first) continue;
      const sample = this.#extractor.extract(entry);
      if (!sample) continue;
      this.#samples += this.#seriesOf(sample.labels).add(relative, first, last, sample.value);
      if (this.#samples > this.#limits.maxSamples) {
        throw new LogqlError(
          'limit',
          `the query looks at more than ${this.#limits.maxSamples} values of ${printSelector(this.#expr.logRange.log.matchers)} at once; consider a shorter time range, more specific selectors or line filters`,
        );
      }
    }
  }

  /** The labels that tell the result's series apart, when lines are only counted and these labels are all that they need; else undefined. */
  static countedBy(expr: RangeAggregation, outer: Grouping | undefined): readonly string[] | undefined {
    const { operator, logRange } = expr;
    const grouping = groupingOf(expr, outer);
    const isCount = !logRange.unwrap && COUNTED.has(operator);
    return isCount && grouping && !grouping.isWithout ? grouping.labels : undefined;
  }

  /** Adds what a source has counted itself. */
  addCounts(counts: readonly LogCount[]): void {
    const { operator } = this.#expr;
    const countsBytes = operator === 'bytes_over_time' || operator === 'bytes_rate';
    for (const { entry, first, last, lines, bytes } of counts) {
      if (last < first) continue;
      const labels = this.#extractor.labelsOf(entry);
      if (labels === undefined) continue;
      const series = this.#seriesOf(labels);
      if (series instanceof CountedWindows) series.addMany(first, last, countsBytes ? bytes : lines, lines);
    }
  }

  #seriesOf(labels: Labels): SeriesWindows {
    let series = this.#series.get(labels) ?? this.#byKey.get(labels.key);
    if (series === undefined) {
      if (this.#byKey.size >= this.#limits.maxSeries) throw tooManySeries(this.#limits.maxSeries);
      series = this.#counts
        ? new CountedWindows(labels, this.#windows, this.#divisor())
        : new SampledWindows(labels, this.#windows, this.#expr);
      this.#byKey.set(labels.key, series);
      this.#series.set(labels, series);
    }
    return series;
  }

  #divisor(): number {
    const { operator } = this.#expr;
    return operator === 'rate' || operator === 'bytes_rate' ? this.#windows.intervalNs / 1e9 : 1;
  }

  result(): StepVector {
    const vector = [...this.#byKey.values()].map((series) => series.result());
    if (this.#expr.operator !== 'absent_over_time') return vector.filter((series) => !series.isEmpty);
    const absent = new StepSeries(absentLabels(this.#expr.logRange.log.matchers), this.#windows.count);
    for (let step = 0; step < this.#windows.count; step++) {
      if (vector.every((series) => series.kinds[step] === 0)) absent.setFloat(step, 1);
    }
    return absent.isEmpty ? [] : [absent];
  }
}

export function tooManySeries(limit: number): LogqlError {
  return new LogqlError(
    'limit',
    `maximum number of series (${limit}) reached for a single query; consider reducing query cardinality by adding more specific stream selectors, reducing the time range, or aggregating results with functions like sum(), count() or topk()`,
  );
}

/** Sums of whole numbers: each line is added where its windows begin and taken off behind them. */
class CountedWindows implements SeriesWindows {
  readonly #labels: Labels;
  readonly #sums: Float64Array;
  readonly #lines: Int32Array;
  readonly #divisor: number;

  constructor(labels: Labels, { count }: RangeWindows, divisor: number) {
    this.#labels = labels;
    this.#sums = new Float64Array(count + 1);
    this.#lines = new Int32Array(count + 1);
    this.#divisor = divisor;
  }

  add(_: number, first: number, last: number, value: number): number {
    this.addMany(first, last, value, 1);
    return 0;
  }

  /** Adds lines that are in the same windows. @param value of all of them together */
  addMany(first: number, last: number, value: number, lines: number): void {
    this.#sums[first] = (this.#sums[first] as number) + value;
    this.#sums[last + 1] = (this.#sums[last + 1] as number) - value;
    this.#lines[first] = (this.#lines[first] as number) + lines;
    this.#lines[last + 1] = (this.#lines[last + 1] as number) - lines;
  }

  result(): StepSeries {
    const steps = this.#sums.length - 1;
    const series = new StepSeries(this.#labels, steps);
    let sum = 0;
    let lines = 0;
    for (let step = 0; step < steps; step++) {
      sum += this.#sums[step] as number;
      lines += this.#lines[step] as number;
      if (lines > 0) series.setFloat(step, sum / this.#divisor);
    }
    return series;
  }
}

/** Values that are looked at together. */
class SampledWindows implements SeriesWindows {
  readonly #labels: Labels;
  readonly #windows: RangeWindows;
  readonly #expr: RangeAggregation;
  readonly #times: number[] = [];
  readonly #values: number[] = [];

  constructor(labels: Labels, windows: RangeWindows, expr: RangeAggregation) {
    this.#labels = labels;
    this.#windows = windows;
    this.#expr = expr;
  }

  add(relativeNs: number, _first: number, _last: number, value: number): number {
    this.#times.push(relativeNs);
    this.#values.push(value);
    return 1;
  }

  result(): StepSeries {
    const { count, stepNs, intervalNs } = this.#windows;
    const order = Array.from(this.#times.keys()).sort(
      (a, b) => (this.#times[a] as number) - (this.#times[b] as number),
    );
    const times = Float64Array.from(order, (index) => this.#times[index] as number);
    const values = Float64Array.from(order, (index) => this.#values[index] as number);
    const evaluate = windowFunction(this.#expr.operator, Number(this.#expr.parameter ?? 0));
    const series = new StepSeries(this.#labels, count);
    let from = 0;
    let to = 0;
    for (let step = 0; step < count; step++) {
      const endNs = step * stepNs;
      while (to < times.length && (times[to] as number) <= endNs) to++;
      while (from < to && (times[from] as number) <= endNs - intervalNs) from++;
      if (from === to) continue;
      const window = { values: values.subarray(from, to), times: times.subarray(from, to), endNs, intervalNs };
      series.setFloat(step, evaluate(window));
    }
    return series;
  }
}
