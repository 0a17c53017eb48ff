import { attributesField, countField, type Fields, textField } from './field.ts';
import type { RecordCursor } from './record-cursor.ts';
import type { Value } from './value.ts';

const resource = (cursor: RecordCursor) => cursor.resource;
const scope = (cursor: RecordCursor) => cursor.scope;

export const RESOURCE_FIELDS: Fields<RecordCursor> = {
  attributes: attributesField((cursor) => cursor.resourceAttributes, resource),
  dropped_attributes_count: countField((cursor) => cursor.batch.resources.droppedAttributesCount, resource),
  schema_url: textField((cursor) => cursor.batch.resources.schemaUrl, resource),
};

export const SCOPE_FIELDS: Fields<RecordCursor> = {
  name: textField((cursor) => cursor.batch.scopes.name, scope),
  version: textField((cursor) => cursor.batch.scopes.version, scope),
  attributes: attributesField((cursor) => cursor.scopeAttributes, scope),
  dropped_attributes_count: countField((cursor) => cursor.batch.scopes.droppedAttributesCount, scope),
  schema_url: textField((cursor) => cursor.batch.scopes.schemaUrl, scope),
};

/** `cache["key"]` works in every context. */
export const CACHE_FIELDS: Fields<RecordCursor> = {
  cache: {
    get: (cursor) => ({ entries: [...cursor.cache].map(([key, value]) => [key, value] as const) }) as Value,
    key: (key) => ({
      get: (cursor) => cursor.cache.get(key) ?? null,
      set: (cursor, value) => {
        cursor.cache.set(key, value);
      },
    }),
  },
};
