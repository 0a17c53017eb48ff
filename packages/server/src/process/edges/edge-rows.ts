import type { EdgeRow } from '../../pipeline/span-metrics-row.ts';
import { OTHER } from '../bounded-text.ts';
import { SpanTotals } from '../span-totals.ts';
import type { OutgoingCall } from './pending-calls.ts';

const HOUR_MS = 3_600_000;
const MAX_SOURCES = 5_000;

export interface EdgeRowsLimits {
  /** Targets per source and hour; the rest are `(other)`. */
  readonly maxTargetsPerSource: number;
  /** Targets of all sources per hour. */
  readonly maxTargets: number;
}

interface Cell {
  readonly time: number;
  readonly source: string;
  readonly target: string;
  readonly targetType: EdgeRow['targetType'];
  readonly error: boolean;
  readonly totals: SpanTotals;
}

/** Gathers calls into rows of `edges`, and bounds how many targets a source may have. */
export class EdgeRows {
  readonly #limits: EdgeRowsLimits;
  readonly #now: () => number;
  readonly #targets = new Map<string, Set<string>>();
  #targetCount = 0;
  #resetAt = 0;
  /** By source, target, and what `cellKey` makes of the rest. */
  #cells = new Map<string, Map<string, Map<number, Cell>>>();
  #size = 0;

  constructor(limits: EdgeRowsLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Rows gathered since the last `take`. */
  get size(): number {
    return this.#size;
  }

  add(call: OutgoingCall, wantedTarget: string, targetType: EdgeRow['targetType']): void {
    const { time, error } = call;
    const source = this.#source(call.source);
    const target = this.#target(source, wantedTarget);
    const cells = inner(inner(this.#cells, source), target);
    const key = cellKey(time, targetType, error);
    let cell = cells.get(key);
    if (cell === undefined) {
      cell = { time, source, target, targetType, error, totals: new SpanTotals() };
      cells.set(key, cell);
      this.#size++;
    }
    cell.totals.add(call.duration, call.weight);
  }

  /** The rows gathered since the last call. */
  take(): EdgeRow[] {
    const rows: EdgeRow[] = [];
    for (const ofSource of this.#cells.values()) {
      for (const ofTarget of ofSource.values()) {
        for (const { time, source, target, targetType, error, totals } of ofTarget.values()) {
          const { count, durationSum, durationMax, buckets } = totals;
          rows.push({ time, source, target, targetType, error, count, durationSum, durationMax, buckets });
        }
      }
    }
    this.#cells = new Map();
    this.#size = 0;
    return rows;
  }

  #source(source: string): string {
    const now = this.#now();
    if (now >= this.#resetAt) {
      this.#resetAt = now + HOUR_MS;
      this.#targets.clear();
      this.#targetCount = 0;
    }
    return this.#targets.has(source) || this.#targets.size < MAX_SOURCES ? source : OTHER;
  }

  #target(source: string, target: string): string {
    let targets = this.#targets.get(source);
    if (targets === undefined) {
      targets = new Set();
      this.#targets.set(source, targets);
    }
    if (!targets.has(target)) {
      if (targets.size >= this.#limits.maxTargetsPerSource || this.#targetCount >= this.#limits.maxTargets) {
        return OTHER;
      }
      targets.add(target);
      this.#targetCount++;
    }
    return target;
  }
}

const TARGET_TYPES: Record<EdgeRow['targetType'], number> = {
  service: 0,
  database: 1,
  cache: 2,
  messaging: 3,
  external: 4,
};

/** Time (below 2^32), type and error in one number: this runs for each call, and making a text of them takes longer than all else. */
function cellKey(time: number, targetType: EdgeRow['targetType'], error: boolean): number {
  return time * 16 + TARGET_TYPES[targetType] * 2 + (error ? 1 : 0);
}

/** The map that `maps` has for the key; a new one when it has none. */
function inner<Key, Value>(maps: Map<string, Map<Key, Value>>, key: string): Map<Key, Value> {
  let map = maps.get(key);
  if (map === undefined) {
    map = new Map();
    maps.set(key, map);
  }
  return map;
}
