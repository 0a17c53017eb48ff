import type { HrTime } from '@opentelemetry/api';

let lastMillis = 0;
let sequence = 0;

/**
 * Wall-clock time, strictly increasing within the process: records of one millisecond get consecutive microseconds, so
 * that a backend that sorts by time shows them in the order they were written.
 */
export function nextLogTime(): HrTime {
  const now = Date.now();
  if (now > lastMillis) {
    lastMillis = now;
    sequence = 0;
  } else if (sequence < 999) {
    sequence += 1;
  } else {
    lastMillis += 1;
    sequence = 0;
  }
  return [Math.floor(lastMillis / 1000), (lastMillis % 1000) * 1_000_000 + sequence * 1000];
}
