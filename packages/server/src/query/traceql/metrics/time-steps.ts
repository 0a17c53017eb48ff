import { nanosPerSecond, type TimeRange } from '../../time-range.ts';

/** Steps of a query of series, in nanoseconds since 1970. A step's spans begin in `(start, start + step]`, its time is its end. */
export interface TimeSteps {
  readonly start: bigint;
  readonly step: bigint;
  readonly count: number;
}

/** Steps that lie on multiples of the step and cover the range. An instant query has one, which is the range. */
export function alignedSteps({ from, to }: TimeRange, step: bigint): TimeSteps {
  const start = from - (from % step);
  const end = to % step === 0n ? to : to + step - (to % step);
  return { start, step, count: Math.max(1, Number((end - start) / step)) };
}

export function endOf({ start, step, count }: TimeSteps): bigint {
  return start + step * BigInt(count);
}

/** -1: outside of all steps. */
export function stepOf({ start, step, count }: TimeSteps, time: bigint): number {
  if (time <= start) return -1;
  const index = Number((time - start - 1n) / step);
  return index < count ? index : -1;
}

/** Milliseconds since 1970. */
export function timeOf({ start, step }: TimeSteps, index: number): number {
  return Number((start + step * BigInt(index + 1)) / 1_000_000n);
}

const second = nanosPerSecond;
const GRANULARITIES = [3_600n, 300n, 60n, 15n, 5n, 1n].map((seconds) => seconds * second);
const POINTS = 240n;

/** A step for about 240 points, in round numbers. */
export function defaultStep({ from, to }: TimeRange): bigint {
  const ideal = (to - from) / POINTS;
  if (to - from < 60n * second) {
    const least = second / 20n;
    return ideal > least ? ideal - (ideal % least) : least;
  }
  const granularity = GRANULARITIES.find((candidate) => ideal > candidate);
  return granularity === undefined ? second : ideal - (ideal % granularity);
}
