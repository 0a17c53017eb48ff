import type { PointSlots } from './point-slots.ts';

/** Times of rows, in ms since some time. */
export type TimeColumn = Float64Array | Uint32Array;

/**
 * Rows of a result by their slots and times, as runs of rows that stand together: the store has 60 points of a series, of a
 * quarter of an hour, in a row. The runs of slot i are those from `offsets[i]` to `offsets[i + 1]`, each the rows from its start to
 * its end (exclusive). Within a slot times ascend, and none is there twice: a request that was sent again.
 */
export class PointRuns {
  readonly #offsets: Uint32Array;
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;

  /** @param ids of the rows' series; rows of others than the slots' are left out. Neither is kept. */
  constructor(ids: BigUint64Array, times: TimeColumn, slots: PointSlots) {
    const found = findRuns(ids, slots);
    const { offsets, order } = orderedBySlot(found.slots, slots.count);
    this.#offsets = new Uint32Array(slots.count + 1);
    const starts: number[] = [];
    const ends: number[] = [];
    for (let slot = 0; slot < slots.count; slot++) {
      const own = order.subarray(offsets[slot], offsets[slot + 1]);
      if (ascends(own, found, times)) {
        for (const run of own) {
          starts.push(found.starts[run]);
          ends.push(found.ends[run]);
        }
      } else {
        for (const row of sortedRows(own, found, times)) {
          starts.push(row);
          ends.push(row + 1);
        }
      }
      this.#offsets[slot + 1] = starts.length;
    }
    this.#starts = new Uint32Array(starts);
    this.#ends = new Uint32Array(ends);
  }

