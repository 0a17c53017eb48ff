import {
  type AnyValueColumn,
  type AttributeTable,
  AttributeType,
  BatchTooLargeError,
  MAX_TABLE_ROWS,
} from '@signalbox/records';
import { FieldNames } from './field-names.ts';
import { readBase64 } from './json-bytes.ts';
import { INTEGER_RANGES } from './json-integer.ts';
import { END_OF_OBJECT, type JsonReader } from './json-reader.ts';

const KEY_VALUE = new FieldNames('key', 'value');
/** Numbered as in common.proto. */
const ANY_VALUE = new FieldNames(
  'stringValue',
  'boolValue',
  'intValue',
  'doubleValue',
  'arrayValue',
  'kvlistValue',
  'bytesValue',
);
const LIST = new FieldNames('values');

/**
 * Reads `KeyValue`s and `AnyValue`s (common.proto). Lists become their protobuf encoding, written over the JSON text
 * that was already read: it is never longer, because each name of a field is longer than tags and lengths.
 */
export class JsonValues {
  readonly #reader: JsonReader;
  readonly #maxDepth: number;
  readonly #double = new Float64Array(1);
  readonly #doubleBytes = new Uint8Array(this.#double.buffer);
  #write = 0;
  /** Values in lists are in no table, yet cost whoever reads them later as much as a table's rows. */
  #valuesInLists = 0;

  constructor(reader: JsonReader, maxDepth: number) {
    this.#reader = reader;
    this.#maxDepth = maxDepth;
  }

  /** Reads a list of `KeyValue`s into the row under construction. */
  attributes(table: AttributeTable): void {
    const reader = this.#reader;
    for (let more = reader.firstElement(); more; more = reader.nextElement()) {
      const entry = table.add(0, 0);
      table.values.setEmpty(entry);
      for (let field = reader.firstField(KEY_VALUE); field !== END_OF_OBJECT; field = reader.nextField(KEY_VALUE)) {
        if (field === 1) {
          reader.string();
          table.keys.set(entry, reader.start, reader.end);
        } else if (field === 2) {
          this.value(table.values, entry);
        } else {
          reader.skip();
        }
      }
    }
  }

  value(column: AnyValueColumn, row: number): void {
    const reader = this.#reader;
    column.setEmpty(row);
    const start = reader.position;
    for (let field = reader.firstField(ANY_VALUE); field !== END_OF_OBJECT; field = reader.nextField(ANY_VALUE)) {
      if (field === 0) {
        reader.skip();
        continue;
      }
      if (reader.null()) {
        continue;
      }
      switch (field) {
        case 1:
          reader.string();
          column.setSlice(row, AttributeType.String, reader.start, reader.end);
          break;
        case 2:
          column.setBool(row, reader.bool());
          break;
        case 3:
          reader.integer64(INTEGER_RANGES.int64);
          column.setInt(row, reader.low, reader.high);
          break;
        case 4:
          column.setDouble(row, reader.double());
          break;
        case 5:
        case 6:
          this.#write = start;
          this.#list(field, 1);
          column.setSlice(row, field === 5 ? AttributeType.Array : AttributeType.KeyValueList, start, this.#write);
          break;
        default:
          readBase64(reader);
          column.setSlice(row, AttributeType.Bytes, reader.start, reader.end);
      }
    }
  }

  /** Encodes an `arrayValue` (field 5) or `kvlistValue` (field 6): a message of messages. */
  #list(field: number, depth: number): void {
    const reader = this.#reader;
    if (depth > this.#maxDepth) {
      throw reader.fail(`values nested more than ${this.#maxDepth} deep`);
    }
    const list = this.#beginMessage(field);
    for (let name = reader.firstField(LIST); name !== END_OF_OBJECT; name = reader.nextField(LIST)) {
      if (name === 0) {
        reader.skip();
        continue;
      }
      for (let more = reader.firstElement(); more; more = reader.nextElement()) {
        if (++this.#valuesInLists > MAX_TABLE_ROWS) {
          throw new BatchTooLargeError('values in lists');
        }
        const element = this.#beginMessage(1);
        if (field === 5) {
          this.#encodeValue(depth);
        } else {
          this.#encodeEntry(depth);
        }
        this.#endMessage(element);
      }
    }
    this.#endMessage(list);
  }

  #encodeEntry(depth: number): void {
    const reader = this.#reader;
    for (let field = reader.firstField(KEY_VALUE); field !== END_OF_OBJECT; field = reader.nextField(KEY_VALUE)) {
      if (field === 1) {
        reader.string();
        this.#encodeBytes(1);
      } else if (field === 2) {
        const value = this.#beginMessage(2);
        this.#encodeValue(depth);
        this.#endMessage(value);
      } else {
        reader.skip();
      }
    }
  }

  #encodeValue(depth: number): void {
    const reader = this.#reader;
    for (let field = reader.firstField(ANY_VALUE); field !== END_OF_OBJECT; field = reader.nextField(ANY_VALUE)) {
      if (field === 0) {
        reader.skip();
        continue;
      }
      if (reader.null()) {
        continue;
      }
      switch (field) {
        case 1:
          reader.string();
          this.#encodeBytes(1);
          break;
        case 2:
          this.#encodeVarint(0x10, reader.bool() ? 1 : 0, 0);
          break;
        case 3:
          reader.integer64(INTEGER_RANGES.int64);
          this.#encodeVarint(0x18, reader.low, reader.high);
          break;
        case 4:
          this.#double[0] = reader.double();
          reader.bytes[this.#write++] = 0x21;
          reader.bytes.set(this.#doubleBytes, this.#write);
          this.#write += 8;
          break;
        case 5:
        case 6:
          this.#list(field, depth + 1);
          break;
        default:
          readBase64(reader);
          this.#encodeBytes(7);
      }
    }
  }

  /** Writes the reader's last string or bytes. */
  #encodeBytes(field: number): void {
    const { bytes, start, end } = this.#reader;
    this.#encodeVarint((field << 3) | 2, end - start, 0);
    bytes.copyWithin(this.#write, start, end);
    this.#write += end - start;
  }

  #encodeVarint(tag: number, lowWord: number, highWord: number): void {
    const { bytes } = this.#reader;
    bytes[this.#write++] = tag;
    let low = lowWord;
    let high = highWord;
    while (high !== 0 || low > 0x7f) {
      bytes[this.#write++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    bytes[this.#write++] = low;
  }

  /** Leaves one byte for the length; returns where the content starts. */
  #beginMessage(field: number): number {
    this.#reader.bytes[this.#write] = (field << 3) | 2;
    this.#write += 2;
    return this.#write;
  }

  /** Writes the length, moving the content when the length needs more than a byte: once per level, and levels are few. */
  #endMessage(start: number): void {
    const { bytes } = this.#reader;
    const length = this.#write - start;
    let lengthBytes = 1;
    for (let rest = length >>> 7; rest > 0; rest >>>= 7) {
      lengthBytes++;
    }
    if (lengthBytes > 1) {
      bytes.copyWithin(start + lengthBytes - 1, start, this.#write);
      this.#write += lengthBytes - 1;
    }
    let rest = length;
    let to = start - 1;
    for (; rest > 0x7f; rest >>>= 7) {
      bytes[to++] = (rest & 0x7f) | 0x80;
    }
    bytes[to] = rest;
  }
}
