/** The times at which an expression is evaluated, in ms since 1970. */
export interface Steps {
  readonly startMs: number;
  readonly stepMs: number;
  readonly count: number;
}

export function timeOf({ startMs, stepMs }: Steps, step: number): number {
  return startMs + step * stepMs;
}

export function endOf(steps: Steps): number {
  return timeOf(steps, steps.count - 1);
}

/** Steps from `startMs` to `endMs` at most; none when the end is before the start. */
export function stepsBetween(startMs: number, endMs: number, stepMs: number): Steps {
  return { startMs, stepMs, count: endMs < startMs ? 0 : Math.floor((endMs - startMs) / stepMs) + 1 };
}
