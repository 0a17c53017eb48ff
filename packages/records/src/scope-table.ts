import { AttributeTable } from './attribute-table.ts';
import { ByteSlices } from './byte-slices.ts';
import { grownCapacity, grownUint32 } from './capacity.ts';
import { gatherMapped, gatherUint32 } from './gather.ts';
import type { SlicesVisitor } from './slices-visitor.ts';

/** The instrumentation scopes of a batch, one per `Scope…` message of the request. */
export class ScopeTable {
  rowCount = 0;
  readonly name = new ByteSlices();
  readonly version = new ByteSlices();
  readonly attributes = new AttributeTable();
  droppedAttributesCount: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  readonly schemaUrl = new ByteSlices();
  /** Row of the ResourceTable. */
  resource: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #capacity = 0;

  /** Forgets all rows, and keeps the room for them. */
  clear(): void {
    this.rowCount = 0;
    this.attributes.clear();
  }

  /** Starts a row with nothing set; one row is under construction at a time. */
  add(resource: number): number {
    const row = this.rowCount++;
    if (row === this.#capacity) {
      this.#grow(row + 1);
    }
    this.name.set(row, 0, 0);
    this.version.set(row, 0, 0);
    this.droppedAttributesCount[row] = 0;
    this.schemaUrl.set(row, 0, 0);
    this.resource[row] = resource;
    return row;
  }

  /** Ends the row under construction. */
  end(): void {
    this.attributes.endRow(this.rowCount - 1);
  }

  /** Adds copies of rows of `source`, whose resources are now those of `resources`. See AnyValueColumn for `shift`. */
  append(source: ScopeTable, rows: Uint32Array, resources: Int32Array, shift: number): void {
    const first = this.rowCount;
    this.rowCount += rows.length;
    if (this.rowCount > this.#capacity) {
      this.#grow(this.rowCount);
    }
    this.name.gather(first, source.name, rows, shift);
    this.version.gather(first, source.version, rows, shift);
    this.attributes.gather(first, source.attributes, rows, shift);
    gatherUint32(this.droppedAttributesCount, first, source.droppedAttributesCount, rows);
    this.schemaUrl.gather(first, source.schemaUrl, rows, shift);
    gatherMapped(this.resource, first, source.resource, rows, resources);
  }

  visitSlices(visit: SlicesVisitor): void {
    visit(this.name, this.rowCount);
    visit(this.version, this.rowCount);
    this.attributes.visitSlices(visit);
    visit(this.schemaUrl, this.rowCount);
  }

  #grow(needed: number): void {
    const capacity = grownCapacity(this.#capacity, needed, 'scopes');
    this.name.grow(capacity);
    this.version.grow(capacity);
    this.attributes.growRows(capacity);
    this.droppedAttributesCount = grownUint32(this.droppedAttributesCount, capacity);
    this.schemaUrl.grow(capacity);
    this.resource = grownUint32(this.resource, capacity);
    this.#capacity = capacity;
  }
}
