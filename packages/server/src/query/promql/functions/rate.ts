import { detectReset } from '../histogram/counter-reset.ts';
import { FloatHistogram, IncompatibleSchemaError } from '../histogram/float-histogram.ts';
import type { Window } from '../window.ts';
import { extendedRate } from './extended-rate.ts';
import type { RangeContext, RangeFunction } from './range-function.ts';
import { isStartTimeReset, startTimesOverlap } from './start-times.ts';

/** How far beyond the mean distance of samples a range's end may be to be taken for covered. */
const THRESHOLD = 1.1;

export const rate: RangeFunction = (window, _, context) => extrapolated(window, context, true, true);
export const increase: RangeFunction = (window, _, context) => extrapolated(window, context, true, false);
export const delta: RangeFunction = (window, _, context) => extrapolated(window, context, false, false);

/**
 * The difference between the first and the last sample, resets of counters added, extrapolated to the ends of the range where
 * the samples come near enough to them.
 */
function extrapolated(
  window: Window,
  context: RangeContext,
  isCounter: boolean,
  isRate: boolean,
): number | FloatHistogram | undefined {
  const { annotations, place, metricName, rangeMs } = context;
  const histogramCount = window.histogramCount;
  if (histogramCount > 0 && histogramCount < window.length) {
    annotations.mixedFloatsAndHistograms(metricName, place);
    return undefined;
  }
  if (context.extended !== undefined) return extendedRate(window, context, isCounter, isRate);
  const { from, to, series } = window;
  const { times, values } = series;
  const first = series.histograms?.[from];
  let result: number | FloatHistogram | undefined;
  if (histogramCount > 0) {
    if (window.length > 1) {
      result = histogramIncrease(window, context, isCounter);
      if (result === undefined) return undefined;
    }
  } else result = floatIncrease(window, context, isCounter);

  const firstTime = times[from];
  const lastTime = times[to - 1];
  let toStart = (firstTime - window.startMs) / 1000;
  let toEnd = (window.endMs - lastTime) / 1000;
  let sampled = (lastTime - firstTime) / 1000;
  const between = window.length > 1 ? sampled / (window.length - 1) : 0;
  const threshold = between * THRESHOLD;
  const start = context.usesStartTimes && isCounter ? window.startTime(from) : 0;
  if (start !== 0 && start > window.startMs && start < firstTime) {
    // The counter began within the range, at zero: nothing to extrapolate there.
    toStart = 0;
    sampled = (lastTime - start) / 1000;
    if (!first) result = (result as number) + values[from];
    else if (result === undefined) result = first.copy();
    else if (!addHistogram(result as FloatHistogram, first, context)) return undefined;
  } else if (window.length === 1) return undefined;
  else {
    if (toStart >= threshold) toStart = between / 2;
    if (isCounter) {
      // Counters are never negative: they began at zero, at the latest.
      const zero = secondsToZero(first ?? values[from], result as number | FloatHistogram, sampled);
      if (zero !== undefined && zero < toStart) toStart = zero;
    }
  }
  if (toEnd >= threshold) toEnd = between / 2;
  let factor = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled;
  if (isRate) factor /= rangeMs / 1000;
  return typeof result === 'number' ? result * factor : result?.multiply(factor);
}

function secondsToZero(
  first: number | FloatHistogram,
  increase: number | FloatHistogram,
  sampled: number,
): number | undefined {
  const start = typeof first === 'number' ? first : first.count;
  const change = typeof increase === 'number' ? increase : increase.count;
  return change > 0 && start >= 0 ? sampled * (start / change) : undefined;
}

function floatIncrease(
  window: Window,
  { annotations, place, metricName, usesStartTimes }: RangeContext,
  isCounter: boolean,
): number {
  const { from, to, series } = window;
  const { values } = series;
  let result = values[to - 1] - values[from];
  if (!isCounter) return result;
  const hasStartTimes = usesStartTimes && series.startTimes !== undefined;
  if (!hasStartTimes && !window.hasDrop()) return result;
  let overlaps = false;
  for (let i = from + 1; i < to; i++) {
    if (hasStartTimes && !overlaps && startTimesOverlap(window, i)) {
      overlaps = true;
      annotations.startTimeOverlap(metricName, place);
    }
    if (values[i] < values[i - 1] || (hasStartTimes && isStartTimeReset(window, i))) result += values[i - 1];
  }
  return result;
}

function histogramIncrease(window: Window, context: RangeContext, isCounter: boolean): FloatHistogram | undefined {
  const { annotations, place, metricName, usesStartTimes } = context;
  const { from, series } = window;
  const points = window.histograms();
  const hasStartTimes = usesStartTimes && series.startTimes !== undefined;
  const last = points[points.length - 1];
  const isReset = (i: number, previous: FloatHistogram) =>
    (hasStartTimes && isStartTimeReset(window, from + i)) || detectReset(points[i], previous);
  let [previous] = points;
  if (isCounter && (previous.resetHint === 'gauge' || last.resetHint === 'gauge'))
    annotations.notACounter(metricName, place);
  if (isCounter && isReset(1, previous)) {
    // What came before the reset does not matter, nor how its buckets were laid out.
    previous = new FloatHistogram();
    previous.schema = points[1].schema;
    previous.customBounds = points[1].customBounds;
  }
  const hasCustomBuckets = previous.hasCustomBuckets;
  const others = isCounter ? points.slice(1) : [last];
  if (others.some((point) => point.hasCustomBuckets !== hasCustomBuckets)) {
    annotations.mixedSchemas(metricName, place);
    return undefined;
  }
  const result = last.copy();
  if (isCounter) {
    for (const point of points.slice(1, -1)) {
      if (point.resetHint === 'gauge') annotations.notACounter(metricName, place);
      if (!hasCustomBuckets) result.reduceResolution(point.schema);
    }
  } else if (points[0].resetHint !== 'gauge' || last.resetHint !== 'gauge') annotations.notAGauge(metricName, place);
  if (!hasCustomBuckets) result.reduceResolution(previous.schema);
  if (result.subtract(previous).boundsReconciled) annotations.boundsReconciled('subtraction', place);
  if (isCounter) {
    let overlaps = false;
    for (let i = 1; i < points.length; i++) {
      if (hasStartTimes && !overlaps && startTimesOverlap(window, from + i)) {
        overlaps = true;
        annotations.startTimeOverlap(metricName, place);
      }
      if (isReset(i, previous) && result.add(previous).boundsReconciled)
        annotations.boundsReconciled('addition', place);
      previous = points[i];
    }
  }
  result.resetHint = 'gauge';
  return result.compact();
}

/** Adds in place; false, with an annotation: their schemas can't be put together. */
export function addHistogram(
  sum: FloatHistogram,
  other: FloatHistogram,
  { annotations, place, metricName }: RangeContext,
): boolean {
  try {
    if (sum.add(other).boundsReconciled) annotations.boundsReconciled('addition', place);
    return true;
  } catch (error) {
    if (!(error instanceof IncompatibleSchemaError)) throw error;
    annotations.mixedSchemas(metricName, place);
    return false;
  }
}
