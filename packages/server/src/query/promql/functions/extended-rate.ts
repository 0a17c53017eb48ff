import type { TextRange } from '@signalbox/query-language';
import type { Annotations } from '../annotations.ts';
import { detectReset } from '../histogram/counter-reset.ts';
import { type FloatHistogram, IncompatibleSchemaError } from '../histogram/float-histogram.ts';
import type { Window } from '../window.ts';
import type { RangeContext } from './range-function.ts';
import { isResetAfter, isResetBetween } from './start-times.ts';

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
  const [first, last] = boundsOf(window, isSmoothed);
  if (times[last] <= startMs) return undefined;
  if (window.histogramCount > 0) {
    if (isSmoothed && times[first] > endMs) return undefined;
    const difference = histogramDifference(window, first, last, context, isCounter);
    return isRate ? difference?.divide(context.rangeMs / 1000) : difference;
  }
  const startOf = isCounter && context.usesStartTimes ? (index: number) => window.startTime(index) : () => 0;
  const reach: Reach = { window, isSmoothed, isCounter, startOf, afterMs: startMs - context.lookbackMs };
  if (isSmoothed && times[first] > endMs) {
    // Only a counter that began before the range's end, within reach, has a value there.
    const sample = { time: times[first], start: startOf(first) };
    if (!isCounter || !isResetAfter(reach.afterMs, sample) || isResetAfter(endMs, sample)) return undefined;
  }
  const difference = floatDifference(reach, first, last);
  return isRate ? difference / (context.rangeMs / 1000) : difference;
}

