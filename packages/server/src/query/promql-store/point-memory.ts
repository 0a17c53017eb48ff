import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import type { QueryContext } from '../query-context.ts';
import { BoundedMap } from './bounded-map.ts';
import { KeptPoints } from './kept-points.ts';
import type { PointSlots } from './point-slots.ts';
import type { ReadRange } from './read-points.ts';

/** Points by slots, those of each in the order of their times. Slots that follow each other and have the same times share one array. */
export interface PointColumns {
  readonly times: readonly Float64Array[];
  readonly values: readonly Float64Array[];
  /** 1: nothing was recorded, the series has ended. Undefined: everywhere something was. */
  readonly missing: readonly Uint8Array[] | undefined;
}

interface Known {
  readonly points: KeptPoints;
  /** Points of this range are in it: the end is exclusive. */
  readonly fromMs: number;
  readonly toMs: number;
  /** All that were there at this version of the table. */
  readonly version: number;
  /** And all rows that came before this one. */
  readonly recentEnd: number;
  /** The longest time that was asked for at once. */
  readonly spanMs: number;
  readonly byteLength: number;
}

/**
 * Points of number_points that were read lately, by what they were chosen by. Who looks at a dashboard asks for the same series again and
 * again, of a time that moves on a little: what came since is taken from the rows that came last, or, where those don't reach back as
 * far, what lies before it is not read again. Only where nobody else may write.
 */
export class PointMemory {
  readonly #maxBytes: number;
  readonly #known: BoundedMap<string, Known>;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#known = new BoundedMap<string, Known>(maxBytes, ({ byteLength }) => byteLength);
  }

  /**
   * The points of a range.
   *
   * @param read all points of a range; not called for what is known
   */
  async get(
    { connection, nowMs }: Pick<QueryContext, 'connection' | 'nowMs'>,
    slots: PointSlots,
    range: ReadRange,
    read: (range: ReadRange) => Promise<PointColumns>,
  ): Promise<PointColumns> {
    const version = connection.version(TABLE);
    const recent = connection.recentPoints();
    if (version === undefined || recent === undefined) return await read(range);
    const { key } = slots;
    const { fromMs } = range;
    const toMs = range.toMs + 1;
    let known = this.#known.get(key);
    const recentEnd = recent.end;
    if (known !== undefined && known.version !== version && recent.reaches(known.recentEnd)) {
      // What is asked for next may begin a little earlier, where there is room for that.
      const earlierMs = known.byteLength < this.#maxBytes / 4 ? Math.min(fromMs, toMs - known.spanMs * 1.25) : fromMs;
      const keptFromMs = Math.max(known.fromMs, earlierMs);
      const wanted = { fromMs: known.fromMs, toMs: known.toMs, keptFromMs, maxBytes: this.#maxBytes / 2 };
      const points = known.points.added(recent, known.recentEnd, slots, wanted);
      if (points !== undefined) {
        known = {
          ...known,
          points,
          fromMs: points === known.points ? known.fromMs : keptFromMs,
          version,
          recentEnd,
          byteLength: points.byteLength,
        };
        this.#keep(key, known);
      }
    }
    const untilMs = known === undefined ? fromMs : Math.min(known.toMs, connection.changedSince(TABLE, known.version));
    if (known === undefined || known.fromMs > fromMs || untilMs <= fromMs) {
      const { points, endMs } = await readAhead({ fromMs, toMs }, nowMs, read);
      const kept = new KeptPoints(points);
      const { byteLength } = kept;
      this.#keep(key, { points: kept, fromMs, toMs: endMs, version, recentEnd, spanMs: toMs - fromMs, byteLength });
      return kept.from(fromMs, toMs);
    }
    if (untilMs >= toMs) {
      // What was asked for last goes last.
      this.#known.set(key, known);
      return known.points.from(fromMs, toMs);
    }
    const later = await readAhead({ fromMs: untilMs, toMs }, nowMs, read);
    const spanMs = Math.max(known.spanMs, toMs - fromMs);
    const keptFromMs = Math.max(known.fromMs, Math.min(fromMs, toMs - spanMs * 1.25));
    const points = known.points.with(later.points, keptFromMs, untilMs);
    const { byteLength } = points;
    this.#keep(key, { points, fromMs: keptFromMs, toMs: later.endMs, version, recentEnd, spanMs, byteLength });
    return points.from(fromMs, toMs);
  }

  #keep(key: string, known: Known): void {
    // One selection must not drive out all others.
    if (known.byteLength <= this.#maxBytes / 2) this.#known.set(key, known);
  }
}

const TABLE = 'number_points';

/** Who asks for times up to about now will soon ask for those that come next. */
const RECENT_MS = 300_000;
const AHEAD_MS = 3_600_000;

/** Reads a range, its end exclusive, or up to a later time, so that what comes next needs not be read. */
async function readAhead(
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  nowMs: number,
  read: (range: ReadRange) => Promise<PointColumns>,
): Promise<{ readonly points: PointColumns; readonly endMs: number }> {
  if (toMs >= nowMs - RECENT_MS) {
    const endMs = Math.max(toMs, nowMs + AHEAD_MS);
    try {
      return { points: await read({ fromMs, toMs: endMs - 1 }), endMs };
    } catch (error) {
      // What was asked for may be less than what may be read.
      if (!(error instanceof SignalboxError) || error.code !== 'too_large') throw error;
    }
  }
  return { points: await read({ fromMs, toMs: toMs - 1 }), endMs: toMs };
}
