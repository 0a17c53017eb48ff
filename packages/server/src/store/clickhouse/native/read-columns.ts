import type { ColumnMemory, ColumnResult, NumberColumn, ResultColumn } from '../../connection.ts';
import { freeMemory } from '../../free-memory.ts';

/**
 * Reads a whole result in format `Native` (without block info, as files and HTTP have it): blocks of column count, row
 * count, and per column name, type and values. Values of one column in several blocks become one array.
 */
export function readColumns(bytes: Uint8Array): ColumnResult {
  const reader = new Reader(bytes);
  const columns = new Map<string, Collected>();
  let rowCount = 0;
  while (!reader.atEnd) {
    const columnCount = reader.varint();
    const rows = reader.varint();
    rowCount += rows;
    for (let index = 0; index < columnCount; index++) {
      const name = reader.text();
      const type = reader.text();
      let column = columns.get(name);
      if (column === undefined) {
        column = new Collected(type);
        columns.set(name, column);
      }
      column.read(reader, rows);
    }
  }
  return new NativeResult(bytes, rowCount, columns);
}

class NativeResult implements ColumnResult {
  readonly rowCount: number;
  readonly columns: ColumnResult['columns'];
  readonly #bytes: Uint8Array;
  readonly #collected: ReadonlyMap<string, Collected>;

  constructor(bytes: Uint8Array, rowCount: number, collected: ReadonlyMap<string, Collected>) {
    this.#bytes = bytes;
    this.rowCount = rowCount;
    this.#collected = collected;
    const columns = {};
    for (const [name, column] of collected) {
      Object.defineProperty(columns, name, { enumerable: true, get: () => column.finished });
    }
    this.columns = columns;
  }

  numbersIn(memory: ColumnMemory, name: string): NumberColumn | undefined {
    return this.#collected.get(name)?.numbersIn(memory);
  }

  release(): void {
    freeMemory(this.#bytes);
  }
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** A column's places in the result, block by block: the values are copied once, when all are known. */
class Collected {
  readonly #type: string;
  readonly #elementType: string | undefined;
  readonly #spans: Span[] = [];
  readonly #strings: string[] = [];
  #offsets = new Uint32Array(1);
  #lists = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #finished: ResultColumn | undefined;

  constructor(type: string) {
    this.#type = type;
    this.#elementType = /^Array\((\w+)\)$/.exec(type)?.[1];
  }

  read(reader: Reader, rows: number): void {
    this.#bytes = reader.bytes;
    if (this.#type === 'String') {
      for (let row = 0; row < rows; row++) this.#strings.push(reader.text());
    } else if (this.#elementType === undefined) {
      this.#spans.push(reader.skip(rows * makerOf(this.#type).width));
    } else {
      if (this.#lists + rows >= this.#offsets.length) {
        const larger = new Uint32Array(Math.max(this.#offsets.length * 2, this.#lists + rows + 1));
        larger.set(this.#offsets);
        this.#offsets = larger;
      }
      const before = this.#offsets[this.#lists] as number;
      let last = 0;
      for (let row = 0; row < rows; row++) {
        last = reader.uint64();
        this.#offsets[++this.#lists] = before + last;
      }
      this.#spans.push(reader.skip(last * makerOf(this.#elementType).width));
    }
  }

  get finished(): ResultColumn {
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  numbersIn(memory: ColumnMemory): NumberColumn {
    if (this.#type === 'String' || this.#elementType !== undefined) {
      throw new Error(`A column of type ${this.#type} has no number for each row`);
    }
    const length = this.#byteLength;
    return this.#join(this.#type, memory.take(length), length);
  }

  #finish(): ResultColumn {
    if (this.#type === 'String') return this.#strings;
    const length = this.#byteLength;
    if (this.#elementType === undefined) return this.#join(this.#type, new ArrayBuffer(length), length);
    const values = this.#join(this.#elementType, new ArrayBuffer(length), length);
    return { offsets: this.#offsets.subarray(0, this.#lists + 1), values };
  }

  /** Of the values, in all blocks. */
  get #byteLength(): number {
    return this.#spans.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  #join(type: string, buffer: ArrayBuffer, length: number): NumberColumn {
    const joined = new Uint8Array(buffer);
    let at = 0;
    for (const { start, end } of this.#spans) {
      joined.set(this.#bytes.subarray(start, end), at);
      at += end - start;
    }
    const { make, width } = makerOf(type);
    return make(buffer, length / width);
  }
}

const makers: Readonly<Record<string, { width: number; make: (buffer: ArrayBuffer, length: number) => NumberColumn }>> =
  {
    UInt8: { width: 1, make: (buffer, length) => new Uint8Array(buffer, 0, length) },
    UInt32: { width: 4, make: (buffer, length) => new Uint32Array(buffer, 0, length) },
    Int32: { width: 4, make: (buffer, length) => new Int32Array(buffer, 0, length) },
    UInt64: { width: 8, make: (buffer, length) => new BigUint64Array(buffer, 0, length) },
    Int64: { width: 8, make: (buffer, length) => new BigInt64Array(buffer, 0, length) },
    Float64: { width: 8, make: (buffer, length) => new Float64Array(buffer, 0, length) },
  };

function makerOf(type: string): (typeof makers)[string] {
  const maker = makers[type];
  if (maker === undefined) throw new Error(`A result's column of type ${type} can't be read; convert it in the query`);
  return maker;
}

class Reader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at >= this.bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#view.getUint8(this.#at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  /** Exact up to 2^53, which no length reaches. */
  uint64(): number {
    const value = this.#view.getUint32(this.#at, true) + this.#view.getUint32(this.#at + 4, true) * 2 ** 32;
    this.#at += 8;
    return value;
  }

  text(): string {
    const { start, end } = this.skip(this.varint());
    return this.#buffer.toString('utf8', start, end);
  }

  skip(length: number): Span {
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.bytes.length) throw new Error('A result ends in the middle of a column');
    return { start, end: this.#at };
  }
}
