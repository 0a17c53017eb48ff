import type { TextRange } from '@signalbox/query-language';
import type { Annotations } from '../annotations.ts';
import { detectReset } from '../histogram/counter-reset.ts';
import { type FloatHistogram, IncompatibleSchemaError } from '../histogram/float-histogram.ts';
import type { Window } from '../window.ts';
import type { RangeContext } from './range-function.ts';

/**
 * The rate family under `anchored` and `smoothed`: the difference between the values at both ends of the range. Anchored, they
 * are those of the last sample before each end; smoothed, they are interpolated between the samples around.
 *
 * The window reaches beyond the range: by the lookback before it and, smoothed, after it.
 */
export function extendedRate(
  window: Window,
  context: RangeContext,
  isCounter: boolean,
  isRate: boolean,
): number | FloatHistogram | undefined {
  const { times } = window.series;
  const isSmoothed = context.extended === 'smoothed';
  const { startMs, endMs } = window;
  const lastIndex = window.to - 1;
  const first = Math.max(window.from, search(window.from, lastIndex, (i) => times[i] > startMs) - 1);
  const last = isSmoothed ? search(window.from, lastIndex, (i) => times[i] >= endMs) : lastIndex;
  if (times[last] <= startMs) return undefined;
  if (isSmoothed && times[first] > endMs) return undefined;
  const difference =
    window.histogramCount > 0
      ? histogramDifference(window, first, last, context, isCounter)
      : floatDifference(window, first, last, isSmoothed, isCounter);
  if (!isRate || difference === undefined) return difference;
  const seconds = context.rangeMs / 1000;
  return typeof difference === 'number' ? difference / seconds : difference.divide(seconds);
}

/** The first index from `from` to `to` (exclusive) at which the condition holds; `to`: at none. */
function search(from: number, to: number, holds: (index: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function floatDifference(window: Window, first: number, last: number, isSmoothed: boolean, isCounter: boolean): number {
  const { times, values } = window.series;
  const { startMs, endMs, from } = window;
  const left =
    isSmoothed && times[first] < startMs
      ? interpolate(times, values, first, first + 1, startMs, isCounter)
      : values[first];
  const right =
    isSmoothed && last > from && times[last] > endMs
      ? interpolate(times, values, last - 1, last, endMs, isCounter)
      : values[last];
  let difference = right - left;
  if (!isCounter) return difference;
  const firstInside = times[first] <= startMs ? first + 1 : first;
  const lastInside = times[last] >= endMs ? last - 1 : last;
  let previous = left;
  for (let i = firstInside; i <= lastInside; i++) {
    if (values[i] < previous) difference += previous;
    previous = values[i];
  }
  if (right < previous) difference += previous;
  return difference;
}

/** The value between two samples at a time; a counter that was reset in between began at zero with the later one. */
export function interpolate(
  times: Float64Array,
  values: Float64Array,
  before: number,
  after: number,
  timeMs: number,
  isCounter: boolean,
): number {
  const start = isCounter && values[after] < values[before] ? 0 : values[before];
  return start + ((values[after] - start) * (timeMs - times[before])) / (times[after] - times[before]);
}

/** As `interpolate`, for histograms. Throws IncompatibleSchemaError. */
export function interpolateHistograms(
  before: { time: number; histogram: FloatHistogram },
  after: { time: number; histogram: FloatHistogram },
  timeMs: number,
  isCounter: boolean,
  { annotations, place }: { annotations: Annotations; place: TextRange },
): FloatHistogram {
  if (timeMs === before.time) return before.histogram.copy();
  if (timeMs === after.time) return after.histogram.copy();
  const fraction = (timeMs - before.time) / (after.time - before.time);
  if (isCounter && detectReset(after.histogram, before.histogram)) return after.histogram.copy().multiply(fraction);
  const result = after.histogram.copy();
  if (result.subtract(before.histogram).boundsReconciled) annotations.boundsReconciled('subtraction', place);
  result.multiply(fraction);
  if (result.add(before.histogram).boundsReconciled) annotations.boundsReconciled('addition', place);
  return result;
}

function histogramDifference(
  window: Window,
  first: number,
  last: number,
  context: RangeContext,
  isCounter: boolean,
): FloatHistogram | undefined {
  const { annotations, place, metricName } = context;
  const isSmoothed = context.extended === 'smoothed';
  const { times } = window.series;
  const at = (index: number) => ({ time: times[index], histogram: window.at(index) as FloatHistogram });
  for (let i = first; i <= last; i++) {
    const { histogram } = at(i);
    if (histogram.hasCustomBuckets !== at(first).histogram.hasCustomBuckets) {
      annotations.mixedSchemas(metricName, place);
      return undefined;
    }
    if (isCounter && histogram.resetHint === 'gauge') annotations.notACounter(metricName, place);
  }
  try {
    const left =
      isSmoothed && times[first] < window.startMs
        ? interpolateHistograms(at(first), at(first + 1), window.startMs, isCounter, context)
        : at(first).histogram.copy();
    const right =
      isSmoothed && last > window.from && times[last] > window.endMs
        ? interpolateHistograms(at(last - 1), at(last), window.endMs, isCounter, context)
        : at(last).histogram.copy();
    if (!isCounter && (left.resetHint !== 'gauge' || right.resetHint !== 'gauge'))
      annotations.notAGauge(metricName, place);
    const result = right.copy();
    if (result.subtract(left).boundsReconciled) annotations.boundsReconciled('subtraction', place);
    if (isCounter) addResets(window, first, last, left, right, result, context);
    result.resetHint = 'gauge';
    return result.compact();
  } catch (error) {
    if (!(error instanceof IncompatibleSchemaError)) throw error;
    annotations.mixedSchemas(metricName, place);
    return undefined;
  }
}

/** Adds to `result` what a counter had counted before each reset between the values at both ends. */
function addResets(
  window: Window,
  firstIndex: number,
  lastIndex: number,
  left: FloatHistogram,
  right: FloatHistogram,
  result: FloatHistogram,
  { annotations, place, extended }: RangeContext,
): void {
  const at = (index: number) => window.at(index) as FloatHistogram;
  let first = firstIndex + 1;
  let previous = left;
  const isLeftInterpolated = extended === 'smoothed' && window.series.times[firstIndex] < window.startMs;
  if (isLeftInterpolated && detectReset(at(firstIndex + 1), at(firstIndex))) {
    // The value at the left end has this reset in it already.
    previous = at(firstIndex + 1);
    first++;
  }
  if (first > lastIndex) return;
  const add = (histogram: FloatHistogram) => {
    if (result.add(histogram).boundsReconciled) annotations.boundsReconciled('addition', place);
  };
  for (let i = first; i < lastIndex; i++) {
    if (detectReset(at(i), previous)) add(previous);
    previous = at(i);
  }
  if (detectReset(right, previous)) add(previous);
}
