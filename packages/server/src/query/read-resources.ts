import { attributeColumns, type ReadAttribute, readAttributes } from '../store/clickhouse/attributes.ts';
import type { Connection } from '../store/connection.ts';
import { type QueryContext, select } from './query-context.ts';
import { SqlParameters, type Statement } from './sql-parameters.ts';

export interface StoredResource {
  /** Sorted by key. */
  readonly attributes: readonly ReadAttribute[];
  readonly droppedAttributes: number;
  readonly schemaUrl: string;
}

/** A statement's text, parameters included, has at most 256 KiB. */
const idsPerStatement = 5_000;
/** Resources that are remembered, and the length of their attributes' text. */
const maxRemembered = 2_000;
const maxRememberedLength = 16_384;

/** By connection: a resource's id is a hash of what it holds, so that it never changes. */
const remembered = new WeakMap<Connection, Map<string, StoredResource>>();

/** Resources by their ids (decimal text). One that retention dropped is missing, unless it is remembered. */
export async function readResources(
  context: QueryContext,
  ids: Iterable<string>,
): Promise<ReadonlyMap<string, StoredResource>> {
  const known = memoryOf(context.connection);
  const resources = new Map<string, StoredResource>();
  const missing: string[] = [];
  for (const id of new Set(ids)) {
    const resource = known.get(id);
    if (resource === undefined) missing.push(id);
    else resources.set(id, resource);
  }
  for (let at = 0; at < missing.length; at += idsPerStatement) {
    const statement = planResources(missing.slice(at, at + idsPerStatement));
    for (const [id, droppedAttributes, schemaUrl, ...cells] of await select<ResourceCells>(context, statement)) {
      const resource = { attributes: readAttributes(cells), droppedAttributes, schemaUrl };
      resources.set(id, resource);
      remember(known, id, resource);
    }
  }
  return resources;
}

type ResourceCells = [id: string, dropped: number, schemaUrl: string, ...attributes: unknown[]];

function planResources(ids: readonly string[]): Statement {
  const parameters = new SqlParameters();
  return parameters.statement(
    `SELECT resource_id, dropped_attributes, schema_url, ${attributeColumns('resource').join(', ')}
FROM resources
WHERE resource_id IN (SELECT arrayJoin(${parameters.uint64s(ids)}))
LIMIT 1 BY resource_id`,
  );
}

function memoryOf(connection: Connection): Map<string, StoredResource> {
  let memory = remembered.get(connection);
  if (memory === undefined) {
    memory = new Map();
    remembered.set(connection, memory);
  }
  return memory;
}

/** In place of the one that has been there the longest. */
function remember(known: Map<string, StoredResource>, id: string, resource: StoredResource): void {
  const length = resource.attributes.reduce((sum, { key, value }) => sum + key.length + String(value).length, 0);
  if (length > maxRememberedLength) return;
  const [oldest] = known.keys();
  if (known.size >= maxRemembered && oldest !== undefined) known.delete(oldest);
  known.set(id, resource);
}
