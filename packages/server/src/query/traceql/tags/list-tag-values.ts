import { elementsOf, KINDS, printStatic, STATUSES, type Static, type traceql } from '@signalbox/query-language';
import { attributeTagged } from '../../../store/clickhouse/attributes.ts';
import { type QueryContext, select } from '../../query-context.ts';
import { spanKinds, statusCodes } from '../../span-codes.ts';
import { SqlParameters } from '../../sql-parameters.ts';
import { isInTime } from '../../time-condition.ts';
import type { TimeRange } from '../../time-range.ts';
import { isRoot } from '../../traces/trace-search-request.ts';
import { mayHold } from '../json-keys.ts';
import { staticOfAnyValue, staticOfTagged } from '../static-values.ts';
import { filterCondition, resourcesIn } from './tag-conditions.ts';

export interface TagValuesRequest {
  readonly field: traceql.Field;
  readonly range: TimeRange;
  readonly filter: traceql.FieldExpr | undefined;
  readonly limit: number;
}

/** A value as it stands in a query; `keyword` without quotes. */
export interface TagValue {
  readonly type: 'string' | 'int' | 'float' | 'bool' | 'duration' | 'keyword';
  readonly value: string;
}

const sampledJsonRows = 50_000;

const KEYWORDS: Readonly<Record<string, readonly string[]>> = { status: STATUSES, kind: KINDS };
/** Columns of the keywords, whose numbers are places in these lists. */
const CODES: Readonly<Record<string, { readonly column: string; readonly names: readonly string[] }>> = {
  status: { column: 'status_code', names: statusCodes },
  kind: { column: 'kind', names: spanKinds },
};
const TEXT_COLUMNS: Readonly<Record<string, string>> = {
  name: 'name',
  statusMessage: 'status_message',
  'instrumentation:name': 'scope_name',
  'instrumentation:version': 'scope_version',
};

/** Values of a field in the range, the first of them by order. Of ids and durations there are none worth telling. */
export async function listTagValues(context: QueryContext, request: TagValuesRequest): Promise<TagValue[]> {
  const { field } = request;
  if (field.kind === 'intrinsic') return await intrinsicValues(context, request, field.name);
  const values = new Map<string, TagValue>();
  for (const scope of field.scope === 'none' ? (['span', 'resource', 'instrumentation'] as const) : [field.scope]) {
    for (const value of await attributeValues(context, request, scope, field.name)) {
      for (const shown of tagValuesOf(value)) values.set(`${shown.type} ${shown.value}`, shown);
    }
  }
  return [...values.values()]
    .sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0))
    .slice(0, request.limit);
}

async function intrinsicValues(
  context: QueryContext,
  request: TagValuesRequest,
  name: traceql.IntrinsicField['name'],
): Promise<TagValue[]> {
  const keywords = KEYWORDS[name];
  if (keywords !== undefined) {
    const found = await codesIn(context, request, name);
    return keywords.filter((word) => found?.has(word) ?? true).map((value) => ({ type: 'keyword', value }));
  }
  const column = TEXT_COLUMNS[name];
  if (column !== undefined) return await texts(context, request, column);
  if (name === 'rootName') return await rootTexts(context, request, 'name');
  if (name === 'rootServiceName') return await rootTexts(context, request, 'service');
  if (name === 'event:name') return await texts(context, request, 'arrayJoin(event_name)', 'notEmpty(event_name)');
  return [];
}

/** Keywords that the filter leaves; undefined: there is no filter, all may be there. */
async function codesIn(
  context: QueryContext,
  { filter, range }: TagValuesRequest,
  name: string,
): Promise<ReadonlySet<string> | undefined> {
  const code = CODES[name];
  if (filter === undefined || code === undefined) return undefined;
  const parameters = new SqlParameters();
  const condition = filterCondition(filter, range, parameters);
  const sql = `SELECT DISTINCT ${code.column} FROM spans WHERE ${isInTime(range, parameters)} AND ${condition}`;
  const rows = await select<[number]>(context, parameters.statement(sql));
  return new Set(rows.map(([number]) => (code.names[number] ?? '').toLowerCase()));
}

