/** The times of an evaluation, in nanoseconds since 1970. */
export interface LogSteps {
  readonly startNs: bigint;
  readonly stepNs: bigint;
  readonly count: number;
}

/** Steps from `startNs` to `endNs` at most. */
export function logStepsBetween(startNs: bigint, endNs: bigint, stepNs: bigint): LogSteps {
  return { startNs, stepNs, count: endNs < startNs ? 0 : Number((endNs - startNs) / stepNs) + 1 };
}

/** The windows of a range aggregation, one before each step, open on the left: which of them a time belongs to. */
export class RangeWindows {
  readonly count: number;
  readonly intervalNs: number;
  readonly stepNs: number;
  readonly #originNs: bigint;
  readonly #steps: LogSteps;
  readonly #offsetNs: bigint;

  constructor(steps: LogSteps, intervalMs: number, offsetMs: number) {
    this.#steps = steps;
    this.#offsetNs = BigInt(Math.round(offsetMs * 1e6));
    this.#originNs = steps.startNs - this.#offsetNs;
    this.count = steps.count;
    this.intervalNs = intervalMs * 1e6;
    this.stepNs = Number(steps.stepNs);
  }

  /** The first time of any window. */
  get fromNs(): bigint {
    return this.#originNs - BigInt(this.intervalNs) + 1n;
  }

  /** The first time behind all windows. */
  get toNs(): bigint {
    const { startNs, stepNs, count } = this.#steps;
    return startNs + stepNs * BigInt(Math.max(count - 1, 0)) - this.#offsetNs + 1n;
  }

  /** Nanoseconds from the end of the first window, exact over a hundred days. */
  relative(timeNs: bigint): number {
    return Number(timeNs - this.#originNs);
  }

  /** The first window that a relative time is in. */
  first(relativeNs: number): number {
    return Math.max(Math.ceil(relativeNs / this.stepNs), 0);
  }

  /** The last window that a relative time is in; it is before the first when there is none. */
  last(relativeNs: number): number {
    return Math.min(Math.ceil((relativeNs + this.intervalNs) / this.stepNs) - 1, this.count - 1);
  }
}
