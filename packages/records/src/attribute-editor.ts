import type { AttributeTable } from './attribute-table.ts';
import { AttributeType } from './attribute-type.ts';
import { type AttributeValue, attributeValue, textOf } from './objects.ts';
import type { RecordBatch } from './record-batch.ts';
import { setAnyValue } from './set-any-value.ts';

const encoder = new TextEncoder();
const NONE = -1;

/** A key of attributes, encoded once for many batches. */
export class AttributeKey {
  readonly text: string;
  readonly bytes: Uint8Array;

  constructor(text: string) {
    this.text = text;
    this.bytes = encoder.encode(text);
  }
}

/**
 * Changes the attributes of rows of a batch. The editor sees its changes at once; the table's own offsets see added and
 * removed entries after `finish`, which rewrites the table once for all of them. Changed values show at once everywhere.
 * While a table has an editor, nothing else may add rows to it.
 */
export class AttributeEditor {
  readonly #batch: RecordBatch;
  readonly #table: AttributeTable;
  readonly #rowCount: number;
  /** Entries that the table had; those added stand behind them. */
  readonly #entryCount: number;
  /** By row: its first and last added entry. Made when the first is added. */
  #firstAdded: Int32Array | null = null;
  #lastAdded: Int32Array | null = null;
  /** By added entry: the next one of its row. */
  readonly #nextAdded: number[] = [];
  /** By entry. Made when the first is removed. */
  #removed: Uint8Array | null = null;
  /** Where the keys stand in this batch's bytes. */
  readonly #keyStarts = new Map<string, number>();
  #lastText = '';
  #lastTextStart = 0;
  #lastTextEnd = 0;

  constructor(batch: RecordBatch, table: AttributeTable, rowCount: number) {
    this.#batch = batch;
    this.#table = table;
    this.#rowCount = rowCount;
    this.#entryCount = table.offsets[rowCount];
  }

  /** The entry of `row` with this key, -1: none. Entries keep their numbers until `finish`. */
  find(row: number, key: AttributeKey): number {
    if (this.#removed === null) {
      const entry = this.#table.find(this.#batch.bytes, row, key.bytes);
      return entry >= 0 || this.#firstAdded === null ? entry : this.#findFrom(this.#firstAdded[row], row, key.bytes);
    }
    return this.#findFrom(this.first(row), row, key.bytes);
  }

  /** The first entry of `row`, -1: none. With `next` it visits all. Removing the entry at hand does not disturb a visit. */
  first(row: number): number {
    return this.#present(this.#table.offsets[row], row);
  }

  next(entry: number, row: number): number {
    return entry < this.#entryCount
      ? this.#present(entry + 1, row)
      : this.#presentAdded(this.#nextAdded[entry - this.#entryCount]);
  }

  /** How many attributes `row` has. */
  count(row: number): number {
    let count = 0;
    for (let entry = this.first(row); entry >= 0; entry = this.next(entry, row)) {
      count++;
    }
    return count;
  }

