import {
  type AnyValueColumn,
  type AttributeTable,
  AttributeType,
  BatchTooLargeError,
  MAX_TABLE_ROWS,
} from '@signalbox/records';
import type { ProtobufReader } from './protobuf-reader.ts';

/** Reads `KeyValue`s and `AnyValue`s (common.proto). Within a oneof the last field wins whole; messages in it are not merged. */
export class ProtobufValues {
  readonly #reader: ProtobufReader;
  readonly #maxDepth: number;
  /** Values in lists are in no table, yet cost whoever reads them later as much as a table's rows. */
  #valuesInLists = 0;

  constructor(reader: ProtobufReader, maxDepth: number) {
    this.#reader = reader;
    this.#maxDepth = maxDepth;
  }

  /** Reads the field that a tag announced: a `KeyValue` in a message that ends at `messageEnd`. */
  attribute(table: AttributeTable, messageEnd: number): void {
    if (this.#shortAttribute(table, messageEnd)) {
      return;
    }
    const reader = this.#reader;
    const end = reader.delimited(messageEnd);
    let keyStart = 0;
    let keyEnd = 0;
    let valueStart = -1;
    let valueEnd = -1;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === 0x0a) {
        keyEnd = reader.delimited(end);
        keyStart = reader.position;
        reader.position = keyEnd;
      } else if (tag === 0x12) {
        valueEnd = reader.delimited(end);
        valueStart = reader.position;
        reader.position = valueEnd;
      } else {
        reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
    const entry = table.add(keyStart, keyEnd);
    if (valueStart < 0) {
      table.values.setEmpty(entry);
    } else {
      this.#value(table.values, entry, valueStart, valueEnd);
      reader.position = end;
    }
  }

  /**
   * Reads a `KeyValue` as nearly all are: below 128 bytes, first its key, then its value. False, and nothing read, for any other.
   * A span has ten of them, so this is where a decoder spends its time.
   */
  #shortAttribute(table: AttributeTable, messageEnd: number): boolean {
    const reader = this.#reader;
    const { bytes, position } = reader;
    const end = position + 1 + bytes[position];
    const keyStart = position + 3;
    const keyEnd = keyStart + bytes[position + 2];
    const valueStart = keyEnd + 2;
    // Lengths of 128 and more are made of two bytes or more, the first of which looks like one; past the end of the bytes all is NaN.
    if (
      !(end <= messageEnd && valueStart < end) ||
      bytes[position] > 127 ||
      bytes[position + 1] !== 0x0a ||
      bytes[position + 2] > 127 ||
      bytes[keyEnd] !== 0x12 ||
      valueStart + bytes[keyEnd + 1] !== end
    ) {
      return false;
    }
    const entry = table.add(keyStart, keyEnd);
    const textStart = valueStart + 2;
    if (bytes[valueStart] === 0x0a && textStart + bytes[valueStart + 1] === end) {
      table.values.setSlice(entry, AttributeType.String, textStart, end);
    } else {
      this.#value(table.values, entry, valueStart, end);
    }
    reader.position = end;
    return true;
  }

  /** Reads the field that a tag announced: an `AnyValue` in a message that ends at `messageEnd`. */
  value(column: AnyValueColumn, row: number, messageEnd: number): void {
    const end = this.#reader.delimited(messageEnd);
    this.#value(column, row, this.#reader.position, end);
  }

  #value(column: AnyValueColumn, row: number, start: number, end: number): void {
    const reader = this.#reader;
    reader.position = start;
    column.setEmpty(row);
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case 0x0a:
          this.#slice(column, row, AttributeType.String, end);
          break;
        case 0x10:
          column.setBool(row, reader.bool());
          break;
        case 0x18:
          reader.varint();
          column.setInt(row, reader.low, reader.high);
          break;
        case 0x21:
          reader.fixed64();
          column.setDoubleWords(row, reader.low, reader.high);
          break;
        case 0x2a:
          this.#checkArray(end, 1);
          column.setSlice(row, AttributeType.Array, start, end);
          break;
        case 0x32:
          this.#checkKeyValueList(end, 1);
          column.setSlice(row, AttributeType.KeyValueList, start, end);
          break;
        case 0x3a:
          this.#slice(column, row, AttributeType.Bytes, end);
          break;
        default:
          reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
  }

  #slice(column: AnyValueColumn, row: number, type: AttributeType, messageEnd: number): void {
    const end = this.#reader.delimited(messageEnd);
    column.setSlice(row, type, this.#reader.position, end);
    this.#reader.position = end;
  }

  /** Values in lists stay encoded; they are checked here so that whoever reads them later can trust them. */
  #checkValue(messageEnd: number, depth: number): void {
    const reader = this.#reader;
    const end = reader.delimited(messageEnd);
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === 0x2a) {
        this.#checkArray(end, depth + 1);
      } else if (tag === 0x32) {
        this.#checkKeyValueList(end, depth + 1);
      } else {
        reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
  }

  #checkArray(messageEnd: number, depth: number): void {
    this.#checkDepth(depth);
    const reader = this.#reader;
    const end = reader.delimited(messageEnd);
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === 0x0a) {
        this.#countValue();
        this.#checkValue(end, depth);
      } else {
        reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
  }

  #checkKeyValueList(messageEnd: number, depth: number): void {
    this.#checkDepth(depth);
    const reader = this.#reader;
    const end = reader.delimited(messageEnd);
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === 0x0a) {
        this.#countValue();
        const entryEnd = reader.delimited(end);
        while (reader.position < entryEnd) {
          const entryTag = reader.tag();
          if (entryTag === 0x12) {
            this.#checkValue(entryEnd, depth);
          } else {
            reader.skip(entryTag, entryEnd);
          }
        }
        reader.endMessage(entryEnd);
      } else {
        reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
  }

  #countValue(): void {
    if (++this.#valuesInLists > MAX_TABLE_ROWS) {
      throw new BatchTooLargeError('values in lists');
    }
  }

  #checkDepth(depth: number): void {
    if (depth > this.#maxDepth) {
      throw this.#reader.fail(`values nested more than ${this.#maxDepth} deep`);
    }
  }
}
