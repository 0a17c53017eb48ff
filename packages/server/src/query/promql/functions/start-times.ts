import type { Window } from '../window.ts';

/** Whether a counter began anew between samples `index - 1` and `index`, by what their start times say. */
export function isStartTimeReset(window: Window, index: number): boolean {
  const start = window.startTime(index);
  const { times } = window.series;
  const previousTime = times[index - 1];
  // Not set, after its sample, or OpenTelemetry's mark for an unknown start.
  if (start === 0 || start >= times[index]) return false;
  if (start !== previousTime) return start > previousTime;
  // It begins where the sample before ended: a delta, unless that sample's start is unknown.
  const previousStart = window.startTime(index - 1);
  return previousStart !== 0 && previousStart < previousTime;
}

/** Whether sample `index` began before the one before it ended, and is no continuation of it. */
export function startTimesOverlap(window: Window, index: number): boolean {
  const start = window.startTime(index);
  return start !== 0 && start < window.series.times[index - 1] && start !== window.startTime(index - 1);
}
