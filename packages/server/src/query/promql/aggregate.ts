import { type Aggregation, rangeOf } from '@signalbox/query-language';
import type { Annotations } from './annotations.ts';
import { type FloatHistogram, IncompatibleSchemaError } from './histogram/float-histogram.ts';
import { HistogramMean, HistogramSum } from './histogram/histogram-sum.ts';
import { KahanMean, KahanSum } from './kahan.ts';
import { type Labels, METADATA } from './labels.ts';
import { quantile } from './quantile.ts';
import { Kind, StepSeries, type StepVector } from './step-vector.ts';

/** The groups of an aggregation: for each series its group's place, and the labels of each group. */
export interface Groups {
  readonly labels: readonly Labels[];
  readonly groupOf: Int32Array;
}

/** Puts series into groups by `by` or `without`. */
export function groupSeries(
  vector: StepVector,
  { grouping, isWithout }: Pick<Aggregation, 'grouping' | 'isWithout'>,
): Groups {
  const names = new Set(isWithout ? [...grouping, ...METADATA] : grouping);
  const labels: Labels[] = [];
  const places = new Map<string, number>();
  const groupOf = new Int32Array(vector.length);
  const [only] = names;
  for (let i = 0; i < vector.length; i++) {
    const own = vector[i].labels;
    // A label's value tells apart as much as the labels that have only it, which need not be made for each series.
    const group = isWithout ? own.without(names) : names.size === 1 ? undefined : own.only(names);
    const key = group?.key ?? own.get(only);
    let place = places.get(key);
    if (place === undefined) {
      place = labels.length;
      places.set(key, place);
      labels.push(group ?? own.only(names));
    }
    groupOf[i] = place;
  }
  return { labels, groupOf };
}

/** Takes in the values of a group at one step. */
interface Accumulator {
  add(value: number | FloatHistogram, metricName: string): void;
  /** undefined: the group has no value at this step. */
  result(): number | FloatHistogram | undefined;
}

/** Evaluates the aggregators that make one value of a group: sum, avg, count, min, max, group, stddev, stdvar, quantile. */
export function aggregate(
  aggregation: Aggregation,
  vector: StepVector,
  parameter: Float64Array | undefined,
  steps: number,
  annotations: Annotations,
): StepVector {
  const groups = groupSeries(vector, aggregation);
  const place = rangeOf(aggregation.expr);
  const result = groups.labels.map((labels) => new StepSeries(labels, steps));
  const ofNumbers = numberAggregators[aggregation.operator];
  if (ofNumbers && vector.every(({ histograms }) => histograms === undefined)) {
    ofNumbers(vector, groups, result);
    return result.filter((series) => !series.isEmpty);
  }
  const accumulators: (Accumulator | undefined)[] = new Array(groups.labels.length);
  for (let step = 0; step < steps; step++) {
    accumulators.fill(undefined);
    for (let i = 0; i < vector.length; i++) {
      const series = vector[i];
      const kind = series.kinds[step];
      if (kind === Kind.None) continue;
      const group = groups.groupOf[i];
      if (series.dropsName) result[group].dropsName = true;
      let accumulator = accumulators[group];
      if (accumulator === undefined) {
        accumulator = createAccumulator(aggregation, parameter?.[step] ?? 0, annotations, place);
        accumulators[group] = accumulator;
      }
      const value = kind === Kind.Float ? series.values[step] : (series.histograms?.[step] as FloatHistogram);
      accumulator.add(value, kind === Kind.Float ? '' : series.labels.metricName);
    }
    for (let group = 0; group < accumulators.length; group++) {
      const value = accumulators[group]?.result();
      if (value !== undefined) result[group].set(step, value);
    }
  }
  return result.filter((series) => !series.isEmpty);
}

/** Puts into the result of each group what is made of numbers alone, series by series: most of what is asked is this. */
type NumberAggregator = (vector: StepVector, groups: Groups, result: StepVector) => void;

/** As the accumulators of the same names do, number by number. */
const numberAggregators: Readonly<Record<string, NumberAggregator | undefined>> = {
  sum(vector, { groupOf }, result) {
    const compensations = result.map(({ values }) => new Float64Array(values.length));
    for (let i = 0; i < vector.length; i++) {
      const { kinds, values, dropsName } = vector[i];
      const group = result[groupOf[i]];
      const { values: sums, kinds: has } = group;
      const lost = compensations[groupOf[i]];
      for (let step = 0; step < kinds.length; step++) {
        if (kinds[step] === Kind.None) continue;
        if (dropsName) group.dropsName = true;
        has[step] = Kind.Float;
        const sum = sums[step];
        const value = values[step];
        const next = sum + value;
        if (!Number.isFinite(next)) lost[step] = 0;
        else if (Math.abs(sum) >= Math.abs(value)) lost[step] += sum - next + value;
        else lost[step] += value - next + sum;
        sums[step] = next;
      }
    }
    for (let group = 0; group < result.length; group++) {
      const { values } = result[group];
      for (let step = 0; step < values.length; step++) values[step] += compensations[group][step];
    }
  },
  count: folding(
    () => 1,
    (count) => count + 1,
  ),
  group: folding(
    () => 1,
    () => 1,
  ),
  min: folding((value) => value, smaller),
  max: folding((value) => value, larger),
};

