import type { RangeOperator } from '@signalbox/query-language';
import { KahanMean, KahanSum } from '../promql/kahan.ts';
import { quantile } from '../promql/quantile.ts';

/** The samples of a window: values, and times in nanoseconds from some instant, in their order. There is at least one. */
export interface SampleWindow {
  readonly values: Float64Array;
  readonly times: Float64Array;
  /** The end of the window, in the same nanoseconds, and its length. */
  readonly endNs: number;
  readonly intervalNs: number;
}

/** Makes a value of a window. */
export type WindowFunction = (window: SampleWindow) => number;

/** The function of an aggregation over values that were unwrapped. @param parameter of `quantile_over_time` */
export function windowFunction(operator: RangeOperator, parameter: number): WindowFunction {
  switch (operator) {
    case 'rate':
      return (window) => sum(window.values) / (window.intervalNs / 1e9);
    case 'rate_counter':
      return counterRate;
    case 'sum_over_time':
      return ({ values }) => sum(values);
    case 'avg_over_time':
      return ({ values }) => {
        const mean = new KahanMean();
        for (const value of values) mean.add(value);
        return mean.mean;
      };
    case 'min_over_time':
      return ({ values }) => values.reduce((a, b) => (b < a || Number.isNaN(a) ? b : a));
    case 'max_over_time':
      return ({ values }) => values.reduce((a, b) => (b > a || Number.isNaN(a) ? b : a));
    case 'stdvar_over_time':
      return ({ values }) => variance(values);
    case 'stddev_over_time':
      return ({ values }) => Math.sqrt(variance(values));
    case 'quantile_over_time':
      return ({ values }) => quantile(parameter, [...values]);
    case 'first_over_time':
      return ({ values }) => values[0] as number;
    case 'last_over_time':
      return ({ values }) => values.at(-1) as number;
    default:
      return () => 1;
  }
}

function sum(values: Float64Array): number {
  const total = new KahanSum();
  for (const value of values) total.add(value);
  return total.total;
}

function variance(values: Float64Array): number {
  let mean = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const difference = (values[i] as number) - mean;
    mean += difference / (i + 1);
    squares += difference * ((values[i] as number) - mean);
  }
  return squares / values.length;
}

/** How far beyond the mean distance of samples a window's end may be to be taken for covered. */
const THRESHOLD = 1.1;

/** The rate of a counter with resets, extrapolated to the ends of the window as `rate()` of PromQL does. */
function counterRate({ values, times, endNs, intervalNs }: SampleWindow): number {
  const { length } = values;
  if (length < 2) return 0;
  const [firstValue = 0] = values;
  const [firstTime = 0] = times;
  const lastTime = times[length - 1] as number;
  let increase = (values[length - 1] as number) - firstValue;
  for (let i = 1; i < length; i++) {
    const before = values[i - 1] as number;
    if ((values[i] as number) < before) increase += before;
  }
  const sampled = (lastTime - firstTime) / 1e9;
  const between = sampled / (length - 1);
  let toStart = (firstTime - (endNs - intervalNs)) / 1e9;
  let toEnd = (endNs - lastTime) / 1e9;
  const threshold = between * THRESHOLD;
  if (toStart >= threshold) toStart = between / 2;
  // A counter is never negative: it began at zero, at the latest.
  if (increase > 0 && firstValue >= 0) toStart = Math.min(toStart, sampled * (firstValue / increase));
  if (toEnd >= threshold) toEnd = between / 2;
  return (increase * ((sampled + toStart + toEnd) / sampled)) / (intervalNs / 1e9);
}
