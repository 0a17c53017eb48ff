import type { FilterComparison, FilterIntrinsic } from '@signalbox/api-contract';
import type { SqlParameters } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import { nanosPerSecond, partitionNanos, type TimeRange } from '../time-range.ts';
import { compareAttribute, compareJsonAttribute, compareText } from './compare.ts';
import { logIntrinsics, seriesIntrinsics, spanIntrinsics } from './intrinsic.ts';
import { filterError } from './read-filters.ts';

/** The tables that filters work on. */
export type FilteredTable = 'spans' | 'logs' | 'series';

/** A comparison, and in which of the scopes that it would try nobody has its key: see `prepareFilters`. */
export type PreparedFilter = FilterComparison & { readonly absentIn?: readonly ('resource' | 'event')[] };

const intrinsics = { spans: spanIntrinsics, logs: logIntrinsics, series: seriesIntrinsics };
const ownScope = { spans: 'span', logs: 'log', series: null } as const;

/**
 * The comparison as a condition on rows of the table. `range` bounds the resources that are looked at; it must contain
 * the rows' times. Throws `QueryInputError` for a scope, field or value that the table does not have.
 */
export function filterCondition(
  comparison: PreparedFilter,
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
  comparison: PreparedFilter,
  table: FilteredTable,
  parameters: SqlParameters,
  range: TimeRange,
): string {
  const existing = { ...comparison, operator: 'exists', value: null } as const;
  const own = (of: Compared): string => compareAttribute('attributes', parameters, of);
  const absentIn = comparison.absentIn ?? [];
  const scopes = [own];
  if (!absentIn.includes('resource')) scopes.push((of) => onResource(of, parameters, range));
  if (table === 'spans' && !absentIn.includes('event')) scopes.push((of) => onEvents(of, parameters));
  if (comparison.operator === 'exists' || comparison.operator === '!exists') {
    const anywhere = scopes.map((scope) => scope(existing)).join(' OR ');
    return `${comparison.operator === 'exists' ? '' : 'NOT '}(${anywhere})`;
  }
  // From the last scope to the first: what the later ones say counts only without the key in this one.
  return scopes.reduceRight(
    (later, scope) =>
      later === '' ? scope(comparison) : `(${scope(comparison)} OR (NOT ${scope(existing)} AND ${later}))`,
    '',
  );
}

/** Which of the scopes after the record's own hold the key at all, as SQL of a row of two `UInt8`. */
export function scopesOfKey(key: string, table: FilteredTable, parameters: SqlParameters, range: TimeRange): string {
  const existing: Compared = { key, operator: 'exists', value: null };
  const resource = `EXISTS(SELECT 1 FROM resources WHERE ${resourceCondition(existing, parameters, range)} LIMIT 1)`;
  const event = table === 'spans' ? spansHaveEventKey(existing, parameters, range) : '0';
  return `SELECT ${resource}, ${event}`;
}

function spansHaveEventKey(existing: Compared, parameters: SqlParameters, range: TimeRange): string {
  const inTime = isInTime(range, parameters);
  return `EXISTS(SELECT 1 FROM spans WHERE ${inTime} AND ${mayHaveEventKey(existing, parameters)} LIMIT 1)`;
}

/** Keys whose JSON text is the key itself between quotes. */
const plainKey = /^[\w.:/-]+$/;

/** True where an event has the key, and perhaps elsewhere: looking for a text is much less work than reading JSON. */
function mayHaveEventKey(existing: Compared, parameters: SqlParameters): string {
  if (exceptionColumns.has(existing.key) || !plainKey.test(existing.key)) return onEvents(existing, parameters);
  const quoted = parameters.string(JSON.stringify(existing.key));
  return `arrayExists(e -> position(e, ${quoted}) > 0, event_attributes)`;
}

type Compared = Pick<FilterComparison, 'key' | 'operator' | 'value'>;

function onResource(comparison: Compared, parameters: SqlParameters, range: TimeRange): string {
  const absent = comparison.operator === '!exists';
  const condition = resourceCondition(absent ? { ...comparison, operator: 'exists' } : comparison, parameters, range);
  return `(resource_id ${absent ? 'NOT IN' : 'IN'} (SELECT resource_id FROM resources WHERE ${condition}))`;
}

/** On rows of `resources`. A resource is noted once per 6 hours, with their start as its time. */
function resourceCondition(comparison: Compared, parameters: SqlParameters, range: TimeRange): string {
  const from = parameters.secondTime(((range.from / partitionNanos) * partitionNanos) / nanosPerSecond);
  const to = parameters.secondTime(range.to / nanosPerSecond);
  return `time >= ${from} AND time <= ${to} AND ${compareAttribute('resource', parameters, comparison)}`;
}

/** A Map, as keys come from outside: an object also answers to `constructor`. */
const exceptionColumns: ReadonlyMap<string, string> = new Map([
  ['exception.type', 'exception_type'],
  ['exception.message', 'exception_message'],
]);

function onEvents(comparison: Compared, parameters: SqlParameters): string {
  const { key, operator, value } = comparison;
  const column = exceptionColumns.get(key);
  if (column === undefined) {
    const list = 'arrayFlatten(arrayMap(e -> JSONExtractArrayRaw(e), event_attributes))';
    const condition = compareJsonAttribute(list, parameters, comparison);
    return operator === '!exists' ? condition : `(notEmpty(event_attributes) AND ${condition})`;
  }
  if (operator === '!exists') return `NOT arrayExists(x -> x != '', ${column})`;
  const text = compareText('x', parameters, operator, value);
  return `arrayExists(x -> x != '' AND ${text}, ${column})`;
}
