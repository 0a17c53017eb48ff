import type { HrTime } from '@opentelemetry/api';
import { addHrTimes, millisToHrTime } from '@opentelemetry/core';

/** How far behind and ahead of `Date.now()`, which cuts off the fraction of its millisecond, is still the same time. */
const mostBehindMillis = 1;
const mostAheadMillis = 2;

/**
 * Wall-clock time in nanoseconds. `Date.now()` knows only milliseconds and `performance.now()` only what has passed, so
 * one is anchored to the other; anew when the system's clock was set or the machine slept.
 */
class WallClock {
  /** When `performance.now()` was 0. */
  #origin: HrTime = millisToHrTime(performance.timeOrigin);

  /** The instant at which `performance.now()` was 0, as the system's clock sees it now. */
  origin(): HrTime {
    const before = performance.now();
    const wall = Date.now();
    const after = performance.now();
    // A pause between the readings is not a changed clock.
    if (after - before < 0.5) {
      const [seconds, nanos] = this.#at(before);
      const ahead = seconds * 1000 + nanos / 1e6 - wall;
      // The middle of the millisecond that `wall` may be anywhere in.
      if (ahead < -mostBehindMillis || ahead > mostAheadMillis) this.#origin = millisToHrTime(wall + 0.5 - before);
    }
    return this.#origin;
  }

  now(): HrTime {
    return addHrTimes(this.origin(), millisToHrTime(performance.now()));
  }

  #at(monotonicMillis: number): HrTime {
    return addHrTimes(this.#origin, millisToHrTime(monotonicMillis));
  }
}

export const wallClock = new WallClock();
