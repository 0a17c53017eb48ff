import type { SqlParameters } from './sql-parameters.ts';
import { nanosPerSecond, type TimeRange } from './time-range.ts';

/** Start of the bucket that a row's time is in, as the tables' orders begin with it. */
const BUCKETS = {
  /** `spans` and `logs`. */
  fiveMinutes: { sql: 'toStartOfFiveMinutes(time)', seconds: 300n },
  /** Tables of points, behind the metric's name. */
  quarter: { sql: 'toStartOfFifteenMinutes(time)', seconds: 900n },
} as const;

/** Buckets are `DateTime`, which ends in 2106; later ones begin again in 1970. */
const lastSecond = 4_294_967_295n;

/**
 * SQL that is true of rows whose `time` is in the range. Of the bucket that stands first in the table's order the engine does not see
 * that it follows from the time, as the time itself is part of the order, too: without the hint it would look at all granules of a
 * partition. The hint is not evaluated for rows.
 */
export function isInTime(
  { from, to }: TimeRange,
  parameters: SqlParameters,
  bucket: keyof typeof BUCKETS = 'fiveMinutes',
): string {
  const inTime = `time >= ${parameters.nanoTime(from)} AND time < ${parameters.nanoTime(to)}`;
  const { sql, seconds } = BUCKETS[bucket];
  if (from < 0n || to <= from || to / nanosPerSecond >= lastSecond) return inTime;
  const startOf = (time: bigint): string => parameters.secondTime((time / nanosPerSecond / seconds) * seconds);
  return `${inTime} AND indexHint(${sql} >= ${startOf(from)} AND ${sql} <= ${startOf(to - 1n)})`;
}
