/**
 * Finds the slot of a stored series by its 64-bit id, millions of times: ids are compared as two 32-bit words, since a bigint
 * made for each row would cost more than all the rest.
 */
export class SlotTable {
  readonly #mask: number;
  readonly #keys: Uint32Array;
  readonly #slots: Int32Array;

  /** @param ids each with its slot; a later one of the same id wins */
  constructor(ids: readonly (readonly [id: bigint, slot: number])[]) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(8, ids.length * 2)));
    this.#mask = size - 1;
    this.#keys = new Uint32Array(size * 2);
    this.#slots = new Int32Array(size).fill(-1);
    const words = new Uint32Array(BigUint64Array.from(ids, ([id]) => id).buffer);
    for (const [index, [, slot]] of ids.entries()) {
      const low = words[index * 2];
      const high = words[index * 2 + 1];
      const place = this.#place(low, high);
      this.#keys[place * 2] = low;
      this.#keys[place * 2 + 1] = high;
      this.#slots[place] = slot;
    }
  }

  /** -1: not one of the ids. */
  slotOf(low: number, high: number): number {
    return this.#slots[this.#place(low, high)];
  }

  #place(low: number, high: number): number {
    let place = (low ^ Math.imul(high, 0x9e3779b1)) & this.#mask;
    while (this.#slots[place] !== -1 && (this.#keys[place * 2] !== low || this.#keys[place * 2 + 1] !== high)) {
      place = (place + 1) & this.#mask;
    }
    return place;
  }
}

/** Rows of a result by their slots: those of slot i are `rows` from `offsets[i]` to `offsets[i + 1]`, in the order of their times. */
export interface RowOrder {
  readonly rows: Uint32Array;
  readonly offsets: Uint32Array;
}

/**
 * Orders rows by slot and time. Of rows of one slot with the same time only one is kept: a request that was sent again.
 *
 * @param ids of their series, row by row; rows of others than the table's are left out
 */
export function orderRows(ids: BigUint64Array, times: Float64Array, table: SlotTable, slotCount: number): RowOrder {
  const slots = slotsOf(ids, table);
  const offsets = new Uint32Array(slotCount + 1);
  for (const slot of slots) if (slot >= 0) offsets[slot + 1]++;
  for (let slot = 0; slot < slotCount; slot++) offsets[slot + 1] += offsets[slot];
  const next = offsets.slice();
  const rows = new Uint32Array(offsets[slotCount]);
  for (let row = 0; row < slots.length; row++) {
    const slot = slots[row];
    if (slot >= 0) rows[next[slot]++] = row;
  }
  return withoutRepeats(rows, offsets, times);
}

function slotsOf(ids: BigUint64Array, table: SlotTable): Int32Array {
  const words = new Uint32Array(ids.buffer, ids.byteOffset, ids.length * 2);
  const slots = new Int32Array(ids.length);
  let low = -1;
  let high = -1;
  let slot = -1;
  for (let row = 0; row < slots.length; row++) {
    const rowLow = words[row * 2];
    const rowHigh = words[row * 2 + 1];
    // Rows of a series mostly stand together.
    if (rowLow !== low || rowHigh !== high) {
      low = rowLow;
      high = rowHigh;
      slot = table.slotOf(low, high);
    }
    slots[row] = slot;
  }
  return slots;
}

function withoutRepeats(rows: Uint32Array, offsets: Uint32Array, times: Float64Array): RowOrder {
  const timeOf = (row: number): number => times[row];
  let kept = 0;
  let from = 0;
  for (let slot = 0; slot + 1 < offsets.length; slot++) {
    const to = offsets[slot + 1];
    const own = rows.subarray(from, to);
    let sorted = true;
    for (let i = 1; i < own.length && sorted; i++) sorted = timeOf(own[i - 1]) <= timeOf(own[i]);
    if (!sorted) own.sort((a, b) => timeOf(a) - timeOf(b));
    const first = kept;
    for (const row of own) {
      if (kept > first && timeOf(rows[kept - 1]) === timeOf(row)) continue;
      rows[kept++] = row;
    }
    offsets[slot] = first;
    from = to;
  }
  offsets[offsets.length - 1] = kept;
  return { rows: rows.subarray(0, kept), offsets };
}
