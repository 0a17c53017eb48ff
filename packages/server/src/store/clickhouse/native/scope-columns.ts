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
    this.#service = columns.add('service', 'String');
    this.#resourceId = columns.add('resource_id', 'UInt64');
    this.#name = columns.add('scope_name', 'String');
    this.#version = columns.add('scope_version', 'String');
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
    for (let i = 0; i < selection.count; i++) {
      const row = selection.rows[i];
      this.appendRow(batch, resourceIds, batch.resource[row], batch.scope[row], attributes, source);
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
    this.#service.slice(source, resources.serviceName.start[resource], resources.serviceName.end[resource]);
    this.#resourceId.uint64(resourceIds[resource * 2], resourceIds[resource * 2 + 1]);
    this.#name.slice(source, scopes.name.start[scope], scopes.name.end[scope]);
    this.#version.slice(source, scopes.version.start[scope], scopes.version.end[scope]);
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
