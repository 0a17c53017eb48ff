import { redBucketMs } from '../../red/red-range.ts';
import { type Samples, sumsBeginAt } from '../delta-to-cumulative.ts';

/** A series stays for this long after its last span, then it has ended: as long as Tempo's metrics generator holds it. */
export const holdMs = 900_000;

/** While nothing happens a sample comes this often, so that any `rate` finds two. */
const idleIntervalMs = 60_000;

/** From where rows must be read so that the samples from `fromMs` on are whole. */
export function countingBeginsAt(fromMs: number): number {
  return sumsBeginAt(fromMs - holdMs);
}

/**
 * A counter of what was counted in tens of seconds.
 *
 * What a row counts is there when its ten seconds are over. Sums begin anew every six hours, as those of delta temporality do and for the
 * same reason: a sample's value does not depend on who asks.
 *
 * @param starts beginnings of the tens of seconds, in ms since 1970, ascending
 * @param increments what was counted in each
 * @param untilMs no sample is later
 */
export function heldCounter(starts: readonly number[], increments: readonly number[], untilMs: number): Samples {
  const counter = new HeldCounter(untilMs);
  for (const [index, start] of starts.entries()) counter.count(start, increments[index] ?? 0);
  return counter.end();
}

class HeldCounter {
  readonly #untilMs: number;
  readonly #times: number[] = [];
  readonly #values: number[] = [];
  readonly #stale: number[] = [];
  #period = Number.NaN;
  #sum = 0;
  #lastActive = Number.NEGATIVE_INFINITY;

  constructor(untilMs: number) {
    this.#untilMs = untilMs;
  }

  count(start: number, increment: number): void {
    if (start > this.#untilMs) return;
    const end = start + redBucketMs;
    this.#hold(start);
    const begin = sumsBeginAt(end);
    if (begin !== this.#period) {
      this.#period = begin;
      this.#sum = 0;
      this.#add(Math.max(start, this.#lastTime + 1), 0);
    } else if (this.#lastTime < start) this.#add(start, this.#sum);
    this.#sum += increment;
    this.#lastActive = end;
    if (end <= this.#untilMs) this.#add(end, this.#sum);
  }

  end(): Samples {
    this.#hold(Number.POSITIVE_INFINITY);
    const times = Float64Array.from(this.#times);
    const stale = this.#stale.length === 0 ? undefined : new Uint8Array(times.length);
    for (const index of this.#stale) if (stale !== undefined) stale[index] = 1;
    return { times, values: Float64Array.from(this.#values), stale };
  }

  /** Goes on as it was, until something is counted again at `next` or it has been held for long enough. */
  #hold(next: number): void {
    if (this.#times.length === 0) return;
    const ends = this.#lastActive + holdMs;
    for (let time = this.#lastActive + idleIntervalMs; time < Math.min(ends, next); time += idleIntervalMs) {
      if (time > this.#untilMs) return;
      this.#add(time, this.#sum);
    }
    if (ends >= next || ends > this.#untilMs) return;
    this.#stale.push(this.#times.length);
    this.#add(ends, this.#sum);
  }

  get #lastTime(): number {
    return this.#times.at(-1) ?? Number.NEGATIVE_INFINITY;
  }

  #add(time: number, value: number): void {
    this.#times.push(time);
    this.#values.push(value);
  }
}
