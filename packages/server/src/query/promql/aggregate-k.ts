import { type Aggregation, rangeOf } from '@signalbox/query-language';
import { groupSeries } from './aggregate.ts';
import type { Annotations } from './annotations.ts';
import { hashLabels } from './hash-labels.ts';
import type { Labels } from './labels.ts';
import { executionError } from './promql-error.ts';
import { Kind, StepSeries, type StepVector } from './step-vector.ts';

/** An instant query shows the result in this order; a range query orders by labels. */
export interface Ranked {
  readonly vector: StepVector;
  /** Of the series in `vector`, when there is one step. */
  readonly isOrdered: boolean;
}

/** Evaluates the aggregators that choose series of each group and keep their labels: topk, bottomk, limitk, limit_ratio. */
export function aggregateK(
  aggregation: Aggregation,
  vector: StepVector,
  parameter: Float64Array,
  steps: number,
  annotations: Annotations,
): Ranked {
  const { operator } = aggregation;
  const { groupOf, labels } = groupSeries(vector, aggregation);
  const byStep = new Map<number, StepSeries>();
  const order: number[] = [];
  const parameterPlace = aggregation.parameter ? rangeOf(aggregation.parameter) : aggregation.range;
  checkParameter(operator, parameter, annotations, parameterPlace);
  for (let step = 0; step < steps; step++) {
    const groups: number[][] = labels.map(() => []);
    for (let i = 0; i < vector.length; i++) {
      const kind = vector[i].kinds[step];
      if (kind === Kind.None) continue;
      if (kind === Kind.Histogram && (operator === 'topk' || operator === 'bottomk')) {
        annotations.histogramIgnoredInAggregation(operator, aggregation.range);
        continue;
      }
      groups[groupOf[i]].push(i);
    }
    for (const group of groups) {
      for (const index of choose(operator, group, vector, step, parameter[step])) {
        let series = byStep.get(index);
        if (!series) {
          series = new StepSeries(vector[index].labels, steps, vector[index].dropsName);
          byStep.set(index, series);
          order.push(index);
        }
        series.set(step, vector[index].at(step) as number);
      }
    }
  }
  return { vector: order.map((index) => byStep.get(index) as StepSeries), isOrdered: steps === 1 };
}

function checkParameter(
  operator: Aggregation['operator'],
  parameter: Float64Array,
  annotations: Annotations,
  place: ReturnType<typeof rangeOf>,
): void {
  for (const value of parameter) {
    if (operator === 'limit_ratio') {
      if (Number.isNaN(value)) throw executionError('Ratio value is NaN');
      if (value > 1 || value < -1) annotations.invalidRatio(value, Math.sign(value), place);
    } else {
      if (Number.isNaN(value)) throw executionError('Parameter value is NaN');
      if (value >= 2 ** 63 || value <= -(2 ** 63)) {
        throw executionError(`Scalar value ${value} ${value > 0 ? 'over' : 'under'}flows int64`);
      }
    }
  }
}

function choose(
  operator: Aggregation['operator'],
  group: readonly number[],
  vector: StepVector,
  step: number,
  parameter: number,
): readonly number[] {
  if (operator === 'limit_ratio') {
    const ratio = Math.min(Math.max(parameter, -1), 1);
    return group.filter((index) => isWithinRatio(ratio, vector[index].labels));
  }
  const k = Math.trunc(parameter);
  if (k < 1) return [];
  if (operator === 'limitk') return group.slice(0, k);
  const value = (index: number) => vector[index].values[step];
  const sign = operator === 'topk' ? -1 : 1;
  // NaN comes last: it is neither large nor small. Equal values keep the order of the series.
  return group
    .toSorted((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
      return sign * (x < y ? -1 : x > y ? 1 : 0);
    })
    .slice(0, k);
}

/** Series are spread evenly from 0 to 1 by their labels, as in Prometheus: r and r - 1 choose complementary ones. */
function isWithinRatio(ratio: number, labels: Labels): boolean {
  const place = Number(hashLabels(labels)) / 2 ** 64;
  return ratio >= 0 ? place < ratio : place >= 1 + ratio;
}
