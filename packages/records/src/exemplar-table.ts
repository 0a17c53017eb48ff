import { AttributeTable } from './attribute-table.ts';
import { grownCapacity, grownUint8, grownUint32 } from './capacity.ts';
import { entriesOfRows, gatherIds, gatherOffsets } from './gather.ts';
import { NumberColumn } from './number-column.ts';
import type { SlicesVisitor } from './slices-visitor.ts';
import { Uint64Column } from './uint64-column.ts';

/** The exemplars of data points: those of point i are the entries `offsets[i]` to `offsets[i + 1]` (exclusive). */
export class ExemplarTable {
  offsets: Uint32Array<ArrayBuffer> = new Uint32Array(1);
  count = 0;
  /** Nanoseconds since 1970. */
  readonly time = new Uint64Column();
  readonly value = new NumberColumn();
  /** 16 bytes an entry; zeros: none. */
  traceId: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** 8 bytes an entry; zeros: none. */
  spanId: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** `filtered_attributes`. */
  readonly attributes = new AttributeTable();
  #capacity = 0;

  growRows(capacity: number): void {
    this.offsets = grownUint32(this.offsets, capacity + 1);
  }

  /** Starts an entry of the point under construction, with nothing set. */
  begin(): number {
    const entry = this.count;
    if (entry >= this.#capacity) {
      this.#grow(entry + 1);
    }
    this.time.setWords(entry, 0, 0);
    this.value.setNone(entry);
    this.traceId.fill(0, entry * 16, entry * 16 + 16);
    this.spanId.fill(0, entry * 8, entry * 8 + 8);
    return entry;
  }

  end(): void {
    this.attributes.endRow(this.count++);
  }

  /** Copies the exemplars of rows of `source` to rows from `first` on, for which there is room. See AnyValueColumn for `shift`. */
  gather(first: number, source: ExemplarTable, rows: Uint32Array, shift: number): void {
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
    this.value.gather(from, source.value, entries);
    gatherIds(this.traceId, from, source.traceId, entries, 16);
    gatherIds(this.spanId, from, source.spanId, entries, 8);
    this.attributes.gather(from, source.attributes, entries, shift);
  }

  endRow(row: number): void {
    this.offsets[row + 1] = this.count;
  }

  truncate(row: number): void {
    this.count = this.offsets[row];
    this.attributes.truncate(this.count);
  }

  visitSlices(visit: SlicesVisitor): void {
    this.attributes.visitSlices(visit);
  }

  #grow(needed: number): void {
    const capacity = grownCapacity(this.#capacity, needed, 'exemplars');
    this.time.grow(capacity);
    this.value.grow(capacity);
    this.traceId = grownUint8(this.traceId, capacity * 16);
    this.spanId = grownUint8(this.spanId, capacity * 8);
    this.attributes.growRows(capacity);
    this.#capacity = capacity;
  }
}