/** The last sample up to the start of the range, and the last one up to its end; smoothed, the first one from there on. */
function boundsOf(window: Window, isSmoothed: boolean): [number, number] {
  const { times } = window.series;
  const { startMs, endMs, from } = window;
  const lastIndex = window.to - 1;
  const first = Math.max(from, search(from, lastIndex, (i) => times[i] > startMs) - 1);
  return [first, isSmoothed ? search(from, lastIndex, (i) => times[i] >= endMs) : lastIndex];
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

/** The samples of a range and around it. */
interface Reach {
  readonly window: Window;
  readonly isSmoothed: boolean;
  readonly isCounter: boolean;
  /** Start time of a sample, in ms; 0: none is known, or none counts. */
  startOf(index: number): number;
  /** Samples after this time are looked at. */
  readonly afterMs: number;
}

/** The value at one end of a range, and since when it was counted (0: unknown). */
interface End {
  readonly value: number;
  readonly start: number;
}

function floatDifference(reach: Reach, first: number, last: number): number {
  const { window, isCounter, startOf } = reach;
  const { times, values } = window.series;
  const { startMs, endMs } = window;
  const left = leftEnd(reach, first);
  const right = rightEnd(reach, last);
  const difference = right.value - left.value;
  if (!isCounter) return difference;
  let correction = 0;
  const firstInside = times[first] <= startMs ? first + 1 : first;
  const lastInside = times[last] >= endMs ? last - 1 : last;
  let previous = { value: left.value, time: startMs, start: left.start };
  for (let i = firstInside; i <= lastInside; i++) {
    const current = { value: values[i], time: times[i], start: startOf(i) };
    if (current.value < previous.value || isResetBetween(previous, current)) correction += previous.value;
    previous = current;
  }
  const end = { time: endMs, start: right.start };
  if (right.value < previous.value || isResetBetween(previous, end)) correction += previous.value;
  return difference + correction;
}

/** The value at the start of the range. `first`: the last sample up to there, or the first one after it. */
function leftEnd({ window, isSmoothed, isCounter, startOf, afterMs }: Reach, first: number): End {
  const { times, values } = window.series;
  const { startMs } = window;
  const sample = { time: times[first], start: startOf(first), value: values[first] };
  if (sample.time === startMs) return { value: sample.value, start: sample.start };
  const start = sample.start > startMs ? 0 : sample.start;
  if (sample.time > startMs) {
    if (!isCounter || !isResetAfter(afterMs, sample)) return { value: sample.value, start };
    // It began at zero, before the range or in it.
    if (!isSmoothed || isResetAfter(startMs, sample)) return { value: 0, start };
    return { value: interpolate({ time: sample.start, value: 0 }, sample, startMs, isCounter), start };
  }
  const next = { time: times[first + 1], start: startOf(first + 1), value: values[first + 1] };
  if (isCounter && isResetAfter(startMs, next)) {
    const begin = { time: next.start, value: 0 };
    return { value: isSmoothed ? interpolate(sample, begin, startMs, isCounter) : sample.value, start };
  }
  if (isCounter && isResetBetween(sample, next)) {
    const begin = { time: next.start, value: 0 };
    return { value: isSmoothed ? interpolate(begin, next, startMs, isCounter) : 0, start: next.start };
  }
  return { value: isSmoothed ? interpolate(sample, next, startMs, isCounter) : sample.value, start };
}

/** The value at the end of the range. `last`: the last sample up to there or, smoothed, the first one after it. */
function rightEnd({ window, isSmoothed, isCounter, startOf, afterMs }: Reach, last: number): End {
  const { times, values } = window.series;
  const { endMs } = window;
  const sample = { time: times[last], start: startOf(last), value: values[last] };
  const start = sample.start > endMs ? 0 : sample.start;
  if (sample.time <= endMs) return { value: sample.value, start };
  if (last === window.from) {
    if (!isCounter || !isResetAfter(afterMs, sample)) return { value: sample.value, start };
    if (!isSmoothed || isResetAfter(endMs, sample)) return { value: 0, start };
    return { value: interpolate({ time: sample.start, value: 0 }, sample, endMs, isCounter), start };
  }
  const before = { time: times[last - 1], start: startOf(last - 1), value: values[last - 1] };
  if (isCounter && isResetAfter(endMs, sample)) {
    const begin = { time: sample.start, value: 0 };
    return { value: isSmoothed ? interpolate(before, begin, endMs, isCounter) : before.value, start: before.start };
  }
  if (isCounter && isResetBetween(before, sample)) {
    const begin = { time: sample.start, value: 0 };
    return { value: isSmoothed ? interpolate(begin, sample, endMs, isCounter) : 0, start };
  }
  return { value: isSmoothed ? interpolate(before, sample, endMs, isCounter) : before.value, start };
}

/** The value between two samples at a time; a counter that was reset in between began at zero with the later one. */
export function interpolate(before: TimedValue, after: TimedValue, timeMs: number, isCounter: boolean): number {
  const start = isCounter && after.value < before.value ? 0 : before.value;
  return start + ((after.value - start) * (timeMs - before.time)) / (after.time - before.time);
}

export interface TimedValue {
  readonly time: number;
  readonly value: number;
}
/**
 * What a range under `anchored` or `smoothed` is by itself: its samples, and values at both of its ends in place of those that lie
 * there. The window reaches beyond the range as for `extendedRate`.
 */
export function extendedRange(window: Window, isSmoothed: boolean): TimedValue[] {
  const { times, values } = window.series;
  const { startMs, endMs } = window;
  if (window.from === window.to) return [];
  const [first, last] = boundsOf(window, isSmoothed);
  if (times[last] <= startMs) return [];
  const reach: Reach = { window, isSmoothed, isCounter: false, startOf: () => 0, afterMs: 0 };
  const points = [{ time: startMs, value: leftEnd(reach, first).value }];
  const firstInside = times[first] <= startMs ? first + 1 : first;
  const lastInside = times[last] >= endMs ? last - 1 : last;
  for (let i = firstInside; i <= lastInside; i++) points.push({ time: times[i], value: values[i] });
  points.push({ time: endMs, value: rightEnd(reach, last).value });
  return points;
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
