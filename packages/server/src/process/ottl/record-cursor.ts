import { AttributeEditor, type RecordBatch } from '@signalbox/records';
import type { Value } from './value.ts';

/** The row of a batch that statements work on, with the editors of what belongs to it. One per batch; it moves from row to row. */
export class RecordCursor {
  readonly batch: RecordBatch;
  readonly resourceAttributes: AttributeEditor;
  readonly scopeAttributes: AttributeEditor;
  resource = 0;
  scope = 0;
  /** `cache[…]`: what statements remember while they work on a row. */
  readonly cache = new Map<string, Value>();

  constructor(batch: RecordBatch) {
    this.batch = batch;
    const { resources, scopes } = batch;
    this.resourceAttributes = new AttributeEditor(batch, resources.attributes, resources.rowCount);
    this.scopeAttributes = new AttributeEditor(batch, scopes.attributes, scopes.rowCount);
  }

  /** Brings the batch in line with the edits; the cursor's work ends here. A cursor that only read needs no `finish`. */
  finish(): void {
    const { batch } = this;
    this.resourceAttributes.finish();
    this.scopeAttributes.finish();
    for (let row = 0; row < batch.resources.rowCount; row++) {
      batch.resources.findServiceName(batch.bytes, row);
    }
  }

  moveToResource(resource: number): void {
    this.moveToOrigin(resource, 0);
  }

  moveToScope(scope: number): void {
    this.moveToOrigin(this.batch.scopes.resource[scope] as number, scope);
  }

  protected moveToOrigin(resource: number, scope: number): void {
    this.resource = resource;
    this.scope = scope;
    if (this.cache.size > 0) {
      this.cache.clear();
    }
  }
}
