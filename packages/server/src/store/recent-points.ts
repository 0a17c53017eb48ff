import type { NativeBlock } from './native-block.ts';

/**
 * The points of numbers that came last, by their series: who keeps points needs not read again what went through this process. Rows have
 * numbers in the order in which they became durable.
 */
export class RecentPoints {
  readonly #maxRows: number;
  readonly #maxSeries: number;
  /** A ring: row n is at n modulo its size. */
  #size = 0;
  #times = new Float64Array(0);
  #values = new Float64Array(0);
  #missing = new Uint8Array(0);
  /** How many rows before each the one before of its series is; 0: there is none, or it is gone. */
  #distances = new Uint32Array(0);
  /** The last row of each series, by the words of its id; -1: the place is free. */
  #ids = new Uint32Array(2 * FIRST_SERIES);
  #lastRows = new Float64Array(FIRST_SERIES).fill(-1);
  #series = 0;
  #end = 0;
  #begin = 0;

  /**
   * @param maxRows that are kept, 21 bytes each
   * @param maxSeries that they may be of, 32 bytes each
   */
  constructor(maxRows = MAX_ROWS, maxSeries = MAX_SERIES) {
    this.#maxRows = maxRows;
    this.#maxSeries = maxSeries;
  }

  /** The number that the next row gets. */
  get end(): number {
    return this.#end;
  }

  /** Whether all rows that came since `end` had this value are here. */
  reaches(end: number): boolean {
    return end >= this.#begin;
  }

  /** Rows may be others, or gone: nothing is known of what came so far. */
  forget(): void {
    // Whoever knows the end so far must not take it for one that is reached.
    this.#end++;
    this.#begin = this.#end;
    this.#ids = new Uint32Array(2 * FIRST_SERIES);
    this.#lastRows = new Float64Array(FIRST_SERIES).fill(-1);
    this.#series = 0;
  }

