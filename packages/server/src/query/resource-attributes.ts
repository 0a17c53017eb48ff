import type { KeyValue } from '@signalbox/api-contract';
import { keyValuesOf } from './key-values.ts';
import type { QueryContext } from './query-context.ts';
import { readResources } from './read-resources.ts';

/** The attributes of resources by their id (decimal text). A resource that retention dropped meanwhile is missing. */
export async function resourceAttributes(
  context: QueryContext,
  ids: readonly string[],
): Promise<ReadonlyMap<string, KeyValue[]>> {
  const resources = await readResources(context, ids);
  return new Map(Array.from(resources, ([id, { attributes }]) => [id, keyValuesOf(attributes)]));
}
