import type { FilterComparison } from '@signalbox/api-contract';
import { attributeText } from '../../store/clickhouse/attributes.ts';
import { filterCondition } from '../filter/filter-condition.ts';
import { shownService } from '../service-name.ts';
import type { SqlParameters } from '../sql-parameters.ts';
import { nanosPerSecond, partitionNanos, type TimeRange } from '../time-range.ts';

/** Condition on the `time` of `series`: the 6 hours that the range touches. */
export function seriesInRange(parameters: SqlParameters, range: TimeRange): string {
  const from = parameters.secondTime(((range.from / partitionNanos) * partitionNanos) / nanosPerSecond);
  return `time >= ${from} AND time <= ${parameters.secondTime(range.to / nanosPerSecond)}`;
}

export interface SeriesSelection {
  readonly name: string;
  /** Number of the type; undefined: any. */
  readonly type?: number | undefined;
  readonly filters: readonly FilterComparison[];
  readonly range: TimeRange;
}

/** Whether a row of `series` is of the metric and matches. */
export function seriesCondition(selection: SeriesSelection, parameters: SqlParameters): string {
  const conditions = [`metric_name = ${parameters.string(selection.name)}`, seriesInRange(parameters, selection.range)];
  if (selection.type !== undefined) conditions.push(`type = ${parameters.uint32(selection.type)}`);
  for (const filter of selection.filters) {
    conditions.push(filterCondition(filter, 'series', parameters, selection.range));
  }
  return conditions.join(' AND ');
}

/** The key that stands for the service among a metric's labels. */
export const serviceLabel = 'service.name';

/** A label of a row of `series` as text; '' when it has none. */
export function labelText(parameters: SqlParameters, key: string): string {
  return key === serviceLabel ? `toString(${shownService()})` : attributeText('attributes', parameters.string(key));
}
