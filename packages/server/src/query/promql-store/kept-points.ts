import type { RecentPoints } from '../../store/recent-points.ts';
import type { PointColumns } from './point-memory.ts';
import type { PointSlots } from './point-slots.ts';

/** Times that slots share as long as they have the same; the first `filled` are set. */
interface Axis {
  readonly times: Float64Array;
  filled: number;
}

/**
 * Points by slots with room after those of each, so that new ones can be added in place: what `from` has handed out stays as it was.
 */
export class KeptPoints {
  readonly #axes: Axis[];
  readonly #values: readonly Float64Array[];
  readonly #missing: readonly Uint8Array[] | undefined;
  readonly #lengths: Uint32Array;
  /** Of memory, about. Grows where slots stop to have the same times. */
  byteLength = 0;

  constructor(points: PointColumns) {
    const { times, values, missing } = points;
    this.#values = values;
    this.#missing = missing;
    this.#lengths = Uint32Array.from(times, ({ length }) => length);
    this.#axes = [];
    for (const [slot, own] of times.entries()) {
      const before = this.#axes[slot - 1];
      this.#axes.push(before?.times === own ? before : { times: own, filled: own.length });
      this.byteLength += SLOT_BYTES + values[slot].byteLength + (missing?.[slot].byteLength ?? 0);
      if (before?.times !== own) this.byteLength += own.byteLength;
    }
  }

