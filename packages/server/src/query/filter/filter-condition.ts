import type { FilterComparison, FilterIntrinsic } from '@signalbox/api-contract';
import type { SqlParameters } from '../sql-parameters.ts';
import { nanosPerSecond, partitionNanos, type TimeRange } from '../time-range.ts';
import { compareAttribute, compareJsonAttribute, compareText } from './compare.ts';
import { logIntrinsics, seriesIntrinsics, spanIntrinsics } from './intrinsic.ts';
import { filterError } from './read-filters.ts';

/** The tables that filters work on. */
export type FilteredTable = 'spans' | 'logs' | 'series';

const intrinsics = { spans: spanIntrinsics, logs: logIntrinsics, series: seriesIntrinsics };
const ownScope = { spans: 'span', logs: 'log', series: null } as const;

/**
 * The comparison as a condition on rows of the table. `range` bounds the resources that are looked at; it must contain
 * the rows' times. Throws `QueryInputError` for a scope, field or value that the table does not have.
 */
export function filterCondition(
  comparison: FilterComparison,
  table: FilteredTable,
  parameters: SqlParameters,
  range: TimeRange,
): string {
  const { scope, key } = comparison;
  if (comparison.intrinsic) {
    const planner = intrinsics[table][key as FilterIntrinsic];
    if (planner === undefined) {
      throw filterError(
        comparison,
        'key',
        `${tableWords[table]} have no ${key}`,
        `They have ${Object.keys(intrinsics[table]).join(', ')}.`,
      );
    }
    return planner(comparison, parameters);
  }
  if (scope === 'resource') return onResource(comparison, parameters, range);
  if (scope === 'scope') {
    return compareJsonAttribute('JSONExtractArrayRaw(scope_attributes)', parameters, comparison);
  }
  if (scope === 'event' && table === 'spans') return onEvents(comparison, parameters);
  if (scope !== null && scope !== ownScope[table]) {
    throw filterError(comparison, 'key', `${tableWords[table]} have no ${scope} attributes`);
  }
  if (scope !== null) return compareAttribute('attributes', parameters, comparison);
  return inAnyScope(comparison, table, parameters, range);
}

const tableWords: Readonly<Record<FilteredTable, string>> = { spans: 'Spans', logs: 'Log records', series: 'Metrics' };

/** The first scope that has the key decides: the record's own, the resource's, the events'. */
function inAnyScope(
  comparison: FilterComparison,
  table: FilteredTable,
  parameters: SqlParameters,
  range: TimeRange,
): string {
  const existing = { ...comparison, operator: 'exists', value: null } as const;
  const ownExists = compareAttribute('attributes', parameters, existing);
  const resourceExists = onResource(existing, parameters, range);
  if (comparison.operator === 'exists' || comparison.operator === '!exists') {
    const anywhere = [ownExists, resourceExists, ...(table === 'spans' ? [onEvents(existing, parameters)] : [])];
    return `${comparison.operator === 'exists' ? '' : 'NOT '}(${anywhere.join(' OR ')})`;
  }
  const own = compareAttribute('attributes', parameters, comparison);
  const resource = onResource(comparison, parameters, range);
  const events = table === 'spans' ? ` OR (NOT ${resourceExists} AND ${onEvents(comparison, parameters)})` : '';
  return `(${own} OR (NOT ${ownExists} AND (${resource}${events})))`;
}

function onResource(
  comparison: Pick<FilterComparison, 'key' | 'operator' | 'value'>,
  parameters: SqlParameters,
  range: TimeRange,
): string {
  // A resource is noted once per 6 hours, with their start as its time.
  const from = parameters.secondTime(((range.from / partitionNanos) * partitionNanos) / nanosPerSecond);
  const to = parameters.secondTime(range.to / nanosPerSecond);
  const absent = comparison.operator === '!exists';
  const condition = compareAttribute(
    'resource',
    parameters,
    absent ? { ...comparison, operator: 'exists' } : comparison,
  );
  return `(resource_id ${absent ? 'NOT IN' : 'IN'} (SELECT resource_id FROM resources WHERE time >= ${from} AND time <= ${to} AND ${condition}))`;
}

const exceptionColumns: Readonly<Record<string, string>> = {
  'exception.type': 'exception_type',
  'exception.message': 'exception_message',
};

function onEvents(comparison: Pick<FilterComparison, 'key' | 'operator' | 'value'>, parameters: SqlParameters): string {
  const { key, operator, value } = comparison;
  const column = exceptionColumns[key];
  if (column === undefined) {
    const list = 'arrayFlatten(arrayMap(e -> JSONExtractArrayRaw(e), event_attributes))';
    const condition = compareJsonAttribute(list, parameters, comparison);
    return operator === '!exists' ? condition : `(notEmpty(event_attributes) AND ${condition})`;
  }
  if (operator === '!exists') return `NOT arrayExists(x -> x != '', ${column})`;
  const text = compareText('x', parameters, operator, value);
  return `arrayExists(x -> x != '' AND ${text}, ${column})`;
}