  /** How many rows a slot has. */
  lengthOf(slot: number): number {
    let length = 0;
    for (let run = this.#offsets[slot]; run < this.#offsets[slot + 1]; run++)
      length += this.#ends[run] - this.#starts[run];
    return length;
  }

  /** The rows of a slot. */
  rowsOf(slot: number): Uint32Array {
    const rows = new Uint32Array(this.lengthOf(slot));
    let at = 0;
    for (let run = this.#offsets[slot]; run < this.#offsets[slot + 1]; run++) {
      for (let row = this.#starts[run]; row < this.#ends[run]; row++) rows[at++] = row;
    }
    return rows;
  }

  /** A column's values in the rows of a slot. */
  pick<Column extends Float64Array | Uint8Array>(column: Column, slot: number): Column {
    const picked = create(column, this.lengthOf(slot));
    this.copy(column, slot, picked, 0);
    return picked;
  }

  /** The times of a slot's rows, in ms since 1970. */
  timesOf(times: PointTimes, slot: number): Float64Array {
    const picked = new Float64Array(this.lengthOf(slot));
    this.copyTimes(times, slot, picked, 0);
    return picked;
  }

  /** Puts the times of a slot's rows, made those since 1970, where `at` says; gives where they end. */
  copyTimes({ baseMs, column }: PointTimes, slot: number, to: Float64Array, at: number): number {
    let next = at;
    for (let run = this.#offsets[slot]; run < this.#offsets[slot + 1]; run++) {
      const start = this.#starts[run];
      const end = this.#ends[run];
      for (let row = start; row < end; row++) to[next + row - start] = baseMs + column[row];
      next += end - start;
    }
    return next;
  }

  /** Where the times of a slot's rows end in an array that has the same from `at` on; -1: it has others. */
  matchTimes({ baseMs, column }: PointTimes, slot: number, other: Float64Array, at: number): number {
    let next = at;
    for (let run = this.#offsets[slot]; run < this.#offsets[slot + 1]; run++) {
      const start = this.#starts[run];
      const end = this.#ends[run];
      if (next + end - start > other.length) return -1;
      for (let row = start; row < end; row++) if (other[next + row - start] !== baseMs + column[row]) return -1;
      next += end - start;
    }
    return next;
  }

  /** Puts a column's values in the rows of a slot where `at` says; gives where they end. */
  copy(column: Float64Array | Uint8Array, slot: number, to: Float64Array | Uint8Array, at: number): number {
    let next = at;
    for (let run = this.#offsets[slot]; run < this.#offsets[slot + 1]; run++) {
      const start = this.#starts[run];
      const end = this.#ends[run];
      // A view costs more than copying a few numbers.
      if (end - start > 48) to.set(column.subarray(start, end), next);
      else for (let row = start; row < end; row++) to[next + row - start] = column[row];
      next += end - start;
    }
    return next;
  }
}

/** When the points of rows were, in ms. */
export interface PointTimes {
  /** In ms since 1970; the column says what is to be added. */
  readonly baseMs: number;
  readonly column: TimeColumn;
}

/**
 * The times of every slot, those of one result after those of the one before it. Slots that follow each other and have the same times
 * share one array: whatever sends its metrics together gives all of them the same.
 */
export function joinTimes(
  parts: readonly { readonly runs: PointRuns; readonly times: PointTimes }[],
  slotCount: number,
): Float64Array[] {
  const found: Float64Array[] = [];
  let last = new Float64Array(0);
  for (let slot = 0; slot < slotCount; slot++) {
    let same = 0;
    for (const { runs, times } of parts) if (same >= 0) same = runs.matchTimes(times, slot, last, same);
    if (same !== last.length) {
      last = new Float64Array(parts.reduce((length, { runs }) => length + runs.lengthOf(slot), 0));
      let at = 0;
      for (const { runs, times } of parts) at = runs.copyTimes(times, slot, last, at);
    }
    found.push(last);
  }
  return found;
}

/** A column of a result, with where in it the values of slots are. */
export interface PartColumn<Column> {
  readonly runs: PointRuns;
  readonly column: Column;
}

/**
 * The values of every slot, those of one result after those of the one before it. They are views of one array, since thousands of
 * small ones cost more than what is in them.
 */
export function joinParts<Column extends Float64Array | Uint8Array>(
  parts: readonly [PartColumn<Column>, ...PartColumn<Column>[]],
  slotCount: number,
): Column[] {
  const ends = new Uint32Array(slotCount + 1);
  for (let slot = 0; slot < slotCount; slot++) {
    ends[slot + 1] = ends[slot] + parts.reduce((length, { runs }) => length + runs.lengthOf(slot), 0);
  }
  const [{ column: first }] = parts;
  const all = create(first, ends[slotCount]);
  const next = ends.slice(0, slotCount);
  for (const { runs, column } of parts) {
    for (let slot = 0; slot < slotCount; slot++) next[slot] = runs.copy(column, slot, all, next[slot]);
  }
  return Array.from(next, (end, slot) => all.subarray(ends[slot], end) as Column);
}

function create<Column extends Float64Array | Uint8Array>(column: Column, length: number): Column {
  return new (column.constructor as new (length: number) => Column)(length);
}

interface Runs {
  readonly slots: Int32Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

function findRuns(ids: BigUint64Array, slots: PointSlots): Runs {
  const words = new Uint32Array(ids.buffer, ids.byteOffset, ids.length * 2);
  const found: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  for (let row = 0; row < ids.length; ) {
    const low = words[row * 2];
    const high = words[row * 2 + 1];
    let end = row + 1;
    while (end < ids.length && words[end * 2] === low && words[end * 2 + 1] === high) end++;
    const slot = slots.slotOf(low, high);
    if (slot >= 0) {
      found.push(slot);
      starts.push(row);
      ends.push(end);
    }
    row = end;
  }
  return { slots: new Int32Array(found), starts: new Uint32Array(starts), ends: new Uint32Array(ends) };
}

/** The runs' places by their slots: those of slot i from `offsets[i]` to `offsets[i + 1]`, in the order of their rows. */
function orderedBySlot(slots: Int32Array, count: number): { offsets: Uint32Array; order: Uint32Array } {
  const offsets = new Uint32Array(count + 1);
  for (const slot of slots) offsets[slot + 1]++;
  for (let slot = 0; slot < count; slot++) offsets[slot + 1] += offsets[slot];
  const next = offsets.slice();
  const order = new Uint32Array(slots.length);
  for (let run = 0; run < slots.length; run++) order[next[slots[run]]++] = run;
  return { offsets, order };
}

/** Puts runs in the order of their first times; whether all their rows ascend then, with no time twice. */
function ascends(own: Uint32Array, { starts, ends }: Runs, times: TimeColumn): boolean {
  let isSorted = true;
  for (let i = 1; i < own.length && isSorted; i++) isSorted = times[starts[own[i - 1]]] <= times[starts[own[i]]];
  if (!isSorted) own.sort((a, b) => times[starts[a]] - times[starts[b]] || a - b);
  let last = Number.NEGATIVE_INFINITY;
  for (const run of own) {
    for (let row = starts[run]; row < ends[run]; row++) {
      if (times[row] <= last) return false;
      last = times[row];
    }
  }
  return true;
}

/** Rows in the order of their times, of those with the same time only the first. */
function sortedRows(own: Uint32Array, { starts, ends }: Runs, times: TimeColumn): number[] {
  const rows: number[] = [];
  for (const run of own) for (let row = starts[run]; row < ends[run]; row++) rows.push(row);
  rows.sort((a, b) => times[a] - times[b] || a - b);
  return rows.filter((row, at) => at === 0 || times[rows[at - 1]] !== times[row]);
}
