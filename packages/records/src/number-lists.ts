import { grownCapacity, grownFloat64, grownUint32 } from './capacity.ts';
import { entriesOfRows, gatherFloat64, gatherOffsets } from './gather.ts';
import { Uint64Column } from './uint64-column.ts';

/** Lists of 64-bit counts: that of row i is `values[offsets[i]]` to `values[offsets[i + 1]]` (exclusive). */
export class Uint64Lists {
  offsets: Uint32Array<ArrayBuffer> = new Uint32Array(1);
  count = 0;
  /** Not private: whoever counts the memory of a batch finds columns as fields. */
  readonly column = new Uint64Column();
  #capacity = 0;

  get values(): BigUint64Array<ArrayBuffer> {
    return this.column.values;
  }

  /** The same memory as `values`: low word of entry i at 2i, high at 2i + 1. */
  get words(): Uint32Array<ArrayBuffer> {
    return this.column.words;
  }

  growRows(capacity: number): void {
    this.offsets = grownUint32(this.offsets, capacity + 1);
  }

  pushWords(low: number, high: number): void {
    if (this.count === this.#capacity) {
      this.#capacity = grownCapacity(this.#capacity, this.count + 1, 'bucket counts');
      this.column.grow(this.#capacity);
    }
    this.column.setWords(this.count++, low, high);
  }

  /** Copies the lists of rows of `source` to rows from `first` on, for which there is room. */
  gather(first: number, source: Uint64Lists, rows: Uint32Array): void {
    const entries = entriesOfRows(source.offsets, rows);
    const count = this.count + entries.length;
    if (count > this.#capacity) {
      this.#capacity = grownCapacity(this.#capacity, count, 'bucket counts');
      this.column.grow(this.#capacity);
    }
    this.column.gather(this.count, source.column, entries);
    gatherOffsets(this.offsets, first, source.offsets, rows, this.count);
    this.count = count;
  }

  endRow(row: number): void {
    this.offsets[row + 1] = this.count;
  }

  truncate(row: number): void {
    this.count = this.offsets[row];
  }
}

/** Lists of doubles: that of row i is `values[offsets[i]]` to `values[offsets[i + 1]]` (exclusive). */
export class Float64Lists {
  offsets: Uint32Array<ArrayBuffer> = new Uint32Array(1);
  count = 0;
  values: Float64Array<ArrayBuffer> = new Float64Array(0);

  growRows(capacity: number): void {
    this.offsets = grownUint32(this.offsets, capacity + 1);
  }

  push(value: number): void {
    if (this.count === this.values.length) {
      this.values = grownFloat64(this.values, grownCapacity(this.values.length, this.count + 1, 'numbers'));
    }
    this.values[this.count++] = value;
  }

  /** Copies the lists of rows of `source` to rows from `first` on, for which there is room. */
  gather(first: number, source: Float64Lists, rows: Uint32Array): void {
    const entries = entriesOfRows(source.offsets, rows);
    const count = this.count + entries.length;
    if (count > this.values.length) {
      this.values = grownFloat64(this.values, grownCapacity(this.values.length, count, 'numbers'));
    }
    gatherFloat64(this.values, this.count, source.values, entries);
    gatherOffsets(this.offsets, first, source.offsets, rows, this.count);
    this.count = count;
  }

  endRow(row: number): void {
    this.offsets[row + 1] = this.count;
  }

  truncate(row: number): void {
    this.count = this.offsets[row];
  }
}
