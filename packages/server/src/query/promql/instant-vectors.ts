import type { VectorSelector } from '@signalbox/query-language';
import type { Budget, Evaluation } from './evaluation.ts';
import { interpolate, interpolateHistograms } from './functions/extended-rate.ts';
import { IncompatibleSchemaError } from './histogram/float-histogram.ts';
import type { RawSeries } from './queryable.ts';
import { StepSeries, type StepVector } from './step-vector.ts';
import { timeOf } from './steps.ts';
import { withoutStale } from './window.ts';

/** What of the last sample is wanted. */
export type SampleField = 'value' | 'time' | 'start';

/** The time at which a selector looks for samples at a step. */
export function lookupTime({ at, offsetMs }: VectorSelector, evaluation: Evaluation, step: number): number {
  return (typeof at === 'number' ? at : timeOf(evaluation.steps, step)) - offsetMs;
}

/**
 * The last sample of each series before each step, unless it is older than the lookback or the series ended. `field` chooses
 * its value, or its time or start time in seconds.
 */
export async function instantVectors(
  selector: VectorSelector,
  field: SampleField,
  evaluation: Evaluation,
  budget: Budget,
): Promise<StepVector> {
  const all = evaluation.selected.get(selector) ?? [];
  const vector: StepVector = [];
  for (const series of all) {
    const result = new StepSeries(series.labels, evaluation.steps.count);
    if (selector.extended === 'smoothed') smooth(series, result, selector, evaluation);
    else pickLast(series, result, selector, field, evaluation);
    const count = result.valueCount;
    if (count > 0) {
      budget.take(count);
      vector.push(result);
    }
    if (budget.isTired) await budget.rest();
  }
  return vector;
}

function pickLast(
  series: RawSeries,
  result: StepSeries,
  selector: VectorSelector,
  field: SampleField,
  evaluation: Evaluation,
): void {
  const { times, values, histograms, stale, startTimes } = series;
  const { count } = evaluation.steps;
  let at = -1;
  for (let step = 0; step < count; step++) {
    const time = lookupTime(selector, evaluation, step);
    while (at + 1 < times.length && times[at + 1] <= time) at++;
    if (at < 0 || times[at] <= time - evaluation.lookbackMs || stale?.[at] === 1) continue;
    if (field === 'time') result.setFloat(step, times[at] / 1000);
    else if (field === 'start') {
      if (startTimes) result.setFloat(step, startTimes[at] / 1000);
    } else {
      const histogram = histograms?.[at];
      if (histogram) result.setHistogram(step, histogram);
      else result.setFloat(step, values[at]);
    }
  }
}

/** Values between samples are interpolated; after the last one it goes on for the lookback. */
function smooth(given: RawSeries, result: StepSeries, selector: VectorSelector, evaluation: Evaluation): void {
  const series = withoutStale(given);
  const { times, values, histograms } = series;
  const { annotations, lookbackMs, steps } = evaluation;
  const { metricName } = series.labels;
  const place = selector.range;
  for (let step = 0; step < steps.count; step++) {
    const time = lookupTime(selector, evaluation, step);
    let from = 0;
    while (from < times.length && times[from] <= time - lookbackMs) from++;
    let to = from;
    while (to < times.length && times[to] <= time + lookbackMs) to++;
    if (from === to) continue;
    const kinds = new Set(Array.from({ length: to - from }, (_, i) => histograms?.[from + i] !== undefined));
    if (kinds.size > 1) {
      annotations.mixedFloatsAndHistograms(metricName, place);
      continue;
    }
    let next = from;
    while (next < to && times[next] < time) next++;
    const after = next < to ? next : -1;
    if (after >= 0 && times[after] === time) result.set(step, histograms?.[after]?.copy() ?? values[after]);
    else if (next > from && after >= 0) {
      const [before, later] = [histograms?.[next - 1], histograms?.[after]];
      if (!before || !later) {
        const [left, right] = [next - 1, after].map((index) => ({ time: times[index], value: values[index] }));
        result.setFloat(step, interpolate(left, right, time, false));
      } else if (before.hasCustomBuckets !== later.hasCustomBuckets) annotations.mixedSchemas(metricName, place);
      else {
        const isCounter = before.resetHint !== 'gauge' || later.resetHint !== 'gauge';
        try {
          const from = { time: times[next - 1], histogram: before };
          const to = { time: times[after], histogram: later };
          result.setHistogram(step, interpolateHistograms(from, to, time, isCounter, { annotations, place }));
        } catch (error) {
          if (!(error instanceof IncompatibleSchemaError)) throw error;
          annotations.mixedSchemas(metricName, place);
        }
      }
    } else if (next > from) {
      const before = histograms?.[next - 1]?.copy();
      if (before) before.resetHint = 'unknown';
      result.set(step, before ?? values[next - 1]);
    }
  }
}
