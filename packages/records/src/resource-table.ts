import { AttributeTable } from './attribute-table.ts';
import { AttributeType } from './attribute-type.ts';
import { ByteSlices } from './byte-slices.ts';
import { grownCapacity, grownUint32 } from './capacity.ts';
import { gatherUint32 } from './gather.ts';
import type { SlicesVisitor } from './slices-visitor.ts';

const SERVICE_NAME = new TextEncoder().encode('service.name');

/**
 * The resources of a batch, one per `Resource…` message of the request (the same resource may stand here twice).
 * Not kept: `entity_refs`, which are in development in OTLP.
 */
export class ResourceTable {
  rowCount = 0;
  readonly attributes = new AttributeTable();
  droppedAttributesCount: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  readonly schemaUrl = new ByteSlices();
  /** Value of the attribute `service.name`; empty when it is absent or not a string. */
  readonly serviceName = new ByteSlices();
  #capacity = 0;

  /** Forgets all rows, and keeps the room for them. */
  clear(): void {
    this.rowCount = 0;
    this.attributes.clear();
  }

  /** Starts a row with nothing set; one row is under construction at a time. */
  add(): number {
    const row = this.rowCount++;
    if (row === this.#capacity) {
      this.#grow(row + 1);
    }
    this.droppedAttributesCount[row] = 0;
    this.schemaUrl.set(row, 0, 0);
    this.serviceName.set(row, 0, 0);
    return row;
  }

  /** Ends the row under construction. */
  end(bytes: Uint8Array): void {
    const row = this.rowCount - 1;
    this.attributes.endRow(row);
    this.findServiceName(bytes, row);
  }

  /** Adds copies of rows of `source`. See AnyValueColumn for `shift`. */
  append(source: ResourceTable, rows: Uint32Array, shift: number): void {
    const first = this.rowCount;
    this.rowCount += rows.length;
    if (this.rowCount > this.#capacity) {
      this.#grow(this.rowCount);
    }
    this.attributes.gather(first, source.attributes, rows, shift);
    gatherUint32(this.droppedAttributesCount, first, source.droppedAttributesCount, rows);
    this.schemaUrl.gather(first, source.schemaUrl, rows, shift);
    this.serviceName.gather(first, source.serviceName, rows, shift);
  }

  /** Reads the service's name of a finished row anew, after its attributes were changed. */
  findServiceName(bytes: Uint8Array, row: number): void {
    const entry = this.attributes.find(bytes, row, SERVICE_NAME);
    const { type, start, end } = this.attributes.values;
    if (entry >= 0 && type[entry] === AttributeType.String) {
      this.serviceName.set(row, start[entry], end[entry]);
    } else {
      this.serviceName.set(row, 0, 0);
    }
  }

  visitSlices(visit: SlicesVisitor): void {
    this.attributes.visitSlices(visit);
    visit(this.schemaUrl, this.rowCount);
    visit(this.serviceName, this.rowCount);
  }

  #grow(needed: number): void {
    const capacity = grownCapacity(this.#capacity, needed, 'resources');
    this.attributes.growRows(capacity);
    this.droppedAttributesCount = grownUint32(this.droppedAttributesCount, capacity);
    this.schemaUrl.grow(capacity);
    this.serviceName.grow(capacity);
    this.#capacity = capacity;
  }
}