  key(entry: number): string {
    return textOf(this.#batch.bytes, this.#table.keys, entry);
  }

  /** An AttributeType. */
  type(entry: number): number {
    return this.#table.values.type[entry];
  }

  value(entry: number): AttributeValue {
    return attributeValue(this.#batch.bytes, this.#table.values, entry);
  }

  /** Whether the value of `entry` is this string. */
  isText(entry: number, text: Uint8Array): boolean {
    const { type, start, end } = this.#table.values;
    const from = start[entry];
    if (type[entry] !== AttributeType.String || end[entry] - from !== text.length) {
      return false;
    }
    const { bytes } = this.#batch;
    for (let i = 0; i < text.length; i++) {
      if (bytes[from + i] !== text[i]) {
        return false;
      }
    }
    return true;
  }

  /** Sets the value of the entry with this key, or adds one. */
  set(row: number, key: AttributeKey, value: AttributeValue): void {
    const entry = this.find(row, key);
    this.setValue(entry >= 0 ? entry : this.#add(row, key), value);
  }

  setValue(entry: number, value: AttributeValue): void {
    const { values } = this.#table;
    if (typeof value === 'string') {
      // The same text row after row, as a configured value is, stands in the bytes once.
      if (value !== this.#lastText || value === '') {
        this.#lastTextStart = this.#batch.appendText(value);
        this.#lastTextEnd = this.#batch.byteCount;
        this.#lastText = value;
      }
      values.setSlice(entry, AttributeType.String, this.#lastTextStart, this.#lastTextEnd);
    } else {
      setAnyValue(this.#batch, values, entry, value);
    }
  }

  /** Gives an entry another key; the caller makes sure that the row has no other entry of that key. */
  rename(entry: number, key: AttributeKey): void {
    const start = this.#keyStart(key);
    this.#table.keys.set(entry, start, start + key.bytes.length);
  }

  remove(entry: number): void {
    if (this.#removed === null) {
      this.#removed = new Uint8Array(Math.max(this.#table.count * 2, 64));
    } else if (entry >= this.#removed.length) {
      const grown = new Uint8Array(entry * 2);
      grown.set(this.#removed);
      this.#removed = grown;
    }
    this.#removed[entry] = 1;
  }

  /** Removes every entry of `row` with this key. Returns whether there was one. */
  removeKey(row: number, key: AttributeKey): boolean {
    let found = false;
    for (let entry = this.find(row, key); entry >= 0; entry = this.find(row, key)) {
      this.remove(entry);
      found = true;
    }
    return found;
  }

  /** Removes all entries of `row`. */
  clear(row: number): void {
    for (let entry = this.first(row); entry >= 0; entry = this.next(entry, row)) {
      this.remove(entry);
    }
  }

  /** Brings the table's offsets in line with what was added and removed. The editor's work ends here. */
  finish(): void {
    if (this.#firstAdded === null && this.#removed === null) {
      return;
    }
    const table = this.#table;
    const entries = new Uint32Array(table.count);
    const offsets = new Uint32Array(table.offsets.length);
    let count = 0;
    for (let row = 0; row < this.#rowCount; row++) {
      for (let entry = this.first(row); entry >= 0; entry = this.next(entry, row)) {
        entries[count++] = entry;
      }
      offsets[row + 1] = count;
    }
    table.rearrange(entries.subarray(0, count), offsets);
  }

  #add(row: number, key: AttributeKey): number {
    const start = this.#keyStart(key);
    const entry = this.#table.add(start, start + key.bytes.length);
    this.#nextAdded.push(NONE);
    if (this.#firstAdded === null || this.#lastAdded === null) {
      this.#firstAdded = new Int32Array(this.#rowCount).fill(NONE);
      this.#lastAdded = new Int32Array(this.#rowCount).fill(NONE);
    }
    const last = this.#lastAdded[row];
    if (last === NONE) {
      this.#firstAdded[row] = entry;
    } else {
      this.#nextAdded[last - this.#entryCount] = entry;
    }
    this.#lastAdded[row] = entry;
    return entry;
  }

  #present(from: number, row: number): number {
    const end = this.#table.offsets[row + 1];
    for (let entry = from; entry < end; entry++) {
      if (this.#removed === null || this.#removed[entry] === 0) {
        return entry;
      }
    }
    return this.#firstAdded === null ? NONE : this.#presentAdded(this.#firstAdded[row]);
  }

  #presentAdded(from: number): number {
    let entry = from;
    while (entry >= 0 && this.#removed !== null && this.#removed[entry] === 1) {
      entry = this.#nextAdded[entry - this.#entryCount];
    }
    return entry;
  }

  #findFrom(from: number, row: number, key: Uint8Array): number {
    for (let entry = from; entry >= 0; entry = this.next(entry, row)) {
      if (this.#hasKey(entry, key)) {
        return entry;
      }
    }
    return NONE;
  }

  #hasKey(entry: number, key: Uint8Array): boolean {
    const { start, end } = this.#table.keys;
    const from = start[entry];
    if (end[entry] - from !== key.length) {
      return false;
    }
    const { bytes } = this.#batch;
    for (let i = 0; i < key.length; i++) {
      if (bytes[from + i] !== key[i]) {
        return false;
      }
    }
    return true;
  }

  #keyStart(key: AttributeKey): number {
    let start = this.#keyStarts.get(key.text);
    if (start === undefined) {
      start = this.#batch.appendBytes(key.bytes);
      this.#keyStarts.set(key.text, start);
    }
    return start;
  }
}
