import { type FloatHistogram, IncompatibleSchemaError } from '../histogram/float-histogram.ts';
import { HistogramMean, HistogramSum } from '../histogram/histogram-sum.ts';
import { KahanMean, KahanSum } from '../kahan.ts';
import { quantile } from '../quantile.ts';
import type { Window } from '../window.ts';
import type { RangeContext, RangeFunction } from './range-function.ts';

export const countOverTime: RangeFunction = (window) => window.length;
export const presentOverTime: RangeFunction = () => 1;
export const firstOverTime: RangeFunction = (window) => window.at(window.from);
export const lastOverTime: RangeFunction = (window) => window.at(window.to - 1);
export const tsOfFirstOverTime: RangeFunction = (window) => window.series.times[window.from] / 1000;
export const tsOfLastOverTime: RangeFunction = (window) => window.series.times[window.to - 1] / 1000;

/** A function of the numbers in a range, which there must be; histograms beside them are left out, with a word. */
function ofFloats(compute: (values: number[], window: Window) => number): RangeFunction {
  return (window, _, context) => {
    const values = window.floats();
    if (values.length === 0) return undefined;
    noteIgnoredHistograms(window, context);
    return compute(values, window);
  };
}

export function noteIgnoredHistograms(window: Window, { annotations, metricName, place }: RangeContext): void {
  if (window.histogramCount > 0) annotations.histogramIgnoredInRange(metricName, place);
}

export const maxOverTime: RangeFunction = (window, _, context) =>
  bestOverTime(window, context, (value, best) => value > best || Number.isNaN(best));
export const minOverTime: RangeFunction = (window, _, context) =>
  bestOverTime(window, context, (value, best) => value < best || Number.isNaN(best));

function bestOverTime(
  window: Window,
  context: RangeContext,
  isBetter: (value: number, best: number) => boolean,
): number | undefined {
  const { values, histograms } = window.series;
  let best: number | undefined;
  for (let i = window.from; i < window.to; i++) {
    if (histograms?.[i] !== undefined) continue;
    if (best === undefined || isBetter(values[i], best)) best = values[i];
  }
  if (best !== undefined) noteIgnoredHistograms(window, context);
  return best;
}
export const tsOfMaxOverTime = ofFloats((_, window) => timeOfBest(window, (value, best) => value >= best));
export const tsOfMinOverTime = ofFloats((_, window) => timeOfBest(window, (value, best) => value <= best));

function timeOfBest(window: Window, isBetter: (value: number, best: number) => boolean): number {
  const { times, values } = window.series;
  let [best] = window.floatIndexes();
  for (const index of window.floatIndexes()) {
    if (isBetter(values[index], values[best]) || Number.isNaN(values[best])) best = index;
  }
  return times[best] / 1000;
}

export const stdvarOverTime = ofFloats(variance);
export const stddevOverTime = ofFloats((values) => Math.sqrt(variance(values)));

function variance(values: readonly number[]): number {
  let count = 0;
  const mean = new KahanSum();
  const squares = new KahanSum();
  for (const value of values) {
    count++;
    const difference = value - (mean.sum + mean.compensation);
    mean.add(difference / count);
    squares.add(difference * (value - (mean.sum + mean.compensation)));
  }
  return (squares.sum + squares.compensation) / count;
}

export const madOverTime = ofFloats((values) => {
  if (values.some(Number.isNaN)) return Number.NaN;
  const median = quantile(0.5, values);
  return quantile(
    0.5,
    values.map((value) => Math.abs(value - median)),
  );
});

export const quantileOverTime: RangeFunction = (window, [q], context) => {
  const values = window.floats();
  if (values.length === 0) return undefined;
  if (!(q >= 0 && q <= 1)) context.annotations.invalidQuantile(q, context.argumentPlace);
  noteIgnoredHistograms(window, context);
  return quantile(q, values);
};

export const sumOverTime: RangeFunction = (window, _, context) => {
  if (window.histogramCount === 0) {
    const { values } = window.series;
    const sum = new KahanSum();
    for (let i = window.from; i < window.to; i++) sum.add(values[i]);
    return sum.total;
  }
  return combineHistograms(window, context, (histograms) => {
    const sum = new HistogramSum(histograms[0]);
    const reconciled = histograms.slice(1).map((histogram) => sum.add(histogram));
    return { result: sum.result(), boundsReconciled: reconciled.includes(true) };
  });
};

export const avgOverTime: RangeFunction = (window, _, context) => {
  if (window.histogramCount === 0) {
    const { values } = window.series;
    const mean = new KahanMean();
    for (let i = window.from; i < window.to; i++) mean.add(values[i]);
    return mean.mean;
  }
  return combineHistograms(window, context, (histograms) => {
    const mean = new HistogramMean(histograms[0]);
    const reconciled = histograms.slice(1).map((histogram) => mean.add(histogram));
    return { result: mean.result(), boundsReconciled: reconciled.includes(true) };
  });
};

function combineHistograms(
  window: Window,
  { annotations, metricName, place }: RangeContext,
  combine: (histograms: readonly FloatHistogram[]) => { result: FloatHistogram; boundsReconciled: boolean },
): FloatHistogram | undefined {
  const histograms = window.histograms();
  if (histograms.length < window.length) {
    annotations.mixedFloatsAndHistograms(metricName, place);
    return undefined;
  }
  try {
    const { result, boundsReconciled } = combine(histograms);
    const hints = new Set(histograms.map(({ resetHint }) => resetHint));
    if (hints.has('reset') && hints.has('not_reset')) annotations.resetsCollide('aggregation', place);
    if (boundsReconciled) annotations.boundsReconciled('aggregation', place);
    return result;
  } catch (error) {
    if (!(error instanceof IncompatibleSchemaError)) throw error;
    annotations.mixedSchemas(metricName, place);
    return undefined;
  }
}
