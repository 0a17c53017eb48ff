import type { ByteSlices } from '@signalbox/records';
import type { ColumnBuffer } from './column-buffer.ts';
import type { DictionaryColumn } from './dictionary-column.ts';

/** The rows of a batch that are to be stored, in order. */
export class RowSelection {
  rows = new Uint32Array(1024);
  count = 0;
  /** Whether these are all rows of the batch, so that whole columns can be copied. */
  all = true;

  /** Forgets the rows before, and makes room for as many as the batch has. */
  start(batchRows: number): void {
    this.count = 0;
    if (batchRows > this.rows.length) {
      this.rows = new Uint32Array(batchRows * 2);
    }
  }

  add(row: number): void {
    this.rows[this.count++] = row;
  }

  finish(batchRows: number): void {
    this.all = this.count === batchRows;
  }
}

type FixedWidthArray = Uint8Array | Uint32Array | Int32Array | Float64Array | BigUint64Array | BigInt64Array;

/** Copies a column of `width` bytes a row. The records' memory is little-endian, like the format and every platform of ours. */
export function copyFixed(to: ColumnBuffer, column: FixedWidthArray, width: number, selection: RowSelection): void {
  const from = new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
  if (selection.all) {
    to.raw(from, 0, selection.count * width);
    return;
  }
  for (let i = 0; i < selection.count; i++) {
    const start = selection.rows[i] * width;
    to.raw(from, start, start + width);
  }
}

/** Copies a column of texts. */
export function copySlices(to: ColumnBuffer, bytes: Uint8Array, column: ByteSlices, selection: RowSelection): void {
  const { start, end } = column;
  const source = dataView(bytes);
  for (let i = 0; i < selection.count; i++) {
    const row = selection.rows[i];
    if (start[row] === end[row]) {
      to.uint8(0);
    } else {
      to.slice(source, start[row], end[row]);
    }
  }
}

/** Adds a column of texts that repeat. */
export function addSlices(
  to: DictionaryColumn,
  bytes: Uint8Array,
  { start, end }: ByteSlices,
  selection: RowSelection,
): void {
  const source = dataView(bytes);
  for (let i = 0; i < selection.count; i++) {
    const row = selection.rows[i];
    to.add(source, start[row], end[row]);
  }
}

export function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
