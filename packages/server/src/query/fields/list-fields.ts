import type { FieldsResponse } from '@signalbox/api-contract';
import { attributeKeyTypes } from '../../store/clickhouse/attributes.ts';
import { type QueryContext, select } from '../query-context.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import { nanosPerSecond, partitionNanos, type TimeRange } from '../time-range.ts';

export interface FieldsRequest {
  readonly signal: 'spans' | 'logs';
  readonly range: TimeRange;
  /** Of the key, any case; '' for all. */
  readonly prefix: string;
}

type Scope = FieldsResponse['fields'][number]['scope'];
type FieldType = FieldsResponse['fields'][number]['types'][number];

const maxFields = 500;
/** Rows that keys are taken from: completion must be quick, and need not be complete. */
const sampledRows = 200_000;
const sampledEventRows = 20_000;

/** Attribute keys in the range, most frequent first. Counts are of a bounded sample of rows, for resources of resources. */
export async function listFields(context: QueryContext, request: FieldsRequest): Promise<FieldsResponse> {
  const own: Scope = request.signal === 'spans' ? 'span' : 'log';
  const plans: [Scope, Statement][] = [
    [own, planOwnFields(request)],
    ['resource', planResourceFields(request)],
  ];
  if (request.signal === 'spans') plans.push(['event', planEventFields(request)]);
  const fields = new Map<string, FieldsResponse['fields'][number]>();
  for (const [scope, statement] of plans) {
    for (const [key, type, count] of await select<[string, FieldType, string]>(context, statement)) {
      const name = `${scope} ${key}`;
      const field = fields.get(name) ?? { key, scope, types: [], count: 0 };
      fields.set(name, field);
      field.types.push(type);
      field.count += Number(count);
    }
  }
  const frequentFirst = [...fields.values()].sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1));
  return { fields: frequentFirst.slice(0, maxFields) };
}

export function planOwnFields({ signal, range, prefix }: FieldsRequest): Statement {
  const parameters = new SqlParameters();
  return planKeys(
    parameters,
    prefix,
    `SELECT arrayJoin(${attributeKeyTypes('attributes')}) AS field FROM (
  SELECT * FROM ${signal} WHERE ${isInTime(range, parameters)} LIMIT ${sampledRows}
)`,
  );
}

export function planResourceFields({ range, prefix }: FieldsRequest): Statement {
  const parameters = new SqlParameters();
  const from = parameters.secondTime(((range.from / partitionNanos) * partitionNanos) / nanosPerSecond);
  const to = parameters.secondTime(range.to / nanosPerSecond);
  return planKeys(
    parameters,
    prefix,
    `SELECT arrayJoin(${attributeKeyTypes('resource')}) AS field FROM (SELECT * FROM resources WHERE time >= ${from} AND time <= ${to} LIMIT 1 BY resource_id)`,
  );
}

export function planEventFields({ range, prefix }: FieldsRequest): Statement {
  const parameters = new SqlParameters();
  return planKeys(
    parameters,
    prefix,
    `SELECT (JSONExtractString(kv, 'key'), multiIf(JSONHas(kv, 'value', 'stringValue'), 'string', JSONHas(kv, 'value', 'intValue'), 'int', JSONHas(kv, 'value', 'doubleValue'), 'double', JSONHas(kv, 'value', 'boolValue'), 'bool', 'other')) AS field
FROM (
  SELECT arrayJoin(arrayFlatten(arrayMap(e -> JSONExtractArrayRaw(e), event_attributes))) AS kv FROM (
    SELECT event_attributes FROM spans
    WHERE ${isInTime(range, parameters)} AND notEmpty(event_attributes)
    LIMIT ${sampledEventRows}
  )
)`,
  );
}

function planKeys(parameters: SqlParameters, prefix: string, fields: string): Statement {
  const condition = prefix === '' ? '' : `WHERE positionCaseInsensitiveUTF8(key, ${parameters.string(prefix)}) = 1\n`;
  return parameters.statement(
    `SELECT field.1 AS key, field.2 AS type, count() AS rows
FROM (${fields})
${condition}GROUP BY key, type
ORDER BY rows DESC, key, type
LIMIT ${maxFields}`,
  );
}
