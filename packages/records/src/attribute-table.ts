import { AnyValueColumn } from './any-value-column.ts';
import { ByteSlices } from './byte-slices.ts';
import { grownCapacity, grownUint32 } from './capacity.ts';
import { entriesOfRows, gatherOffsets } from './gather.ts';
import type { SlicesVisitor } from './slices-visitor.ts';

/**
 * The attributes of the rows of another table: those of row i are the entries `offsets[i]` to `offsets[i + 1]` (exclusive).
 * `count` is the number of entries of all finished rows and of the row under construction. Keys may repeat when a sender
 * broke that rule; order is the sender's.
 */
export class AttributeTable {
  /** Finished rows + 1 entries are valid. */
  offsets: Uint32Array<ArrayBuffer> = new Uint32Array(1);
  count = 0;
  readonly keys = new ByteSlices();
  readonly values = new AnyValueColumn();
  #capacity = 0;

  /** For the table that owns the rows: room for `capacity` rows. */
  growRows(capacity: number): void {
    this.offsets = grownUint32(this.offsets, capacity + 1);
  }

  /** Makes room for as many entries as are expected. Returns how many there is room for. */
  reserve(entries: number): number {
    if (entries > this.#capacity) {
      this.#grow(entries);
    }
    return this.#capacity;
  }

  /** Adds an entry to the row under construction; the caller sets its value. Returns the entry's index. */
  add(keyStart: number, keyEnd: number): number {
    const entry = this.count;
    if (entry === this.#capacity) {
      this.#grow(entry + 1);
    }
    this.keys.start[entry] = keyStart;
    this.keys.end[entry] = keyEnd;
    this.count = entry + 1;
    return entry;
  }

  /** Copies the attributes of rows of `source` to rows from `first` on, for which there is room. See AnyValueColumn for `shift`. */
  gather(first: number, source: AttributeTable, rows: Uint32Array, shift: number): void {
    this.#append(source, entriesOfRows(source.offsets, rows), shift);
    gatherOffsets(this.offsets, first, source.offsets, rows, this.offsets[first]);
  }

  /** Makes the table's entries be those of `entries`, in this order; `offsets`, as long as those before, says which belong to which row. */
  rearrange(entries: Uint32Array, offsets: Uint32Array<ArrayBuffer>): void {
    const rearranged = new AttributeTable();
    rearranged.#append(this, entries, 0);
    this.offsets = offsets;
    this.count = rearranged.count;
    this.keys.take(rearranged.keys);
    this.values.take(rearranged.values);
    this.#capacity = rearranged.#capacity;
  }

  /** Ends row `row`, which must be the one after the last finished row. */
  endRow(row: number): void {
    this.offsets[row + 1] = this.count;
  }

  /** Forgets all rows, and keeps the room for them. */
  clear(): void {
    this.count = 0;
  }

  /** Forgets what row `row` and later ones have. */
  truncate(row: number): void {
    this.count = this.offsets[row];
  }

  /** The entry of `row` whose key is `key`, the first if there are several; -1: none. */
  find(bytes: Uint8Array, row: number, key: Uint8Array): number {
    const { start, end } = this.keys;
    const last = this.offsets[row + 1];
    const length = key.length;
    search: for (let entry = this.offsets[row]; entry < last; entry++) {
      const from = start[entry];
      if (end[entry] - from !== length) {
        continue;
      }
      for (let i = 0; i < length; i++) {
        if (bytes[from + i] !== key[i]) {
          continue search;
        }
      }
      return entry;
    }
    return -1;
  }

  visitSlices(visit: SlicesVisitor): void {
    visit(this.keys, this.count);
    visit(this.values, this.count);
  }

  #append(source: AttributeTable, entries: Uint32Array, shift: number): void {
    const count = this.count + entries.length;
    if (count > this.#capacity) {
      this.#grow(count);
    }
    this.keys.gather(this.count, source.keys, entries, shift);
    this.values.gather(this.count, source.values, entries, shift);
    this.count = count;
  }

  #grow(needed: number): void {
    const capacity = grownCapacity(this.#capacity, needed, 'attributes');
    this.keys.grow(capacity);
    this.values.grow(capacity);
    this.#capacity = capacity;
  }
}
