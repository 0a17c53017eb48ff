import type { LogEntry, StreamLabels } from '../../logql/stream-labels.ts';
import { type ClusterBudget, PatternTree } from './pattern-tree.ts';

/** A pattern in the syntax of `|>`, and how many lines follow it by time. */
export interface FoundPattern {
  readonly pattern: string;
  readonly level: string;
  /** Start of a step in nanoseconds since 1970, and lines. */
  readonly counts: ReadonlyMap<bigint, number>;
}

const LEVEL = 'detected_level';
const LEVELS: ReadonlySet<string> = new Set(['debug', 'info', 'warn', 'error', 'fatal', 'critical', 'trace']);
/** Of all streams together: a tree has a few dozen nodes for each. */
const MAX_CLUSTERS = 5_000;
const MAX_PATTERNS = 300;

/** Finds what lines have in common: in each stream and level by itself, as Loki does. */
export class PatternFinder {
  readonly #streams = new Map<
    StreamLabels,
    { readonly firstLine: string; readonly byLevel: Map<string, PatternTree> }
  >();
  readonly #budget: ClusterBudget = { left: MAX_CLUSTERS };

  /** Entries come in the order of their times. @param step start of the step that the entry's time lies in */
  add({ stream, line, metadata, implied }: LogEntry, step: bigint): void {
    let known = this.#streams.get(stream);
    if (known === undefined) {
      known = { firstLine: line, byLevel: new Map() };
      this.#streams.set(stream, known);
    }
    const said = metadata.find(([name]) => name === LEVEL)?.[1] ?? implied?.get(LEVEL) ?? '';
    const level = LEVELS.has(said.toLowerCase()) ? said.toLowerCase() : 'unknown';
    let tree = known.byLevel.get(level);
    if (tree === undefined) {
      tree = new PatternTree(known.firstLine, this.#budget);
      known.byLevel.set(level, tree);
    }
    tree.add(line, step);
  }

  /** The patterns of most lines first, 300 at most. */
  patterns(): FoundPattern[] {
    const found = new Map<string, { pattern: string; level: string; counts: Map<bigint, number>; lines: number }>();
    for (const { byLevel } of this.#streams.values()) {
      for (const [level, tree] of byLevel) {
        for (const { pattern, counts } of tree.patterns()) {
          const key = `${level} ${pattern}`;
          const same = found.get(key) ?? { pattern, level, counts: new Map(), lines: 0 };
          found.set(key, same);
          for (const [step, lines] of counts) {
            same.counts.set(step, (same.counts.get(step) ?? 0) + lines);
            same.lines += lines;
          }
        }
      }
    }
    return [...found.values()].sort((a, b) => b.lines - a.lines).slice(0, MAX_PATTERNS);
  }
}
