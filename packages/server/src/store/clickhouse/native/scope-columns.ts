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
    let lastScope = -1;
    let lastResource = -1;
    for (let i = 0; i < selection.count; i++) {
      const row = selection.rows[i];
      if (batch.scope[row] === lastScope && batch.resource[row] === lastResource) {
        this.#repeatRow(attributes[lastScope]);
        continue;
      }
      lastScope = batch.scope[row];
      lastResource = batch.resource[row];
      this.appendRow(batch, resourceIds, batch.resource[row], batch.scope[row], attributes, source);
    }
  }

  /** The row that was appended last once more: records of one scope follow each other. */
  #repeatRow(attributes: Uint8Array): void {
    this.#service.addLast();
    this.#resourceId.repeatLast(8);
    this.#name.addLast();
    this.#version.addLast();
    this.#attributes.string(attributes, 0, attributes.length);
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
