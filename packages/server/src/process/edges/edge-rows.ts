import type { EdgeRow } from '../../pipeline/span-metrics-row.ts';
import { OTHER } from '../bounded-text.ts';
import { SpanTotals } from '../span-totals.ts';
import type { Call } from './pending-calls.ts';

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
  readonly targetType: EdgeRow['targetType'];
  readonly error: boolean;
  readonly totals: SpanTotals;
}

/** Calls from one source to one target since the last `take`. */
class Edge {
  readonly source: string;
  readonly target: string;
  /** By what `cellKey` makes of the rest. */
  readonly cells = new Map<number, Cell>();
  /** The cell that was counted in last: mostly the next one's, too. */
  #last: Cell | undefined;

  constructor(source: string, target: string) {
    this.source = source;
    this.target = target;
  }

  /** Counts a call; gives whether that made a new row. */
  add({ time, error, duration, weight }: Readonly<Call>, targetType: EdgeRow['targetType']): boolean {
    let cell = this.#last;
    const before = this.cells.size;
    if (cell === undefined || cell.time !== time || cell.error !== error || cell.targetType !== targetType) {
      const key = cellKey(time, targetType, error);
      cell = this.cells.get(key);
      if (cell === undefined) {
        cell = { time, targetType, error, totals: new SpanTotals() };
        this.cells.set(key, cell);
      }
      this.#last = cell;
    }
    cell.totals.add(duration, weight);
    return this.cells.size > before;
  }

  take(): EdgeRow[] {
    const { source, target } = this;
    const rows = [...this.cells.values()].map(({ time, targetType, error, totals }) => {
      const { count, durationSum, durationMax, buckets } = totals;
      return { time, source, target, targetType, error, count, durationSum, durationMax, buckets };
    });
    this.cells.clear();
    this.#last = undefined;
    return rows;
  }
}

/** Gathers calls into rows of `edges`, and bounds how many targets a source may have. */
export class EdgeRows {
  readonly #limits: EdgeRowsLimits;
  /** Edges of this hour, by source and target. */
  readonly #edges = new Map<string, Map<string, Edge>>();
  #targetCount = 0;
  #resetAt = 0;
  /** Those that have rows. */
  #counted = new Set<Edge>();
  #size = 0;

  constructor(limits: EdgeRowsLimits) {
    this.#limits = limits;
  }

  /** Rows gathered since the last `take`. */
  get size(): number {
    return this.#size;
  }

  /** Starts a new hour when it is time, in which other targets may have names. */
  expire(now: number): void {
    if (now >= this.#resetAt) {
      this.#resetAt = now + HOUR_MS;
      this.#edges.clear();
      this.#targetCount = 0;
    }
  }

  add(call: Call, target: string, targetType: EdgeRow['targetType']): void {
    const edge = this.#edge(call.source, target);
    if (edge.add(call, targetType)) {
      this.#size++;
      this.#counted.add(edge);
    }
  }

  /** The rows gathered since the last call. */
  take(): EdgeRow[] {
    const rows: EdgeRow[] = [];
    for (const edge of this.#counted) {
      rows.push(...edge.take());
    }
    this.#counted = new Set();
    this.#size = 0;
    return rows;
  }

  #edge(source: string, target: string): Edge {
    const known = this.#edges.get(source)?.get(target);
    if (known !== undefined) {
      return known;
    }
    let ofSource = this.#edges.get(source);
    if (ofSource === undefined) {
      if (this.#edges.size >= MAX_SOURCES && source !== OTHER) {
        return this.#edge(OTHER, target);
      }
      ofSource = new Map();
      this.#edges.set(source, ofSource);
    }
    const { maxTargetsPerSource, maxTargets } = this.#limits;
    const full = namedIn(ofSource) >= maxTargetsPerSource || this.#targetCount >= maxTargets;
    if (full && target !== OTHER) {
      return this.#edge(source, OTHER);
    }
    const edge = new Edge(source, target);
    ofSource.set(target, edge);
    this.#targetCount += target === OTHER ? 0 : 1;
    return edge;
  }
}

function namedIn(edges: ReadonlyMap<string, Edge>): number {
  return edges.has(OTHER) ? edges.size - 1 : edges.size;
}

const TARGET_TYPES: Record<EdgeRow['targetType'], number> = {
  service: 0,
  database: 1,
  cache: 2,
  messaging: 3,
  external: 4,
};

/** Time (below 2^32), type and error in one number. */
function cellKey(time: number, targetType: EdgeRow['targetType'], error: boolean): number {
  return time * 16 + TARGET_TYPES[targetType] * 2 + (error ? 1 : 0);
}
