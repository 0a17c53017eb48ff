import type { FieldValuesResponse } from '@signalbox/api-contract';
import { attributeExists, attributeText } from '../../store/clickhouse/attributes.ts';
import { type QueryContext, select } from '../query-context.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import { nanosPerSecond, partitionNanos, type TimeRange } from '../time-range.ts';

export interface FieldValuesRequest {
  readonly signal: 'spans' | 'logs';
  /** An attribute's key, with a scope in front or without, as in filters; or a field like `span:name`. */
  readonly key: string;
  readonly range: TimeRange;
  /** Of the value, any case; '' for all. */
  readonly prefix: string;
}

const maxValues = 100;
/** Rows with the key that values are taken from. */
const sampledRows = 500_000;
const sampledEventRows = 20_000;

/** Maps, as keys come from outside: an object also answers to `constructor`. */
const columns: Readonly<Record<FieldValuesRequest['signal'], ReadonlyMap<string, string>>> = {
  spans: new Map([
    ['span:name', 'name'],
    ['span:statusMessage', 'status_message'],
    ['scope:name', 'scope_name'],
    ['scope:version', 'scope_version'],
  ]),
  logs: new Map([
    ['log:event', 'event_name'],
    ['scope:name', 'scope_name'],
    ['scope:version', 'scope_version'],
  ]),
};

/** Values of an attribute in the range as text, most frequent first. Counts are of a bounded sample of rows. */
export async function listFieldValues(
  context: QueryContext,
  request: FieldValuesRequest,
): Promise<FieldValuesResponse> {
  const counts = new Map<string, number>();
  for (const statement of planFieldValues(request)) {
    for (const [value, count] of await select<[string, string]>(context, statement)) {
      counts.set(value, (counts.get(value) ?? 0) + Number(count));
    }
  }
  const frequentFirst = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return { values: frequentFirst.slice(0, maxValues).map(([value, count]) => ({ value, count })) };
}

/** A statement for each scope that the key may be in. */
export function planFieldValues(request: FieldValuesRequest): Statement[] {
  const { signal } = request;
  const column = columns[signal].get(request.key);
  if (column !== undefined) return [planColumn(request, column)];
  const [, scope, key = request.key] = /^(span|log|resource|event)\.(.+)$/.exec(request.key) ?? [];
  const own = signal === 'spans' ? 'span' : 'log';
  const statements: Statement[] = [];
  if (scope === undefined || scope === own) statements.push(planOwn(request, key));
  if (scope === undefined || scope === 'resource') statements.push(planResource(request, key));
  if (signal === 'spans' && (scope === undefined || scope === 'event')) statements.push(planEvent(request, key));
  return statements;
}

function planColumn({ signal, range, prefix }: FieldValuesRequest, column: string): Statement {
  const parameters = new SqlParameters();
  return planValues(
    parameters,
    prefix,
    `SELECT toString(${column}) AS value FROM ${signal} WHERE ${isInTime(range, parameters)} AND ${column} != '' LIMIT ${sampledRows}`,
  );
}

function planOwn({ signal, range, prefix }: FieldValuesRequest, key: string): Statement {
  const parameters = new SqlParameters();
  const k = parameters.string(key);
  return planValues(
    parameters,
    prefix,
    `SELECT ${attributeText('attributes', k)} AS value FROM ${signal} WHERE ${isInTime(range, parameters)} AND ${attributeExists('attributes', k)} LIMIT ${sampledRows}`,
  );
}

function planResource({ range, prefix }: FieldValuesRequest, key: string): Statement {
  const parameters = new SqlParameters();
  const k = parameters.string(key);
  const from = parameters.secondTime(((range.from / partitionNanos) * partitionNanos) / nanosPerSecond);
  const to = parameters.secondTime(range.to / nanosPerSecond);
  return planValues(
    parameters,
    prefix,
    `SELECT ${attributeText('resource', k)} AS value FROM resources WHERE time >= ${from} AND time <= ${to} AND ${attributeExists('resource', k)} LIMIT 1 BY resource_id`,
  );
}

function planEvent({ range, prefix }: FieldValuesRequest, key: string): Statement {
  const parameters = new SqlParameters();
  const member = `JSONExtractKeys(kv, 'value')[1]`;
  const raw = `JSONExtractRaw(JSONExtractRaw(kv, 'value'), ${member})`;
  return planValues(
    parameters,
    prefix,
    `SELECT if(${member} IN ('stringValue', 'intValue'), JSONExtractString(JSONExtractRaw(kv, 'value'), ${member}), ${raw}) AS value
FROM (
  SELECT arrayJoin(arrayFlatten(arrayMap(e -> JSONExtractArrayRaw(e), event_attributes))) AS kv
  FROM (SELECT event_attributes FROM spans WHERE ${isInTime(range, parameters)} AND notEmpty(event_attributes) LIMIT ${sampledEventRows})
)
WHERE JSONExtractString(kv, 'key') = ${parameters.string(key)}`,
  );
}

function planValues(parameters: SqlParameters, prefix: string, values: string): Statement {
  const condition = prefix === '' ? '' : `WHERE positionCaseInsensitiveUTF8(value, ${parameters.string(prefix)}) = 1\n`;
  return parameters.statement(
    `SELECT value, count() AS rows
FROM (${values})
${condition}GROUP BY value
ORDER BY rows DESC, value
LIMIT ${maxValues}`,
  );
}