  /** Views of the points from `fromMs` to `toMs` (exclusive). */
  from(fromMs: number, toMs: number): PointColumns {
    const times: Float64Array[] = [];
    const values: Float64Array[] = [];
    const missing: Uint8Array[] | undefined = this.#missing && [];
    let [start, end] = [0, 0];
    for (const [slot, axis] of this.#axes.entries()) {
      const length = this.#lengths[slot];
      if (slot > 0 && axis === this.#axes[slot - 1] && length === this.#lengths[slot - 1]) times.push(times[slot - 1]);
      else {
        start = firstFrom(axis.times, fromMs, length);
        end = firstFrom(axis.times, toMs, length);
        times.push(axis.times.subarray(start, end));
      }
      values.push(this.#values[slot].subarray(start, end));
      if (this.#missing) missing?.push(this.#missing[slot].subarray(start, end));
    }
    return { times, values, missing };
  }

  /** The same with the points of a later time after them, and without those before `fromMs`. */
  with(later: PointColumns, fromMs: number, untilMs: number): KeptPoints {
    return new KeptPoints(join(this.from(fromMs, untilMs), later));
  }

  /**
   * Adds the points of a time that have come since `since`; undefined where that would take more than adding them: there is one from before
   * those that are there, or the first that says that its series has ended, or more memory. Gives itself, or, when there was no room any more,
   * others with more of it, without points before `keptFromMs`.
   */
  added(
    recent: RecentPoints,
    since: number,
    slots: PointSlots,
    { fromMs, toMs, keptFromMs, maxBytes }: AddedRange,
  ): KeptPoints | undefined {
    const found = this.#newRows(recent, since, slots, fromMs, toMs);
    if (found === undefined) return undefined;
    if (found.rows.length === 0) return this;
    const hasRoom = found.slots.every(
      (slot, index) =>
        this.#lengths[slot] + found.ends[index] - (found.ends[index - 1] ?? 0) <= this.#values[slot].length,
    );
    const kept = hasRoom ? this : this.#withRoom(keptFromMs, found, maxBytes);
    if (kept !== undefined) kept.#append(recent, found);
    return kept;
  }

  #newRows(recent: RecentPoints, since: number, slots: PointSlots, fromMs: number, toMs: number): NewRows | undefined {
    const found: NewRows = { slots: [], ends: [], rows: [] };
    let own: number[] = [];
    for (let index = 0; index < slots.ids.length; index++) {
      const slot = slots.slotAt(index);
      for (let row = slots.lastRow(recent, index); row >= since; row = recent.rowBefore(row)) {
        const time = recent.timeOf(row);
        if (time < fromMs || time >= toMs) continue;
        const axis = this.#axes[slot].times;
        const length = this.#lengths[slot];
        if (length > 0 && time <= axis[length - 1]) {
          // It may have been read when it came; else it is late.
          if (axis[firstFrom(axis, time, length)] !== time) return undefined;
          continue;
        }
        if (recent.isMissing(row) && this.#missing === undefined) return undefined;
        own.push(row);
      }
      if (own.length === 0 || (index + 1 < slots.ids.length && slots.slotAt(index + 1) === slot)) continue;
      // They came from the last to the first.
      own.reverse();
      if (!ascends(own, recent)) {
        own.sort((a, b) => recent.timeOf(a) - recent.timeOf(b) || a - b);
        own = own.filter((row, at) => at === 0 || recent.timeOf(own[at - 1]) !== recent.timeOf(row));
      }
      found.slots.push(slot);
      for (const row of own) found.rows.push(row);
      found.ends.push(found.rows.length);
      own = [];
    }
    return found;
  }

  #append(recent: RecentPoints, { slots, ends, rows }: NewRows): void {
    /** The axis of the slot before, as it was, and what it is now. */
    let [axisBefore, axisNow, lengthBefore, slotBefore]: [Axis | undefined, Axis | undefined, number, number] = [
      undefined,
      undefined,
      0,
      -1,
    ];
    let start = 0;
    for (const [index, slot] of slots.entries()) {
      const end = ends[index];
      const length = this.#lengths[slot];
      const axis = this.#axes[slot];
      let next = axis;
      if (!extend(axis, length, recent, rows, start, end)) {
        // What the slot before got may do for this one, too.
        const isAlike = slot === slotBefore + 1 && axis === axisBefore && length === lengthBefore;
        if (isAlike && axisNow !== undefined && extend(axisNow, length, recent, rows, start, end)) next = axisNow;
        else {
          next = { times: new Float64Array(axis.times.length), filled: length };
          next.times.set(axis.times.subarray(0, length));
          this.byteLength += next.times.byteLength;
          extend(next, length, recent, rows, start, end);
        }
      }
      for (let at = start; at < end; at++) {
        this.#values[slot][length + at - start] = recent.valueOf(rows[at]);
        if (this.#missing) this.#missing[slot][length + at - start] = recent.isMissing(rows[at]) ? 1 : 0;
      }
      this.#axes[slot] = next;
      this.#lengths[slot] = length + end - start;
      [axisBefore, axisNow, lengthBefore, slotBefore] = [axis, next, length, slot];
      start = end;
    }
  }

  /** The points from `fromMs` on with room for those that are to come and for as many again as an eighth of all. */
  #withRoom(fromMs: number, { slots, ends }: NewRows, maxBytes: number): KeptPoints | undefined {
    const { times, values, missing } = this.from(fromMs, Number.POSITIVE_INFINITY);
    const room = Uint32Array.from(times, ({ length }) => length + Math.max(LEAST_ROOM, length >> 3));
    for (const [index, slot] of slots.entries()) room[slot] += ends[index] - (ends[index - 1] ?? 0);
    const size = room.reduce((sum, own) => sum + own, 0);
    if (size * (missing ? 9 : 8) + times.length * SLOT_BYTES > maxBytes) return undefined;
    const roomyValues = roomy(values, room, new Float64Array(size));
    const roomyMissing = missing && roomy(missing, room, new Uint8Array(size));
    const roomyTimes: Float64Array[] = [];
    for (const [slot, own] of times.entries()) {
      const isSame = slot > 0 && own === times[slot - 1] && room[slot] === room[slot - 1];
      if (isSame) roomyTimes.push(roomyTimes[slot - 1]);
      else {
        const copy = new Float64Array(room[slot]);
        copy.set(own);
        roomyTimes.push(copy);
      }
    }
    const kept = new KeptPoints({ times: roomyTimes, values: roomyValues, missing: roomyMissing });
    for (const [slot, own] of times.entries()) {
      kept.#lengths[slot] = own.length;
      kept.#axes[slot].filled = own.length;
    }
    return kept;
  }
}

interface AddedRange {
  /** Points of the time from `fromMs` to `toMs` (exclusive) are added, */
  readonly fromMs: number;
  readonly toMs: number;
  /** and those before this one are not needed any more. */
  readonly keptFromMs: number;
  readonly maxBytes: number;
}

interface NewRows {
  /** Slots with new rows, ascending. */
  readonly slots: number[];
  /** Where in `rows` those of each slot end. */
  readonly ends: number[];
  /** Their numbers, of each slot in the order of their times. */
  readonly rows: number[];
}

/** Of the objects that stand for a slot's arrays. */
const SLOT_BYTES = 300;
const LEAST_ROOM = 16;

/** Puts times of rows after the first `length`; false where others are, or there is no room. */
function extend(
  axis: Axis,
  length: number,
  recent: RecentPoints,
  rows: readonly number[],
  start: number,
  end: number,
): boolean {
  if (length + end - start > axis.times.length) return false;
  for (let at = start; at < end; at++) {
    const place = length + at - start;
    if (place >= axis.filled) break;
    if (axis.times[place] !== recent.timeOf(rows[at])) return false;
  }
  for (let place = axis.filled; place < length + end - start; place++) {
    axis.times[place] = recent.timeOf(rows[start + place - length]);
  }
  axis.filled = Math.max(axis.filled, length + end - start);
  return true;
}

function roomy<Column extends Float64Array | Uint8Array>(
  columns: readonly Column[],
  room: Uint32Array,
  all: Column,
): Column[] {
  let at = 0;
  return columns.map((own, slot) => {
    all.set(own, at);
    const view = all.subarray(at, at + room[slot]) as Column;
    at += room[slot];
    return view;
  });
}

function ascends(rows: readonly number[], recent: RecentPoints): boolean {
  for (let at = 1; at < rows.length; at++) if (recent.timeOf(rows[at - 1]) >= recent.timeOf(rows[at])) return false;
  return true;
}

/** The first place of `length` whose time is not before `timeMs`. */
function firstFrom(times: Float64Array, timeMs: number, length: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle] < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The points of every slot, the later ones after the earlier. Values are views of one array. */
function join(earlier: PointColumns, later: PointColumns): PointColumns {
  const times: Float64Array[] = [];
  for (const [slot, own] of earlier.times.entries()) {
    const next = later.times[slot];
    const isSame = slot > 0 && own === earlier.times[slot - 1] && next === later.times[slot - 1];
    times.push(isSame ? times[slot - 1] : joined(own, next));
  }
  const length = times.reduce((sum, own) => sum + own.length, 0);
  const all = new Float64Array(length);
  const gone = earlier.missing || later.missing ? new Uint8Array(length) : undefined;
  const values: Float64Array[] = [];
  const missing: Uint8Array[] | undefined = gone && [];
  let at = 0;
  for (const [slot, { length: count }] of times.entries()) {
    const before = earlier.values[slot];
    all.set(before, at);
    all.set(later.values[slot], at + before.length);
    values.push(all.subarray(at, at + count));
    if (gone) {
      if (earlier.missing) gone.set(earlier.missing[slot], at);
      if (later.missing) gone.set(later.missing[slot], at + before.length);
      missing?.push(gone.subarray(at, at + count));
    }
    at += count;
  }
  return { times, values, missing };
}

function joined(before: Float64Array, after: Float64Array): Float64Array {
  const all = new Float64Array(before.length + after.length);
  all.set(before);
  all.set(after, before.length);
  return all;
}
