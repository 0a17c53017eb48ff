import type { Window } from '../window.ts';

/** A sample's time and its start time, in ms; a start of 0 is not known. */
export interface Started {
  readonly time: number;
  readonly start: number;
}

/** Whether a counter began anew between two samples, by what their start times say. */
export function isResetBetween(previous: Started, current: Started): boolean {
  // The same counter, not set, after its sample, or OpenTelemetry's mark for an unknown start.
  if (current.start === previous.start || current.start === 0 || current.start >= current.time) return false;
  if (current.start !== previous.time) return current.start > previous.time;
  // It begins where the sample before ended: a delta, unless that sample's start is unknown.
  return previous.start !== 0 && previous.start < previous.time;
}

/** Whether a counter began between a time and a sample after it. */
export function isResetAfter(timeMs: number, sample: Started): boolean {
  return sample.start !== 0 && sample.start > timeMs && sample.time > timeMs && sample.start < sample.time;
}

/** Whether a counter began anew between samples `index - 1` and `index`. */
export function isStartTimeReset(window: Window, index: number): boolean {
  return isResetBetween(startedAt(window, index - 1), startedAt(window, index));
}

/** Whether sample `index` began before the one before it ended, and is no continuation of it. */
export function startTimesOverlap(window: Window, index: number): boolean {
  const start = window.startTime(index);
  return start !== 0 && start < window.series.times[index - 1] && start !== window.startTime(index - 1);
}

export function startedAt(window: Window, index: number): Started {
  return { time: window.series.times[index], start: window.startTime(index) };
}
