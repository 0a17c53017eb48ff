import { createHash } from 'node:crypto';
import type { RecentPoints } from '../../store/recent-points.ts';
import type { StoredSeries } from './stored-series.ts';

/**
 * Places for the points of stored series, of which several may share one. Points find theirs by the 64-bit id of their series,
 * millions of times: ids are compared as two 32-bit words, since a bigint made for each would cost more than all the rest.
 */
export class PointSlots {
  readonly count: number;
  /** Names in the store of the metrics that they are of. */
  readonly metrics: readonly string[];
  readonly ids: readonly bigint[];
  readonly #mask: number;
  readonly #keys: Uint32Array;
  readonly #slots: Int32Array;
  readonly #order: Int32Array;
  readonly #words: Uint32Array;
  #key: string | undefined;

  /** @param slots the series of each */
  constructor(slots: readonly (readonly StoredSeries[])[]) {
    const all = slots.flatMap((members, slot) => members.map(({ id, metric }) => ({ id, metric, slot })));
    this.count = slots.length;
    this.metrics = [...new Set(all.map(({ metric }) => metric))];
    this.ids = all.map(({ id }) => id);
    this.#order = Int32Array.from(all, ({ slot }) => slot);
    const size = 2 ** Math.ceil(Math.log2(Math.max(8, all.length * 2)));
    this.#mask = size - 1;
    this.#keys = new Uint32Array(size * 2);
    this.#slots = new Int32Array(size).fill(-1);
    const words = new Uint32Array(BigUint64Array.from(this.ids).buffer);
    this.#words = words;
    for (const [index, { slot }] of all.entries()) {
      const place = this.#place(words[index * 2], words[index * 2 + 1]);
      this.#keys[place * 2] = words[index * 2];
      this.#keys[place * 2 + 1] = words[index * 2 + 1];
      this.#slots[place] = slot;
    }
  }

  /** The same for slots of the same series, in the same order. */
  get key(): string {
    this.#key ??= createHash('sha256').update(BigUint64Array.from(this.ids)).update(this.#order).digest('base64');
    return this.#key;
  }

  /** The slot of `ids[index]`; ids are in the order of their slots. */
  slotAt(index: number): number {
    return this.#order[index];
  }

  /** The last row of `ids[index]`; -1: there is none. */
  lastRow(recent: RecentPoints, index: number): number {
    return recent.lastRow(this.#words[index * 2], this.#words[index * 2 + 1]);
  }

  /** The slot of a series by the words of its id; -1: none. */
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
