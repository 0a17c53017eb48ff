import type { Connection } from '../../store/connection.ts';
import { BoundedMap } from './bounded-map.ts';
import type { ReadRange } from './read-points.ts';

/** Points by slots, those of each in the order of their times. Slots that follow each other and have the same times share one array. */
export interface PointColumns {
  readonly times: readonly Float64Array[];
  readonly values: readonly Float64Array[];
  /** 1: nothing was recorded, the series has ended. Undefined: everywhere something was. */
  readonly missing: readonly Uint8Array[] | undefined;
}

interface KnownPoints extends PointColumns {
  /** Points of this range are in it: the end is exclusive. */
  readonly fromMs: number;
  readonly toMs: number;
  /** All that were there at this version of the table. */
  readonly version: number;
  /** The longest time that was asked for at once. */
  readonly spanMs: number;
}

/**
 * Points of number_points that were read lately, by what they were chosen by. Who looks at a dashboard asks for the same series again and
 * again, of a time that moves on a little: what lies before the rows that were written since is not read again. Only where nobody
 * else may write.
 */
export class PointMemory {
  readonly #maxBytes: number;
  readonly #known: BoundedMap<string, KnownPoints>;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#known = new BoundedMap<string, KnownPoints>(maxBytes, bytesOf);
  }

  /**
   * The points of a range.
   *
   * @param key the same for the same slots
   * @param read all points of a range; not called for what is known
   */
  async get(
    connection: Connection,
    key: string,
    range: ReadRange,
    read: (range: ReadRange) => Promise<PointColumns>,
  ): Promise<PointColumns> {
    const version = connection.version(TABLE);
    if (version === undefined) return await read(range);
    const { fromMs } = range;
    const toMs = range.toMs + 1;
    const known = this.#known.get(key);
    const untilMs = known === undefined ? fromMs : Math.min(known.toMs, connection.changedSince(TABLE, known.version));
    if (known === undefined || known.fromMs > fromMs || untilMs <= fromMs) {
      const points = await read(range);
      this.#keep(key, { ...points, fromMs, toMs, version, spanMs: toMs - fromMs });
      return points;
    }
    if (untilMs >= toMs) {
      // What was asked for last goes last.
      this.#known.set(key, known);
      return cut(known, fromMs, toMs);
    }
    const later = await read({ fromMs: untilMs, toMs: range.toMs });
    const spanMs = Math.max(known.spanMs, toMs - fromMs);
    const keptFromMs = Math.max(known.fromMs, Math.min(fromMs, toMs - spanMs * 1.25));
    const joined = join(cut(known, keptFromMs, untilMs), later);
    this.#keep(key, { ...joined, fromMs: keptFromMs, toMs, version, spanMs });
    return cut(joined, fromMs, toMs);
  }

  #keep(key: string, points: KnownPoints): void {
    // One selection must not drive out all others.
    if (bytesOf(points) <= this.#maxBytes / 2) this.#known.set(key, points);
  }
}

const TABLE = 'number_points';

/** Of the objects that stand for a slot's arrays. */
const SLOT_BYTES = 300;

function bytesOf({ times, values, missing }: PointColumns): number {
  let bytes = times.length * SLOT_BYTES;
  for (let slot = 0; slot < times.length; slot++) {
    if (slot === 0 || times[slot] !== times[slot - 1]) bytes += times[slot].byteLength;
    bytes += values[slot].byteLength + (missing?.[slot].byteLength ?? 0);
  }
  return bytes;
}

/** Views of those from `fromMs` to `toMs` (exclusive). */
function cut({ times, values, missing }: PointColumns, fromMs: number, toMs: number): PointColumns {
  const cutTimes: Float64Array[] = [];
  const cutValues: Float64Array[] = [];
  const cutMissing: Uint8Array[] | undefined = missing && [];
  let [start, end] = [0, 0];
  for (const [slot, own] of times.entries()) {
    if (slot > 0 && own === times[slot - 1]) cutTimes.push(cutTimes[slot - 1]);
    else {
      start = firstFrom(own, fromMs);
      end = firstFrom(own, toMs);
      cutTimes.push(start === 0 && end === own.length ? own : own.subarray(start, end));
    }
    cutValues.push(values[slot].subarray(start, end));
    if (missing) cutMissing?.push(missing[slot].subarray(start, end));
  }
  return { times: cutTimes, values: cutValues, missing: cutMissing };
}

/** The first place whose time is not before `timeMs`. */
function firstFrom(times: Float64Array, timeMs: number): number {
  let low = 0;
  let high = times.length;
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
