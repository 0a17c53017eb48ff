import { AttributeTable } from './attribute-table.ts';
import { ByteSlices } from './byte-slices.ts';
import { grownCapacity, grownUint8, grownUint32 } from './capacity.ts';
import { entriesOfRows, gatherIds, gatherOffsets, gatherUint32 } from './gather.ts';
import type { SlicesVisitor } from './slices-visitor.ts';

/** The links of spans: those of span i are the entries `offsets[i]` to `offsets[i + 1]` (exclusive). */
export class LinkTable {
  offsets: Uint32Array<ArrayBuffer> = new Uint32Array(1);
  count = 0;
  /** 16 bytes an entry; zeros: the sender named none. */
  traceId: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** 8 bytes an entry; zeros: the sender named none. */
  spanId: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  readonly traceState = new ByteSlices();
  flags: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  readonly attributes = new AttributeTable();
  droppedAttributesCount: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #capacity = 0;

  growRows(capacity: number): void {
    this.offsets = grownUint32(this.offsets, capacity + 1);
  }

  /** Starts an entry of the span under construction, with nothing set. It counts once it was ended. */
  begin(): number {
    const entry = this.count;
    if (entry >= this.#capacity) {
      this.#grow(entry + 1);
    }
    this.traceId.fill(0, entry * 16, entry * 16 + 16);
    this.spanId.fill(0, entry * 8, entry * 8 + 8);
    this.traceState.set(entry, 0, 0);
    this.flags[entry] = 0;
    this.droppedAttributesCount[entry] = 0;
    return entry;
  }

  end(): void {
    this.attributes.endRow(this.count++);
  }

  /** Ends the entry when `keep`, forgets it otherwise. Returns `keep`. */
  endIf(keep: boolean): boolean {
    if (keep) {
      this.end();
    } else {
      this.attributes.truncate(this.count);
    }
    return keep;
  }

  /** Copies the links of rows of `source` to rows from `first` on, for which there is room. See AnyValueColumn for `shift`. */
  gather(first: number, source: LinkTable, rows: Uint32Array, shift: number): void {
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
    gatherIds(this.traceId, from, source.traceId, entries, 16);
    gatherIds(this.spanId, from, source.spanId, entries, 8);
    this.traceState.gather(from, source.traceState, entries, shift);
    gatherUint32(this.flags, from, source.flags, entries);
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

  visitSlices(visit: SlicesVisitor): void {
    visit(this.traceState, this.count);
    this.attributes.visitSlices(visit);
  }

  #grow(needed: number): void {
    const capacity = grownCapacity(this.#capacity, needed, 'span links');
    this.traceId = grownUint8(this.traceId, capacity * 16);
    this.spanId = grownUint8(this.spanId, capacity * 8);
    this.traceState.grow(capacity);
    this.flags = grownUint32(this.flags, capacity);
    this.attributes.growRows(capacity);
    this.droppedAttributesCount = grownUint32(this.droppedAttributesCount, capacity);
    this.#capacity = capacity;
  }
}
