import type { SqlParameters } from './sql-parameters.ts';
import { nanosPerSecond, type TimeRange } from './time-range.ts';

/**
 * Whether a row of a table of points is of a time. Points lie by quarters of an hour, and the engine has to be told: it does not
 * know that the quarters of a `DateTime64` ascend as the times do, and would go through six hours of the metric for any moment.
 */
export function pointsInTime(parameters: SqlParameters, { from, to }: TimeRange): string {
  const [first, end] = [parameters.nanoTime(from), parameters.nanoTime(to)];
  const condition = `time >= ${first} AND time < ${end}`;
  // A quarter has 32 bits of seconds, and would begin anew.
  if (from < 0n || to >= endOfSeconds) return condition;
  return `${condition} AND indexHint(${quarter('time')} >= ${quarter(first)} AND ${quarter('time')} <= ${quarter(end)})`;
}

function quarter(time: string): string {
  return `toStartOfFifteenMinutes(${time})`;
}

const endOfSeconds = 2n ** 32n * nanosPerSecond;