async function texts(context: QueryContext, request: TagValuesRequest, sql: string, where = '1'): Promise<TagValue[]> {
  const parameters = new SqlParameters();
  const condition = filterCondition(request.filter, request.range, parameters);
  return await distinctTexts(context, request, parameters, sql, `${where} AND ${condition}`);
}

/** Of the roots of traces in which a span is that the filter leaves. */
async function rootTexts(context: QueryContext, request: TagValuesRequest, column: string): Promise<TagValue[]> {
  const { filter, range } = request;
  const parameters = new SqlParameters();
  const condition = filterCondition(filter, range, parameters);
  const matching = `SELECT trace_id FROM spans WHERE ${isInTime(range, parameters)} AND ${condition}`;
  const where = condition === '1' ? isRoot : `${isRoot} AND trace_id IN (${matching})`;
  return await distinctTexts(context, request, parameters, column, where);
}

async function distinctTexts(
  context: QueryContext,
  { range, limit }: TagValuesRequest,
  parameters: SqlParameters,
  sql: string,
  where: string,
): Promise<TagValue[]> {
  const rows = await select<[string]>(
    context,
    parameters.statement(
      `SELECT DISTINCT ${sql} AS value FROM spans
WHERE ${isInTime(range, parameters)} AND ${where}
ORDER BY value
LIMIT ${parameters.uint32(limit)}`,
    ),
  );
  return rows.flatMap(([value]) => (value === '' ? [] : [{ type: 'string' as const, value }]));
}

async function attributeValues(
  context: QueryContext,
  request: TagValuesRequest,
  scope: Exclude<traceql.AttributeScope, 'none'>,
  name: string,
): Promise<Static[]> {
  const parameters = new SqlParameters();
  const { range } = request;
  const inTime = isInTime(range, parameters);
  const condition = filterCondition(request.filter, range, parameters);
  const limit = parameters.uint32(request.limit);
  if (scope === 'resource' || scope === 'span') {
    const tagged = attributeTagged(scope === 'span' ? 'attributes' : 'resource', parameters.string(name));
    const from =
      scope === 'span'
        ? `spans WHERE ${inTime} AND ${condition}`
        : `resources WHERE ${resourcesIn(range, condition, parameters)}`;
    const sql = `SELECT DISTINCT ${tagged} AS value FROM ${from} AND value != '' ORDER BY value LIMIT ${limit}`;
    return (await select<[string]>(context, parameters.statement(sql))).map(([cell]) => staticOfTagged(cell));
  }
  const column = { event: 'event_attributes', link: 'link_attributes', instrumentation: '[scope_attributes]' }[scope];
  const sql = `SELECT DISTINCT JSONExtractRaw(kv, 'value') AS value
FROM (
  SELECT arrayJoin(arrayFlatten(arrayMap(e -> JSONExtractArrayRaw(e), texts))) AS kv FROM (
    SELECT ${column} AS texts FROM spans
    WHERE ${inTime} AND ${mayHold(column, name, parameters)} AND ${condition}
    LIMIT ${sampledJsonRows}
  )
)
WHERE JSONExtractString(kv, 'key') = ${parameters.string(name)}
ORDER BY value
LIMIT ${limit}`;
  const rows = await select<[string]>(context, parameters.statement(sql));
  return rows.map(([text]) => staticOfAnyValue(JSON.parse(text)));
}

/** Of arrays their elements, as that is what comparisons are about. */
function tagValuesOf(value: Static): TagValue[] {
  switch (value.type) {
    case 'string':
    case 'int':
    case 'float':
    case 'bool':
    case 'duration':
      return [scalarOf(value.type, value)];
    case 'string[]':
    case 'int[]':
    case 'float[]':
    case 'bool[]': {
      const type = value.type.slice(0, -2) as 'string' | 'int' | 'float' | 'bool';
      return elementsOf(value).map((element) => scalarOf(type, element));
    }
    case 'status':
    case 'kind':
      return [{ type: 'keyword', value: value.value }];
    case 'nil':
      return [];
  }
}

/** As it stands in a query; only texts go without quotes. */
function scalarOf(type: 'string' | 'int' | 'float' | 'bool' | 'duration', value: Static): TagValue {
  return { type, value: value.type === 'string' ? value.value : printStatic(value) };
}
