import { AttributeTable } from './attribute-table.ts';
import { ByteSlices } from './byte-slices.ts';
import { grownCapacity, grownUint32 } from './capacity.ts';
import { entriesOfRows, gatherOffsets, gatherUint32 } from './gather.ts';
import type { SlicesVisitor } from './slices-visitor.ts';
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

  /** Copies the events of rows of `source` to rows from `first` on, for which there is room. See AnyValueColumn for `shift`. */
  gather(first: number, source: EventTable, rows: Uint32Array, shift: number): void {
    const entries = entriesOfRows(source.offsets, rows);
    const from = this.count;
    this.count += entries.length;
    gatherOffsets(this.offsets, first, source.offsets, rows, from);
    if (entries.length === 0) {
      return;
    }
    if (this.count > this.#capacity) {
      this.#grow(this.count);
    }
    this.time.gather(from, source.time, entries);
    this.name.gather(from, source.name, entries, shift);
    this.attributes.gather(from, source.attributes, entries, shift);
    gatherUint32(this.droppedAttributesCount, from, source.droppedAttributesCount, entries);
  }

  endRow(row: number): void {
    this.offsets[row + 1] = this.count;
  }

  /** Forgets all rows, and keeps the room for them. */
  clear(): void {
    this.count = 0;
    this.attributes.clear();
  }

  truncate(row: number): void {
    this.count = this.offsets[row];
    this.attributes.truncate(this.count);
  }

  /** Removes the entries whose `keep` is 0; the table has `rowCount` finished rows. */
  retain(keep: Uint8Array, rowCount: number): void {
    const offsets = new Uint32Array(this.offsets.length);
    const entries = new Uint32Array(this.count);
    let count = 0;
    for (let row = 0; row < rowCount; row++) {
      for (let entry = this.offsets[row]; entry < this.offsets[row + 1]; entry++) {
        if (keep[entry] !== 0) {
          entries[count++] = entry;
        }
      }
      offsets[row + 1] = count;
    }
    const kept = entries.subarray(0, count);
    // Entries only move towards the start, so that columns can be gathered within themselves.
    this.time.gather(0, this.time, kept);
    this.name.gather(0, this.name, kept, 0);
    gatherUint32(this.droppedAttributesCount, 0, this.droppedAttributesCount, kept);
    const ofAttributes = new Uint32Array(this.attributes.offsets.length);
    gatherOffsets(ofAttributes, 0, this.attributes.offsets, kept, 0);
    this.attributes.rearrange(entriesOfRows(this.attributes.offsets, kept), ofAttributes);
    this.offsets = offsets;
    this.count = count;
  }

  visitSlices(visit: SlicesVisitor): void {
    visit(this.name, this.count);
    this.attributes.visitSlices(visit);
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
