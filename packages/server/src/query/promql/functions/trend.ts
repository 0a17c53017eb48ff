import { KahanSum } from '../kahan.ts';
import { executionError } from '../promql-error.ts';
import type { Window } from '../window.ts';
import { noteIgnoredHistograms } from './over-time.ts';
import type { RangeFunction } from './range-function.ts';

export const deriv: RangeFunction = (window, _, context) => {
  const indexes = window.floatIndexes();
  if (indexes.length > 0) noteIgnoredHistograms(window, context);
  if (indexes.length < 2) return undefined;
  // A time near those of the samples keeps the numbers small, and so precise.
  return regression(window, indexes, window.series.times[indexes[0]]).slope;
};

export const predictLinear: RangeFunction = (window, [seconds], context) => {
  const indexes = window.floatIndexes();
  if (indexes.length > 0) noteIgnoredHistograms(window, context);
  if (indexes.length < 2) return undefined;
  const { slope, intercept } = regression(window, indexes, window.timeMs);
  return slope * seconds + intercept;
};

/** The line through the samples with the least squares: its slope per second, and its value at a time. */
function regression(window: Window, indexes: readonly number[], timeMs: number): { slope: number; intercept: number } {
  const { times, values } = window.series;
  const [sumX, sumY, sumXY, sumXX] = [new KahanSum(), new KahanSum(), new KahanSum(), new KahanSum()];
  const first = values[indexes[0]];
  let isConstant = true;
  for (const index of indexes) {
    if (values[index] !== first) isConstant = false;
    const x = (times[index] - timeMs) / 1000;
    sumX.add(x);
    sumY.add(values[index]);
    sumXY.add(x * values[index]);
    sumXX.add(x * x);
  }
  if (isConstant) {
    return Number.isFinite(first) ? { slope: 0, intercept: first } : { slope: Number.NaN, intercept: Number.NaN };
  }
  const n = indexes.length;
  const [x, y, xy, xx] = [sumX, sumY, sumXY, sumXX].map((sum) => sum.sum + sum.compensation);
  const slope = (xy - (x * y) / n) / (xx - (x * x) / n);
  return { slope, intercept: y / n - (slope * x) / n };
}

/** Values smoothed by `sf`, with a trend smoothed by `tf` (Holt's method). */
export const doubleExponentialSmoothing: RangeFunction = (window, [smoothing, trend], context) => {
  const check = (value: number, name: string) => {
    if (value > 0 && value < 1) return;
    const symbol = name === 'smoothing' ? 'sf' : 'tf';
    throw executionError(`invalid ${name} factor. Expected: 0 < ${symbol} < 1, got: ${value.toFixed(6)}`);
  };
  check(smoothing, 'smoothing');
  check(trend, 'trend');
  const values = window.floats();
  if (values.length > 0) noteIgnoredHistograms(window, context);
  if (values.length < 2) return undefined;
  let before = 0;
  let smoothed = values[0];
  let slope = values[1] - values[0];
  for (let i = 1; i < values.length; i++) {
    if (i > 1) slope = trend * (smoothed - before) + (1 - trend) * slope;
    const next = smoothing * values[i] + (1 - smoothing) * (smoothed + slope);
    before = smoothed;
    smoothed = next;
  }
  return smoothed;
};
