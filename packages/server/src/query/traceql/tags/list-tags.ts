import { SCOPED_INTRINSICS, type traceql } from '@signalbox/query-language';
import { attributeKeys } from '../../../store/clickhouse/attributes.ts';
import { type QueryContext, select } from '../../query-context.ts';
import { SqlParameters } from '../../sql-parameters.ts';
import { isInTime } from '../../time-condition.ts';
import type { TimeRange } from '../../time-range.ts';
import { filterCondition, resourcesIn } from './tag-conditions.ts';

export const TAG_SCOPES = ['resource', 'span', 'event', 'link', 'instrumentation', 'intrinsic'] as const;

export type TagScope = (typeof TAG_SCOPES)[number];

export interface TagsRequest {
  readonly range: TimeRange;
  readonly scopes: readonly TagScope[];
  readonly filter: traceql.FieldExpr | undefined;
  /** Of each scope. */
  readonly limit: number;
}

/** Rows that keys are taken from: completion must be quick, and need not be complete. */
const sampledRows = 500_000;
const sampledJsonRows = 50_000;

/** Names of attributes by their scope, sorted; without scopes that have none. */
export async function listTags(
  context: QueryContext,
  { range, scopes, filter, limit }: TagsRequest,
): Promise<{ name: TagScope; tags: string[] }[]> {
  const found: { name: TagScope; tags: string[] }[] = [];
  for (const scope of scopes) {
    if (scope === 'intrinsic') {
      found.push({ name: scope, tags: [...SCOPED_INTRINSICS, 'rootName', 'rootServiceName', 'traceDuration'].sort() });
      continue;
    }
    const parameters = new SqlParameters();
    const condition = filterCondition(filter, range, parameters);
    const sql = `SELECT DISTINCT key FROM (${planKeys(scope, condition, range, parameters)})
WHERE key != ''
ORDER BY key
LIMIT ${parameters.uint32(limit)}`;
    const rows = await select<[string]>(context, parameters.statement(sql));
    if (rows.length > 0) found.push({ name: scope, tags: rows.map(([key]) => key) });
  }
  return found;
}

function planKeys(
  scope: Exclude<TagScope, 'intrinsic'>,
  condition: string,
  range: TimeRange,
  parameters: SqlParameters,
): string {
  const inTime = isInTime(range, parameters);
  if (scope === 'resource') {
    return `SELECT arrayJoin(${attributeKeys('resource')}) AS key FROM resources WHERE ${resourcesIn(range, condition, parameters)}`;
  }
  if (scope === 'span') {
    return `SELECT arrayJoin(${attributeKeys('attributes')}) AS key FROM (SELECT * FROM spans WHERE ${inTime} AND ${condition} LIMIT ${sampledRows})`;
  }
  const [column, texts] = {
    event: ['event_attributes', 'event_attributes'],
    link: ['link_attributes', 'link_attributes'],
    instrumentation: ['scope_attributes', '[scope_attributes]'],
  }[scope] as [string, string];
  return `SELECT arrayJoin(arrayFlatten(arrayMap(e -> arrayMap(kv -> JSONExtractString(kv, 'key'), JSONExtractArrayRaw(e)), ${texts}))) AS key
FROM (SELECT ${column} FROM spans WHERE ${inTime} AND notEmpty(${column}) AND ${condition} LIMIT ${sampledJsonRows})`;
}
