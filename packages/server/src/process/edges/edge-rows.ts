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
  #cells = new Map<string, Cell>();

  constructor(limits: EdgeRowsLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Rows gathered since the last `take`. */
  get size(): number {
    return this.#cells.size;
  }

  add(call: OutgoingCall, wantedTarget: string, targetType: EdgeRow['targetType']): void {
    const { time, error } = call;
    const source = this.#source(call.source);
    const target = this.#target(source, wantedTarget);
    const key = `${time} ${error} ${targetType} ${source.length} ${source}${target}`;
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      cell = { time, source, target, targetType, error, totals: new SpanTotals() };
      this.#cells.set(key, cell);
    }
    cell.totals.add(call.duration, call.weight);
  }

  /** The rows gathered since the last call. */
  take(): EdgeRow[] {
    if (this.#cells.size === 0) {
      return [];
    }
    const cells = this.#cells;
    this.#cells = new Map();
    return Array.from(cells.values(), ({ time, source, target, targetType, error, totals }) => ({
      time,
      source,
      target,
      targetType,
      error,
      count: totals.count,
      durationSum: totals.durationSum,
      durationMax: totals.durationMax,
      buckets: totals.buckets,
    }));
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
