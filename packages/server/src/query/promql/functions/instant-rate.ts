import { detectReset } from '../histogram/counter-reset.ts';
import { type FloatHistogram, IncompatibleSchemaError } from '../histogram/float-histogram.ts';
import type { Window } from '../window.ts';
import type { RangeContext, RangeFunction } from './range-function.ts';
import { isStartTimeReset } from './start-times.ts';

export const irate: RangeFunction = (window, _, context) => lastDifference(window, context, true);
export const idelta: RangeFunction = (window, _, context) => lastDifference(window, context, false);

/** The difference of the last two samples; per second for a counter. */
function lastDifference(window: Window, context: RangeContext, isRate: boolean): number | FloatHistogram | undefined {
  if (window.length < 2) return undefined;
  const { annotations, place, metricName, usesStartTimes } = context;
  const { times } = window.series;
  const index = window.to - 1;
  const previous = window.at(index - 1);
  const last = window.at(index);
  const seconds = (times[index] - times[index - 1]) / 1000;
  if (seconds === 0) return undefined;
  const isMarkedReset = isRate && usesStartTimes && isStartTimeReset(window, index);
  if (typeof last === 'number' && typeof previous === 'number') {
    const difference = isRate && (last < previous || isMarkedReset) ? last : last - previous;
    return isRate ? difference / seconds : difference;
  }
  if (typeof last === 'number' || typeof previous === 'number') {
    annotations.mixedFloatsAndHistograms(metricName, place);
    return undefined;
  }
  const isGauge = last.resetHint === 'gauge' && previous.resetHint === 'gauge';
  if (isRate && (last.resetHint === 'gauge' || previous.resetHint === 'gauge'))
    annotations.notACounter(metricName, place);
  if (!isRate && !isGauge) annotations.notAGauge(metricName, place);
  const result = last.copy();
  if (!isRate || !(isMarkedReset || detectReset(last, previous))) {
    try {
      if (result.subtract(previous).boundsReconciled) annotations.boundsReconciled('subtraction', place);
    } catch (error) {
      if (!(error instanceof IncompatibleSchemaError)) throw error;
      annotations.mixedSchemas(metricName, place);
      return undefined;
    }
  }
  result.resetHint = 'gauge';
  result.compact();
  return isRate ? result.divide(seconds) : result;
}
