import { type AnyValueColumn, type AttributeTable, AttributeType, type ByteSlices } from '@signalbox/records';
import { isZeroId } from './ids.ts';
import type { ReverseWriter } from './reverse-writer.ts';

/** Writes what messages of all signals have in common, out of the columns of one batch. */
export class ValueEncoder {
  readonly #writer: ReverseWriter;
  readonly #bytes: Uint8Array;

  constructor(writer: ReverseWriter, bytes: Uint8Array) {
    this.#writer = writer;
    this.#bytes = bytes;
  }

  /** A string field, left out when it is empty. */
  text(tag: number, column: ByteSlices, row: number): void {
    const start = column.start[row];
    const end = column.end[row];
    if (end > start) {
      this.#writer.slice(tag, this.#bytes, start, end);
    }
  }

  /** A trace or span id, left out when it is zeros. */
  id(tag: number, column: Uint8Array, width: number, row: number): void {
    if (!isZeroId(column, width, row)) {
      this.#writer.slice(tag, column, row * width, row * width + width);
    }
  }

  /** A uint32 or enum field, left out when it is 0. */
  number(tag: number, value: number): void {
    if (value !== 0) {
      this.#writer.varint(value);
      this.#writer.varint(tag);
    }
  }

  /** A fixed32 field, left out when it is 0. */
  fixed32(tag: number, value: number): void {
    if (value !== 0) {
      this.#writer.fixed32(value);
      this.#writer.varint(tag);
    }
  }

  /** A fixed64 field of row `row` of a column's words, left out when it is 0. */
  fixed64(tag: number, words: Uint32Array, row: number): void {
    const low = words[row * 2];
    const high = words[row * 2 + 1];
    if (low !== 0 || high !== 0) {
      this.#writer.fixed64(low, high);
      this.#writer.varint(tag);
    }
  }

  double(tag: number, value: number): void {
    this.#writer.double(value);
    this.#writer.varint(tag);
  }

  /** The `KeyValue`s of a row. */
  attributes(tag: number, table: AttributeTable, row: number): void {
    const writer = this.#writer;
    const first = table.offsets[row];
    for (let entry = table.offsets[row + 1] - 1; entry >= first; entry--) {
      const before = writer.length;
      this.value(0x12, table.values, entry);
      this.text(0x0a, table.keys, entry);
      writer.endMessage(tag, before);
    }
  }

  /** An `AnyValue` field; Empty is an empty message. */
  value(tag: number, column: AnyValueColumn, row: number): void {
    const writer = this.#writer;
    const before = writer.length;
    const start = column.start[row];
    const end = column.end[row];
    switch (column.type[row]) {
      case AttributeType.String:
        writer.slice(0x0a, this.#bytes, start, end);
        break;
      case AttributeType.Bool:
        writer.varint(column.words[row * 2]);
        writer.varint(0x10);
        break;
      case AttributeType.Int:
        writer.varint64(column.words[row * 2], column.words[row * 2 + 1]);
        writer.varint(0x18);
        break;
      case AttributeType.Double:
        writer.fixed64(column.words[row * 2], column.words[row * 2 + 1]);
        writer.varint(0x21);
        break;
      case AttributeType.Bytes:
        writer.slice(0x3a, this.#bytes, start, end);
        break;
      case AttributeType.Array:
      case AttributeType.KeyValueList:
        // They are kept as the encoding of the whole AnyValue.
        writer.raw(this.#bytes, start, end);
        break;
      default:
        break;
    }
    writer.endMessage(tag, before);
  }
}
