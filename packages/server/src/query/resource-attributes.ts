import type { KeyValue } from '@signalbox/api-contract';
import { attributeColumns } from '../store/clickhouse/attributes.ts';
import { toKeyValues } from './key-values.ts';
import { type QueryContext, select } from './query-context.ts';
import { SqlParameters, type Statement } from './sql-parameters.ts';

/** The attributes of resources by their id (decimal text). A resource that retention dropped meanwhile is missing. */
export async function resourceAttributes(
  context: QueryContext,
  ids: readonly string[],
): Promise<ReadonlyMap<string, KeyValue[]>> {
  const attributes = new Map<string, KeyValue[]>();
  for (let start = 0; start < ids.length; start += idsPerStatement) {
    const statement = planResources(ids.slice(start, start + idsPerStatement));
    for (const [id, ...cells] of await select<[string, ...unknown[]]>(context, statement)) {
      attributes.set(id, toKeyValues(cells));
    }
  }
  return attributes;
}

/** A statement's text, parameters included, has at most 256 KiB. */
const idsPerStatement = 5_000;

export function planResources(ids: readonly string[]): Statement {
  const parameters = new SqlParameters();
  return parameters.statement(
    `SELECT resource_id, ${attributeColumns('resource').join(', ')}
FROM resources
WHERE resource_id IN (SELECT arrayJoin(${parameters.uint64s(ids)}))
LIMIT 1 BY resource_id`,
  );
}
