/** A pattern in the syntax of `|>`, and how many lines follow it by time. */
export interface FoundPattern {
  readonly pattern: string;
  /** Start of a step in nanoseconds since 1970, and lines. */
  readonly counts: ReadonlyMap<bigint, number>;
}

interface Cluster {
  /** undefined: any text. */
  readonly words: (string | undefined)[];
  readonly counts: Map<bigint, number>;
  lines: number;
}

const MAX_WORDS = 80;
const MAX_LINE = 4_096;
const MAX_CLUSTERS = 300;
/** The part of words that two lines must share to be of one pattern. */
const LIKENESS = 0.5;

/**
 * Finds what lines have in common, after Drain: words with digits are taken for values at once, and lines of as many words whose
 * other words mostly agree are one pattern, in which the words that differ are left open.
 */
export class PatternFinder {
  readonly #byLength = new Map<number, Cluster[]>();
  #clusters = 0;

  add(line: string, time: bigint): void {
    if (line.length > MAX_LINE) return;
    const words = line.split(' ').map((word) => (/\d/.test(word) ? undefined : word));
    if (words.length > MAX_WORDS || line === '') return;
    const cluster = this.#find(words);
    if (!cluster) return;
    for (const [index, word] of words.entries()) if (cluster.words[index] !== word) cluster.words[index] = undefined;
    cluster.lines++;
    cluster.counts.set(time, (cluster.counts.get(time) ?? 0) + 1);
  }

  #find(words: readonly (string | undefined)[]): Cluster | undefined {
    const known = this.#byLength.get(words.length) ?? [];
    let best: Cluster | undefined;
    let bestLikeness = LIKENESS;
    for (const cluster of known) {
      const same = cluster.words.filter((word, index) => word === words[index]).length / words.length;
      if (same < bestLikeness || (same === bestLikeness && best)) continue;
      best = cluster;
      bestLikeness = same;
    }
    if (best || this.#clusters >= MAX_CLUSTERS) return best;
    const cluster: Cluster = { words: [...words], counts: new Map(), lines: 0 };
    this.#byLength.set(words.length, [...known, cluster]);
    this.#clusters++;
    return cluster;
  }

  /** The patterns of most lines first. */
  patterns(): FoundPattern[] {
    return [...this.#byLength.values()]
      .flat()
      .sort((a, b) => b.lines - a.lines)
      .map(({ words, counts }) => ({ pattern: patternOf(words), counts }));
  }
}

/** Captures must not stand side by side. */
function patternOf(words: readonly (string | undefined)[]): string {
  return words
    .map((word) => word ?? '<_>')
    .join(' ')
    .replace(/<_>(?: <_>)+/g, '<_>');
}
