import { AttributeTable } from './attribute-table.ts';
import { ByteSlices } from './byte-slices.ts';
import { grownCapacity, grownUint32 } from './capacity.ts';
import { Uint64Column } from './uint64-column.ts';

/** The events of spans: those of span i are the entries `offsets[i]` to `offsets[i + 1]` (exclusive). */
export class EventTable {
  offsets: Uint32Array<ArrayBuffer> = new Uint32Array(1);
  count = 0;
  /** Nanoseconds since 1970. */
  readonly time = new Uint64Column();
  readonly name = new ByteSlices();
  readonly attributes = new AttributeTable();
  droppedAttributesCount: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #capacity = 0;

  growRows(capacity: number): void {
    this.offsets = grownUint32(this.offsets, capacity + 1);
  }

  /** Starts an entry of the span under construction, with nothing set. */
  begin(): number {
    const entry = this.count;
    if (entry >= this.#capacity) {
      this.#grow(entry + 1);
    }
    this.time.setWords(entry, 0, 0);
    this.name.set(entry, 0, 0);
    this.droppedAttributesCount[entry] = 0;
    return entry;
  }

  end(): void {
    this.attributes.endRow(this.count++);
  }

  endRow(row: number): void {
    this.offsets[row + 1] = this.count;
  }

  truncate(row: number): void {
    this.count = this.offsets[row];
    this.attributes.truncate(this.count);
  }

  #grow(needed: number): void {
    const capacity = grownCapacity(this.#capacity, needed, 'span events');
    this.time.grow(capacity);
    this.name.grow(capacity);
    this.attributes.growRows(capacity);
    this.droppedAttributesCount = grownUint32(this.droppedAttributesCount, capacity);
    this.#capacity = capacity;
  }
}