function folding(first: (value: number) => number, next: (result: number, value: number) => number): NumberAggregator {
  return (vector, { groupOf }, result) => {
    for (let i = 0; i < vector.length; i++) {
      const { kinds, values, dropsName } = vector[i];
      const group = result[groupOf[i]];
      const { values: results, kinds: has } = group;
      for (let step = 0; step < kinds.length; step++) {
        if (kinds[step] === Kind.None) continue;
        if (dropsName) group.dropsName = true;
        results[step] = has[step] === Kind.None ? first(values[step]) : next(results[step], values[step]);
        has[step] = Kind.Float;
      }
    }
  };
}

function smaller(best: number, value: number): number {
  return best > value || Number.isNaN(best) ? value : best;
}

function larger(best: number, value: number): number {
  return best < value || Number.isNaN(best) ? value : best;
}

type Place = ReturnType<typeof rangeOf>;

function createAccumulator(
  { operator }: Aggregation,
  parameter: number,
  annotations: Annotations,
  place: Place,
): Accumulator {
  switch (operator) {
    case 'sum':
      return new Total(annotations, place, false);
    case 'avg':
      return new Total(annotations, place, true);
    case 'count': {
      let count = 0;
      return { add: () => void count++, result: () => count };
    }
    case 'group':
      return { add: () => {}, result: () => 1 };
    case 'min':
      return floatsOnly(operator, annotations, place, smaller);
    case 'max':
      return floatsOnly(operator, annotations, place, larger);
    case 'quantile':
      return collected(operator, annotations, place, (values) => quantile(parameter, values));
    case 'stdvar':
      return collected(operator, annotations, place, variance);
    default:
      return collected(operator, annotations, place, (values) => Math.sqrt(variance(values)));
  }
}

/** A sum or a mean of numbers, or of histograms: both together have none. */
class Total implements Accumulator {
  readonly #annotations: Annotations;
  readonly #place: Place;
  readonly #isMean: boolean;
  readonly #sum = new KahanSum();
  readonly #mean = new KahanMean();
  #hasFloat = false;
  #histograms: HistogramSum | HistogramMean | undefined;
  #isIncompatible = false;
  readonly #hints = new Set<string>();

  constructor(annotations: Annotations, place: Place, isMean: boolean) {
    this.#annotations = annotations;
    this.#place = place;
    this.#isMean = isMean;
  }

  add(value: number | FloatHistogram, metricName: string): void {
    if (this.#isIncompatible) return;
    if (typeof value === 'number') {
      this.#hasFloat = true;
      if (this.#isMean) this.#mean.add(value);
      else this.#sum.add(value);
      return;
    }
    this.#hints.add(value.resetHint);
    if (!this.#histograms) {
      this.#histograms = this.#isMean ? new HistogramMean(value) : new HistogramSum(value);
      return;
    }
    try {
      if (this.#histograms.add(value)) this.#annotations.boundsReconciled('aggregation', this.#place);
    } catch (error) {
      if (!(error instanceof IncompatibleSchemaError)) throw error;
      this.#annotations.mixedSchemas(metricName, this.#place);
      this.#isIncompatible = true;
    }
  }

  result(): number | FloatHistogram | undefined {
    if (this.#hasFloat && this.#histograms) {
      this.#annotations.mixedInAggregation(this.#place);
      return undefined;
    }
    if (this.#isIncompatible) return undefined;
    if (this.#hints.has('reset') && this.#hints.has('not_reset')) {
      this.#annotations.resetsCollide('aggregation', this.#place);
    }
    if (this.#histograms) return this.#histograms.result().compact();
    return this.#isMean ? this.#mean.mean : this.#sum.sum + this.#sum.compensation;
  }
}

function floatsOnly(
  operator: string,
  annotations: Annotations,
  place: Place,
  choose: (best: number, value: number) => number,
): Accumulator {
  let best: number | undefined;
  return {
    add(value) {
      if (typeof value !== 'number') annotations.histogramIgnoredInAggregation(operator, place);
      else best = best === undefined ? value : choose(best, value);
    },
    result: () => best,
  };
}

function collected(
  operator: string,
  annotations: Annotations,
  place: Place,
  compute: (values: number[]) => number,
): Accumulator {
  const values: number[] = [];
  return {
    add(value) {
      if (typeof value === 'number') values.push(value);
      else annotations.histogramIgnoredInAggregation(operator, place);
    },
    result: () => (values.length === 0 ? undefined : compute(values)),
  };
}

function variance(values: readonly number[]): number {
  const [first] = values;
  if (!Number.isFinite(first)) return Number.NaN;
  let mean = first;
  let squares = 0;
  for (let i = 1; i < values.length; i++) {
    const difference = values[i] - mean;
    mean += difference / (i + 1);
    squares += difference * (values[i] - mean);
  }
  return squares / values.length;
}