  /** Takes the rows of a block of `number_points`; copies them. */
  append(block: NativeBlock): void {
    const { rows } = block;
    const ids = words(column(block, 'series_id', 8));
    const times = words(column(block, 'time', 8));
    const values = column(block, 'value', 8);
    const flags = column(block, 'flags', 4);
    const isKnown = ids !== undefined && times !== undefined && values !== undefined && flags !== undefined;
    if (!isKnown || rows > this.#maxRows) {
      this.forget();
      return;
    }
    this.#makeRoom(rows);
    const numbers = new DataView(values.buffer, values.byteOffset, values.byteLength);
    for (let row = 0; row < rows; row++) {
      const number = this.#end;
      let place = this.#placeOf(ids[row * 2], ids[row * 2 + 1]);
      const last = this.#lastRows[place];
      if (last < 0) {
        if (this.#series >= this.#maxSeries) {
          this.#rehash();
          // Not again for each of those that come.
          if (this.#series > this.#maxSeries / 2) {
            this.forget();
            return;
          }
          place = this.#placeOf(ids[row * 2], ids[row * 2 + 1]);
        }
        this.#ids[place * 2] = ids[row * 2];
        this.#ids[place * 2 + 1] = ids[row * 2 + 1];
        this.#series++;
      }
      const at = number % this.#size;
      this.#times[at] = milliseconds(times[row * 2], times[row * 2 + 1]);
      this.#values[at] = numbers.getFloat64(row * 8, true);
      this.#missing[at] = flags[row * 4] & 1;
      this.#distances[at] = last >= this.#begin ? number - last : 0;
      this.#lastRows[place] = number;
      this.#end++;
      if (this.#series * 2 > this.#lastRows.length) this.#rehash();
    }
  }

  /** The last row of a series, by the words of its id; -1: there is none. */
  lastRow(low: number, high: number): number {
    const last = this.#lastRows[this.#placeOf(low, high)];
    return last >= this.#begin ? last : -1;
  }

  /** The row of the same series before a row; -1: there is none. */
  rowBefore(row: number): number {
    const distance = this.#distances[row % this.#size];
    return distance > 0 && row - distance >= this.#begin ? row - distance : -1;
  }

  /** In ms since 1970. */
  timeOf(row: number): number {
    return this.#times[row % this.#size];
  }

  valueOf(row: number): number {
    return this.#values[row % this.#size];
  }

  /** Whether nothing was recorded: the series has ended. */
  isMissing(row: number): boolean {
    return this.#missing[row % this.#size] === 1;
  }

  #makeRoom(rows: number): void {
    const needed = this.#end - this.#begin + rows;
    if (needed > this.#size && this.#size < this.#maxRows) {
      let size = Math.max(FIRST_ROWS, this.#size);
      while (size < needed) size *= 2;
      this.#resize(Math.min(size, this.#maxRows));
    }
    this.#begin = Math.max(this.#begin, this.#end + rows - this.#size);
  }

  #resize(size: number): void {
    const [times, values, missing, distances] = [this.#times, this.#values, this.#missing, this.#distances];
    const before = this.#size;
    this.#size = size;
    this.#times = new Float64Array(size);
    this.#values = new Float64Array(size);
    this.#missing = new Uint8Array(size);
    this.#distances = new Uint32Array(size);
    for (let row = this.#begin; row < this.#end; ) {
      const from = row % before;
      const to = row % size;
      const until = from + Math.min(this.#end - row, before - from, size - to);
      this.#times.set(times.subarray(from, until), to);
      this.#values.set(values.subarray(from, until), to);
      this.#missing.set(missing.subarray(from, until), to);
      this.#distances.set(distances.subarray(from, until), to);
      row += until - from;
    }
  }

  /** Without the series of which no row is left. */
  #rehash(): void {
    const ids = this.#ids;
    const lastRows = this.#lastRows;
    let live = 0;
    for (const row of lastRows) if (row >= this.#begin) live++;
    let size = FIRST_SERIES;
    while (size < live * 4) size *= 2;
    this.#ids = new Uint32Array(2 * size);
    this.#lastRows = new Float64Array(size).fill(-1);
    this.#series = live;
    for (const [place, row] of lastRows.entries()) {
      if (row < this.#begin) continue;
      const to = this.#placeOf(ids[place * 2], ids[place * 2 + 1]);
      this.#ids[to * 2] = ids[place * 2];
      this.#ids[to * 2 + 1] = ids[place * 2 + 1];
      this.#lastRows[to] = row;
    }
  }

  #placeOf(low: number, high: number): number {
    const mask = this.#lastRows.length - 1;
    let place = (low ^ Math.imul(high, 0x9e3779b1)) & mask;
    while (this.#lastRows[place] >= 0 && (this.#ids[place * 2] !== low || this.#ids[place * 2 + 1] !== high)) {
      place = (place + 1) & mask;
    }
    return place;
  }
}

const FIRST_ROWS = 16_384;
const MAX_ROWS = 1_048_576;
const FIRST_SERIES = 1_024;
const MAX_SERIES = 262_144;

/** The bytes of a column of numbers; undefined where they lie otherwise than an encoder of points lays them. */
function column({ columns, chunks, rows }: NativeBlock, name: string, width: number): Uint8Array | undefined {
  // Before the columns there is their number; each has a header and, where it is no list, one piece of values.
  if (chunks.length !== 1 + 2 * columns.length) return undefined;
  const place = columns.findIndex((one) => one.name === name);
  const bytes = place < 0 ? undefined : chunks[2 + 2 * place];
  return bytes?.length === rows * width ? bytes : undefined;
}

/** Seen as numbers of 32 bits. */
function words(bytes: Uint8Array | undefined): Uint32Array | undefined {
  if (bytes === undefined) return undefined;
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}

/** Of nanoseconds since 1970, which doubles can't hold, rounded down as the engine does. 2^32 ns are 4,294 ms and 967,296 ns. */
function milliseconds(low: number, high: number): number {
  return high * 4_294 + Math.floor((high * 967_296 + low) / 1_000_000);
}
