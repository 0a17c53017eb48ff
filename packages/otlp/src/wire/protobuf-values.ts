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

  /**
   * Reads the field that `tag` announced, a `KeyValue` in a message that ends at `messageEnd`, and those of the same tag that follow.
   * A span has ten of them, so this is where a decoder spends its time.
   */
  attributes(table: AttributeTable, messageEnd: number, tag: number): void {
    const reader = this.#reader;
    const { bytes } = reader;
    while (this.#shortAttributes(table, messageEnd, tag)) {
      this.#attribute(table, messageEnd);
      if (!(reader.position < messageEnd) || bytes[reader.position] !== tag) {
        return;
      }
      reader.position++;
    }
  }

  /**
   * Reads `KeyValue`s as nearly all are: below 128 bytes, first the key, then a value of one field. True: it ends behind a tag, before one
   * that is not like that. False: what follows is something else.
   *
   * A byte is read only where there is one: V8 makes all reads slower once one was beyond the end.
   */
  #shortAttributes(table: AttributeTable, messageEnd: number, tag: number): boolean {
    const reader = this.#reader;
    const { bytes } = reader;
    let { position } = reader;
    let { count } = table;
    let room = 0;
    let { start: keyStarts, end: keyEnds } = table.keys;
    let { type: types, start: starts, end: ends, words } = table.values;
    while (true) {
      const length = position < messageEnd ? bytes[position] : 0;
      const end = position + 1 + length;
      // The tag and length of a key, those of a value, and at least two bytes in it.
      if (length < 6 || length > 127 || end > messageEnd || bytes[position + 1] !== 0x0a || bytes[position + 2] > 127) {
        break;
      }
      const keyStart = position + 3;
      const keyEnd = keyStart + bytes[position + 2];
      const value = keyEnd + 2;
      if (value + 2 > end || bytes[keyEnd] !== 0x12 || value + bytes[keyEnd + 1] !== end) {
        break;
      }
      if (count >= room) {
        table.count = count;
        room = table.reserve(count + 1);
        ({ start: keyStarts, end: keyEnds } = table.keys);
        ({ type: types, start: starts, end: ends, words } = table.values);
      }
      const second = bytes[value + 1];
      let type: AttributeType = AttributeType.Empty;
      let low = 0;
      switch (bytes[value]) {
        case 0x0a:
          if (value + 2 + second === end) {
            type = AttributeType.String;
          }
          break;
        case 0x10:
          if (second < 2 && value + 2 === end) {
            type = AttributeType.Bool;
            low = second;
          }
          break;
        case 0x18:
          if (second < 128 && value + 2 === end) {
            type = AttributeType.Int;
            low = second;
          } else if (second > 127 && value + 3 === end && bytes[value + 2] < 128) {
            type = AttributeType.Int;
            low = (second & 127) | (bytes[value + 2] << 7);
          }
          break;
      }
      if (type === AttributeType.Empty) {
        this.#value(table.values, count, value, end);
      } else {
        types[count] = type;
        starts[count] = type === AttributeType.String ? value + 2 : 0;
        ends[count] = type === AttributeType.String ? end : 0;
        words[count * 2] = low;
        words[count * 2 + 1] = 0;
      }
      keyStarts[count] = keyStart;
      keyEnds[count] = keyEnd;
      count++;
      position = end;
      if (position >= messageEnd || bytes[position] !== tag) {
        table.count = count;
        reader.position = position;
        return false;
      }
      position++;
    }
    table.count = count;
    reader.position = position;
    return true;
  }

  /** A `KeyValue` of any size, with its fields in any order. */
  #attribute(table: AttributeTable, messageEnd: number): void {
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
