/**
 * Copies rows of one column to another: row `rows[i]` of `from` to row `first + i` of `to`, which has room for them. One
 * function per kind of array, since V8 compiles a loop over one kind to a few instructions and a loop over several to many.
 */
export function gatherUint8(to: Uint8Array, first: number, from: Uint8Array, rows: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) {
    to[first + i] = from[rows[i]];
  }
}

export function gatherUint32(to: Uint32Array, first: number, from: Uint32Array, rows: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) {
    to[first + i] = from[rows[i]];
  }
}

export function gatherInt32(to: Int32Array, first: number, from: Int32Array, rows: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) {
    to[first + i] = from[rows[i]];
  }
}

export function gatherFloat64(to: Float64Array, first: number, from: Float64Array, rows: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) {
    to[first + i] = from[rows[i]];
  }
}

/** Rows of two words: 64-bit integers, or doubles whose every bit is to stay. */
export function gatherWordPairs(to: Uint32Array, first: number, from: Uint32Array, rows: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) {
    const source = rows[i] * 2;
    const target = (first + i) * 2;
    to[target] = from[source];
    to[target + 1] = from[source + 1];
  }
}

/** Rows of `width` bytes, a multiple of four: ids. */
export function gatherIds(to: Uint8Array, first: number, from: Uint8Array, rows: Uint32Array, width: 8 | 16): void {
  const words = width / 4;
  const target = wordsOf(to);
  const source = wordsOf(from);
  let at = first * words;
  for (let i = 0; i < rows.length; i++) {
    const start = rows[i] * words;
    for (let word = 0; word < words; word++) {
      target[at++] = source[start + word];
    }
  }
}

/** As `gatherUint32`, with numbers replaced by those of `map`: references to rows of a table whose rows have moved. */
export function gatherMapped(
  to: Uint32Array,
  first: number,
  from: Uint32Array,
  rows: Uint32Array,
  map: Int32Array,
): void {
  for (let i = 0; i < rows.length; i++) {
    to[first + i] = map[from[rows[i]]];
  }
}

/** The entries that belong to `rows` in a table of lists: for row i those from `offsets[i]` to `offsets[i + 1]`. */
export function entriesOfRows(offsets: Uint32Array, rows: Uint32Array): Uint32Array<ArrayBuffer> {
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    count += offsets[rows[i] + 1] - offsets[rows[i]];
  }
  const entries = new Uint32Array(count);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    const end = offsets[rows[i] + 1];
    for (let entry = offsets[rows[i]]; entry < end; entry++) {
      entries[at++] = entry;
    }
  }
  return entries;
}

/** Writes the offsets of lists that were copied: rows `rows` of `from` became rows from `first` on, their entries start at `entry`. */
export function gatherOffsets(
  to: Uint32Array,
  first: number,
  from: Uint32Array,
  rows: Uint32Array,
  entry: number,
): void {
  let end = entry;
  for (let i = 0; i < rows.length; i++) {
    end += from[rows[i] + 1] - from[rows[i]];
    to[first + i + 1] = end;
  }
}

/** The numbers 0 to `count` - 1: all rows. */
export function allRows(count: number): Uint32Array<ArrayBuffer> {
  const rows = new Uint32Array(count);
  for (let row = 0; row < count; row++) {
    rows[row] = row;
  }
  return rows;
}

function wordsOf(ids: Uint8Array): Uint32Array {
  return new Uint32Array(ids.buffer, ids.byteOffset, ids.byteLength >>> 2);
}
