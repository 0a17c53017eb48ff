import type { NativeBlock } from '../../native-block.ts';
import { ColumnBuffer } from './column-buffer.ts';

interface Column {
  readonly name: string;
  readonly type: string;
  readonly header: Uint8Array;
  readonly buffers: readonly ColumnBuffer[];
  reset(): void;
}

/**
 * The columns of one table's `Native` blocks. An encoder takes its buffers from here once and fills them row by row.
 *
 * A block is: number of columns and of rows in LEB128, then for each column its name, its type and its values.
 * An array's values are the end offsets of its rows (UInt64), then its elements; a map's are those of arrays of keys and values.
 */
export class BlockColumns {
  readonly #columns: Column[] = [];
  readonly #start = new ColumnBuffer(16);

  /** A column of scalar values, or a `String`. The type is what the bytes are; the table's may differ (`LowCardinality`). */
  add(name: string, type: string): ColumnBuffer {
    const values = new ColumnBuffer();
    this.#push(name, type, [values], () => values.reset());
    return values;
  }

  addArray(name: string, elementType: string): ArrayColumn {
    const column = new ArrayColumn();
    this.#push(name, `Array(${elementType})`, [column.offsets, column.values], () => column.reset());
    return column;
  }

  addMap(name: string, keyType: string, valueType: string): MapColumn {
    const column = new MapColumn();
    this.#push(name, `Map(${keyType}, ${valueType})`, [column.offsets, column.keys, column.values], () =>
      column.reset(),
    );
    return column;
  }

  get byteLength(): number {
    let total = 0;
    for (const { buffers } of this.#columns) {
      for (const buffer of buffers) {
        total += buffer.length;
      }
    }
    return total;
  }

  reset(): void {
    for (const column of this.#columns) {
      column.reset();
    }
  }

  block(rows: number): NativeBlock {
    this.#start.reset();
    this.#start.varint(this.#columns.length);
    this.#start.varint(rows);
    const chunks: Uint8Array[] = [this.#start.written()];
    for (const { header, buffers } of this.#columns) {
      chunks.push(header, ...buffers.map((buffer) => buffer.written()));
    }
    const byteLength = chunks.reduce((total, chunk) => total + chunk.length, 0);
    return { rows, columns: this.#columns, chunks, byteLength };
  }

  #push(name: string, type: string, buffers: ColumnBuffer[], reset: () => void): void {
    const header = new ColumnBuffer(64);
    header.text(name);
    header.text(type);
    this.#columns.push({ name, type, header: header.written(), buffers, reset });
  }
}

/** Write elements to `values` and count them in `count`; `endRow` after each row. */
export class ArrayColumn {
  readonly offsets = new ColumnBuffer();
  readonly values = new ColumnBuffer();
  /** Elements of all rows so far. */
  count = 0;

  endRow(): void {
    this.offsets.count(this.count);
  }

  reset(): void {
    this.offsets.reset();
    this.values.reset();
    this.count = 0;
  }
}

/** Write entries to `keys` and `values` and count them in `count`; `endRow` after each row. */
export class MapColumn extends ArrayColumn {
  readonly keys = new ColumnBuffer();

  override reset(): void {
    super.reset();
    this.keys.reset();
  }
}
