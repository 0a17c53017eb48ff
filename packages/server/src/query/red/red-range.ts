import type { SqlParameters } from '../sql-parameters.ts';
import { nanosPerMilli, type TimeRange } from '../time-range.ts';

/** `red` and `edges` count in buckets of this length. */
export const redBucketMs = 10_000;

/** A time range widened to whole buckets, and what of it has passed: the time that rates are over. */
export interface RedRange {
  readonly range: TimeRange;
  readonly fromMs: number;
  readonly toMs: number;
  readonly seconds: number;
}

export function redRange(range: TimeRange, nowMs: number): RedRange {
  const fromMs = Math.floor(Number(range.from / nanosPerMilli) / redBucketMs) * redBucketMs;
  const bucketsEnd = Math.ceil(Number(range.to / nanosPerMilli) / redBucketMs) * redBucketMs;
  const toMs = nowMs > fromMs ? Math.min(bucketsEnd, nowMs) : bucketsEnd;
  return {
    range: { from: BigInt(fromMs) * nanosPerMilli, to: BigInt(bucketsEnd) * nanosPerMilli },
    fromMs,
    toMs,
    seconds: Math.max(toMs - fromMs, 1_000) / 1000,
  };
}

/** Condition on the `time` of `red` and `edges`. */
export function inRedRange(parameters: SqlParameters, { range }: RedRange): string {
  const from = parameters.secondTime(range.from / 1_000_000_000n);
  const to = parameters.secondTime(range.to / 1_000_000_000n);
  return `time >= ${from} AND time < ${to}`;
}

/** Start of a row's step in ms since 1970, as `Int64` text. */
export function redStep(parameters: SqlParameters, stepMs: number): string {
  const step = parameters.int64(stepMs);
  return `intDiv(toInt64(toUnixTimestamp(time)) * 1000, ${step}) * ${step}`;
}

/** Figures of the rows of a group, as `RedCells`. `where`: which rows count, when not all of the group do. */
export function redColumns(where?: string): string {
  const sum = (column: string, condition?: string): string => {
    const conditions = [condition, where].filter((part) => part !== undefined);
    return conditions.length === 0 ? `sum(${column})` : `sumIf(${column}, ${conditions.join(' AND ')})`;
  };
  const suffix = where === undefined ? '' : 'If';
  const argument = where === undefined ? '' : `, ${where}`;
  return `${sum('count')}, ${sum('count', 'error = 1')}, ${sum('duration_sum')}, max${suffix}(duration_max${argument}), sumMap${suffix}(buckets${argument})`;
}
