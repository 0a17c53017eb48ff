import type { HrTime } from '@opentelemetry/api';
import { addHrTimes } from '@opentelemetry/core';
import { wallClock } from '../wall-clock.ts';

const microsecond: HrTime = [0, 1_000];
let last: HrTime = [0, 0];

/**
 * The time by the clock of the spans, strictly increasing by at least a microsecond, so that a backend that sorts by time
 * shows records in the order they were written. A clock that is set back by more than a second is followed.
 */
export function nextLogTime(): HrTime {
  const now = wallClock.now();
  if (now[0] === last[0] && now[1] - last[1] >= 1_000) {
    last = now;
    return now;
  }
  const next = addHrTimes(last, microsecond);
  last = isBefore(now, next) && next[0] - now[0] <= 1 ? next : now;
  return last;
}

function isBefore(a: HrTime, b: HrTime): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}
