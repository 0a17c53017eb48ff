import type { traceql } from '@signalbox/query-language';
import type { SqlParameters } from '../../sql-parameters.ts';
import { isInTime } from '../../time-condition.ts';
import { nanosPerSecond, partitionNanos, type TimeRange } from '../../time-range.ts';
import { spanCondition } from '../span-condition.ts';

/** On rows of `spans`: what completion's query asks of them, or more of them where only the whole trace would tell. '1': nothing. */
export function filterCondition(
  filter: traceql.FieldExpr | undefined,
  range: TimeRange,
  parameters: SqlParameters,
): string {
  return filter === undefined
    ? '1'
    : spanCondition(filter, { parameters, range, places: new Map(), followsRoots: true }).sql;
}

/** On rows of `resources`: those of the range, or those that spans have which fulfil a condition. */
export function resourcesIn(range: TimeRange, condition: string, parameters: SqlParameters): string {
  const from = parameters.secondTime(((range.from / partitionNanos) * partitionNanos) / nanosPerSecond);
  const inParts = `time >= ${from} AND time <= ${parameters.secondTime(range.to / nanosPerSecond)}`;
  if (condition === '1') return inParts;
  return `${inParts} AND resource_id IN (SELECT resource_id FROM spans WHERE ${isInTime(range, parameters)} AND ${condition})`;
}
