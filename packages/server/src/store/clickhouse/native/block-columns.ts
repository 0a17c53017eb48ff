import type { NativeBlock } from '../../native-block.ts';
import { ColumnBuffer } from './column-buffer.ts';
import { DictionaryColumn, LOW_CARDINALITY_VERSION } from './dictionary-column.ts';

interface Column {
  readonly name: string;
  readonly type: string;
  readonly header: Uint8Array;
  readonly buffers: readonly ColumnBuffer[];
}

/**
 * The columns of one table's `Native` blocks. An encoder takes its buffers from here once and fills them row by row.
 *
 * A block is: number of columns and of rows in LEB128, then for each column its name, its type and its values.
 * An array's values are the end offsets of its rows (UInt64), then its elements; a map's are those of arrays of keys and values.
 */
export class BlockColumns {
  readonly #columns: Column[] = [];
  readonly #lists: Lists[] = [];
  readonly #dictionaries: DictionaryColumn[] = [];
  readonly #start = new ColumnBuffer(16);

  /** A column of scalar values, or a `String`. The type is what the bytes are; the table's may differ (`LowCardinality`). */
  add(name: string, type: string): ColumnBuffer {
    const values = new ColumnBuffer();
    this.#push(name, type, [values]);
    return values;
  }

  /** A column of texts that repeat. */
  addDictionary(name: string): DictionaryColumn {
    const values = this.#dictionary();
    this.#push(name, 'LowCardinality(String)', values.buffers);
    return values;
  }

  /** Columns of arrays that have equal lengths in each row, and so share their offsets. */
  addArrays<const Names extends readonly (readonly [name: string, elementType: string])[]>(
    ...columns: Names
  ): Lists<{ [Index in keyof Names]: ColumnBuffer }> {
    const values = columns.map(() => new ColumnBuffer()) as { [Index in keyof Names]: ColumnBuffer };
    const lists = new Lists(values);
    for (const [index, [name, elementType]] of columns.entries()) {
      this.#push(name, `Array(${elementType})`, [lists.offsets, values[index]]);
    }
    this.#lists.push(lists);
    return lists;
  }

  /** A column of maps whose keys are texts that repeat: its `values` are those of the maps. */
  addTextMap(name: string, valueType: string): TextMap {
    const map = new TextMap(this.#dictionary());
    this.#push(name, `Map(LowCardinality(String), ${valueType})`, [map.offsets, ...map.keys.buffers, ...map.values]);
    this.#lists.push(map);
    return map;
  }

  /** A column of maps: its `values` are the keys and the values. */
  addMap(name: string, keyType: string, valueType: string): MapColumn {
    const lists = new Lists<[ColumnBuffer, ColumnBuffer]>([new ColumnBuffer(), new ColumnBuffer()]);
    this.#push(name, `Map(${keyType}, ${valueType})`, [lists.offsets, ...lists.values]);
    this.#lists.push(lists);
    return lists;
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
    for (const { buffers } of this.#columns) {
      for (const buffer of buffers) {
        buffer.reset();
      }
    }
    for (const lists of this.#lists) {
      lists.count = 0;
    }
    for (const dictionary of this.#dictionaries) {
      dictionary.reset();
    }
  }

  block(rows: number): NativeBlock {
    this.#start.reset();
    this.#start.varint(this.#columns.length);
    this.#start.varint(rows);
    for (const dictionary of this.#dictionaries) {
      dictionary.finish();
    }
    const chunks: Uint8Array[] = [this.#start.written()];
    for (const { header, buffers } of this.#columns) {
      chunks.push(header, ...buffers.map((buffer) => buffer.written()));
    }
    const byteLength = chunks.reduce((total, chunk) => total + chunk.length, 0);
    return { rows, columns: this.#columns, chunks, byteLength };
  }

  #dictionary(): DictionaryColumn {
    const dictionary = new DictionaryColumn();
    this.#dictionaries.push(dictionary);
    return dictionary;
  }

  #push(name: string, type: string, buffers: readonly ColumnBuffer[]): void {
    const header = new ColumnBuffer(64);
    header.text(name);
    header.text(type);
    if (type.includes('LowCardinality')) {
      header.count(LOW_CARDINALITY_VERSION);
    }
    this.#columns.push({ name, type, header: header.written(), buffers });
  }
}

/** Lists of keys and values. */
export type MapColumn = Lists<[keys: ColumnBuffer, values: ColumnBuffer]>;

/** Lists of elements, one list a row. Write an element to each of `values` and count it in `count`; `endRow` after each row. */
export class Lists<Values extends readonly ColumnBuffer[] = readonly ColumnBuffer[]> {
  readonly offsets = new ColumnBuffer();
  readonly values: Values;
  /** Elements of all rows so far. */
  count = 0;

  constructor(values: Values) {
    this.values = values;
  }

  endRow(): void {
    this.offsets.count(this.count);
  }

  /** Ends `rows` rows without elements. */
  endEmptyRows(rows: number): void {
    if (this.count === 0) {
      this.offsets.zeros(rows * 8);
    } else {
      for (let row = 0; row < rows; row++) {
        this.offsets.count(this.count);
      }
    }
  }
}

/** A list of keys, each a text that repeats, and one of values for each row. */
export class TextMap extends Lists<[values: ColumnBuffer]> {
  readonly keys: DictionaryColumn;

  constructor(keys: DictionaryColumn) {
    super([new ColumnBuffer()]);
    this.keys = keys;
  }
}
