import type { RecordBatch } from '@signalbox/records';
import { ValueEncoder } from './encode-values.ts';
import { groupRows } from './grouped-rows.ts';
import { ReverseWriter } from './reverse-writer.ts';

/**
 * Writes an `Export…ServiceRequest`: the messages around spans, log records and metrics, which have the same fields in all signals.
 * Resources and scopes stay as they are in the batch, one message each; those without a record are left out.
 */
export function encodeRequest(
  batch: RecordBatch,
  /** Row of `batch.scopes` of each record. */
  scopeOf: Uint32Array,
  recordCount: number,
  /** Writes the content of a record's message. */
  writeRecord: (record: number, values: ValueEncoder, writer: ReverseWriter) => void,
): Uint8Array<ArrayBuffer> {
  const { resources, scopes } = batch;
  const writer = new ReverseWriter();
  const values = new ValueEncoder(writer, batch.bytes);
  const records = groupRows(scopeOf, recordCount, scopes.rowCount);
  const scopesOf = groupRows(scopes.resource, scopes.rowCount, resources.rowCount);
  for (let resource = resources.rowCount - 1; resource >= 0; resource--) {
    const beforeGroup = writer.length;
    values.text(0x1a, resources.schemaUrl, resource);
    const beforeScopes = writer.length;
    for (let i = scopesOf.offsets[resource + 1] - 1; i >= scopesOf.offsets[resource]; i--) {
      const scope = scopesOf.rows[i];
      const first = records.offsets[scope];
      if (records.offsets[scope + 1] === first) {
        continue;
      }
      const beforeScope = writer.length;
      values.text(0x1a, scopes.schemaUrl, scope);
      for (let j = records.offsets[scope + 1] - 1; j >= first; j--) {
        const before = writer.length;
        writeRecord(records.rows[j], values, writer);
        writer.endMessage(0x12, before);
      }
      const before = writer.length;
      values.number(0x20, scopes.droppedAttributesCount[scope]);
      values.attributes(0x1a, scopes.attributes, scope);
      values.text(0x12, scopes.version, scope);
      values.text(0x0a, scopes.name, scope);
      writer.endMessage(0x0a, before);
      writer.endMessage(0x12, beforeScope);
    }
    if (writer.length === beforeScopes) {
      writer.rewind(beforeGroup);
      continue;
    }
    const before = writer.length;
    values.number(0x10, resources.droppedAttributesCount[resource]);
    values.attributes(0x0a, resources.attributes, resource);
    writer.endMessage(0x0a, before);
    writer.endMessage(0x0a, beforeGroup);
  }
  return writer.finish();
}
