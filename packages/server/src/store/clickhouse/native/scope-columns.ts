import { attributesJson, type RecordBatch } from '@signalbox/records';
import type { BlockColumns } from './block-columns.ts';
import { dataView, type RowSelection } from './copy-columns.ts';

/** The columns that a row has of its resource and its instrumentation scope. */
export class ScopeColumns {
  readonly #service;
  readonly #resourceId;
  readonly #name;
  readonly #version;
  readonly #attributes;

  constructor(columns: BlockColumns) {
    this.#service = columns.addDictionary('service');
    this.#resourceId = columns.add('resource_id', 'UInt64');
    this.#name = columns.addDictionary('scope_name');
    this.#version = columns.addDictionary('scope_version');
    this.#attributes = columns.add('scope_attributes', 'String');
  }

  /** @param resourceIds low and high words of the ids of the batch's resources */
  appendRows(
    batch: RecordBatch & { resource: Uint32Array; scope: Uint32Array },
    resourceIds: Uint32Array,
    selection: RowSelection,
  ): void {
    const attributes = scopeAttributes(batch);
    const source = dataView(batch.bytes);
    const { rows, count } = selection;
    for (let first = 0; first < count; ) {
      const scope = batch.scope[rows[first]];
      const resource = batch.resource[rows[first]];
      this.appendRow(batch, resourceIds, resource, scope, attributes, source);
      let next = first + 1;
      while (next < count && batch.scope[rows[next]] === scope && batch.resource[rows[next]] === resource) next++;
      this.#repeatRow(attributes[scope], next - first - 1);
      first = next;
    }
  }

  /** The row that was appended last so many times more: records of one scope follow each other. */
  #repeatRow(attributes: Uint8Array, times: number): void {
    this.#service.addLast(times);
    this.#resourceId.repeatLast(8, times);
    this.#name.addLast(times);
    this.#version.addLast(times);
    if (attributes.length === 0) {
      this.#attributes.zeros(times);
    } else {
      for (let i = 0; i < times; i++) this.#attributes.string(attributes, 0, attributes.length);
    }
  }

  appendRow(
    batch: RecordBatch,
    resourceIds: Uint32Array,
    resource: number,
    scope: number,
    attributes: readonly Uint8Array[],
    source: DataView = dataView(batch.bytes),
  ): void {
    const { resources, scopes } = batch;
    this.#service.add(source, resources.serviceName.start[resource], resources.serviceName.end[resource]);
    this.#resourceId.uint64(resourceIds[resource * 2], resourceIds[resource * 2 + 1]);
    this.#name.add(source, scopes.name.start[scope], scopes.name.end[scope]);
    this.#version.add(source, scopes.version.start[scope], scopes.version.end[scope]);
    const json = attributes[scope];
    this.#attributes.string(json, 0, json.length);
  }
}

/** The attributes of each scope of a batch as OTLP/JSON, empty for none. */
export function scopeAttributes(batch: RecordBatch): Uint8Array[] {
  const { scopes, bytes } = batch;
  return Array.from({ length: scopes.rowCount }, (_, scope) =>
    Buffer.from(attributesJson(bytes, scopes.attributes, scope)),
  );
}
