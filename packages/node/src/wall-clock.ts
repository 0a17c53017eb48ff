import type { HrTime } from '@opentelemetry/api';
import { millisToHrTime } from '@opentelemetry/core';

/** How far behind and ahead of `Date.now()`, which cuts off the fraction of its millisecond, is still the same time. */
const mostBehindMillis = 1;
const mostAheadMillis = 2;
/** For so long after a comparison there is none: reading a clock takes as long as copying a few hundred bytes. */
const trustedMillis = 1;

/**
 * Wall-clock time in nanoseconds. `Date.now()` knows only milliseconds and `performance.now()` only what has passed, so
 * one is anchored to the other; anew when the system's clock was set or the machine slept.
 */
class WallClock {
  /** When `performance.now()` was 0. */
  #origin: HrTime = millisToHrTime(performance.timeOrigin);
  /** The same in milliseconds, which is good enough to compare with. */
  #originMillis = performance.timeOrigin;
  /** When they were compared, a reading of `performance.now()`. */
  #compared = Number.NEGATIVE_INFINITY;

  /**
   * The instant at which `performance.now()` was 0, as the system's clock sees it now. `reading` is one that has just been
   * taken of that clock.
   */
  origin(reading = performance.now()): HrTime {
    const since = reading - this.#compared;
    if (since >= 0 && since < trustedMillis) return this.#origin;
    this.#compared = reading;
    // A pause since then looks like a clock that was set forward.
    if (!this.#agrees(reading, Date.now())) this.#follow();
    return this.#origin;
  }

  now(): HrTime {
    const reading = performance.now();
    return hrTimeAfter(this.origin(reading), reading);
  }

  #agrees(reading: number, wall: number): boolean {
    const ahead = this.#originMillis + reading - wall;
    return ahead >= -mostBehindMillis && ahead <= mostAheadMillis;
  }

  #follow(): void {
    const before = performance.now();
    const wall = Date.now();
    const after = performance.now();
    // A pause between the readings is not a changed clock.
    if (after - before >= 0.5 || this.#agrees(before, wall)) return;
    // The middle of the millisecond that `wall` may be anywhere in.
    this.#originMillis = wall + 0.5 - before;
    this.#origin = millisToHrTime(this.#originMillis);
  }
}

/** What is `millis` later, to the nanosecond. */
export function hrTimeAfter(time: HrTime, millis: number): HrTime {
  const passed = Math.floor(millis / 1000);
  // Neither by `%`, which numbers that are not integers make slow, nor by taking `time` apart as a list, which iterates over it.
  const later = time[1] + Math.round((millis - passed * 1000) * 1_000_000);
  const whole = time[0] + passed;
  return later < 1_000_000_000 ? [whole, later] : [whole + 1, later - 1_000_000_000];
}

export const wallClock = new WallClock();
