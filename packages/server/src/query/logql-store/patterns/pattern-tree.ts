import { ANY, type LineTokenizer, MAX_WORDS, tokenizerFor } from './line-tokenizer.ts';

/** Lines that are the same but for some words. */
export interface Cluster {
  readonly id: number;
  /** Where lines differ, `ANY`. */
  readonly words: string[];
  readonly spaces: readonly number[];
  /** Lines by the start of their step, in nanoseconds since 1970. */
  readonly counts: Map<bigint, number>;
}

/** How many clusters may still be made; several trees may share one. */
export interface ClusterBudget {
  left: number;
}

interface Node {
  readonly children: Map<string, Node>;
  clusters: number[];
}

const MIN_WORDS = 4;
/** Words that lead to a leaf; those behind are compared there. */
const MAX_DEPTH = 28;
/** Words that may follow in one place; the others share a branch. */
const MAX_CHILDREN = 15;
const MAX_CLUSTERS = 300;
/** The part of words that a line must share with a cluster. */
const LIKENESS = 0.3;
/** Clusters given up for newer ones, of all lines: beyond it nothing is to be found in the stream. */
const MAX_FORGOTTEN = 0.25;

/**
 * Finds the clusters of one stream's lines of one level as Loki does, after Drain (He, Zhu, Zheng, Lyu: "Drain: An Online Log Parsing
 * Approach with Fixed Depth Tree"): the number of words and the first words lead down a tree to clusters that may be alike. At most 300
 * clusters are kept, those that were met last.
 */
export class PatternTree {
  readonly #tokenizer: LineTokenizer;
  readonly #budget: ClusterBudget;
  readonly #byLength = new Map<number, Node>();
  /** Those that were looked at last at the end. */
  readonly #clusters = new Map<number, Cluster>();
  #nextId = 1;
  #lines = 0;
  #forgotten = 0;

  /** @param firstLine of the stream, which tells how its lines are read */
  constructor(firstLine: string, budget: ClusterBudget) {
    this.#tokenizer = tokenizerFor(firstLine);
    this.#budget = budget;
  }

  /** Lines come in the order of their times. @param time start of the step */
  add(line: string, time: bigint): void {
    if (this.#forgotten > this.#lines * MAX_FORGOTTEN) return;
    this.#lines++;
    const tokens = this.#tokenizer.split(line);
    if (tokens === undefined || tokens.words.length < MIN_WORDS || tokens.words.length > MAX_WORDS) return;
    const { words, spaces } = tokens;
    let cluster = this.#find(words);
    if (cluster === undefined) {
      if (this.#budget.left === 0) return;
      this.#budget.left--;
      cluster = { id: this.#nextId++, words: [...words], spaces, counts: new Map() };
      this.#keep(cluster);
      this.#plant(cluster);
    } else {
      for (const [index, word] of words.entries()) if (cluster.words[index] !== word) cluster.words[index] = ANY;
      this.#touch(cluster.id);
    }
    cluster.counts.set(time, (cluster.counts.get(time) ?? 0) + 1);
  }

  patterns(): { readonly pattern: string; readonly counts: ReadonlyMap<bigint, number> }[] {
    return [...this.#clusters.values()].map((cluster) => ({
      pattern: this.#tokenizer.join(cluster).replace(/(?:<_>){2,}/g, ANY),
      counts: cluster.counts,
    }));
  }

  #find(words: readonly string[]): Cluster | undefined {
    let node = this.#byLength.get(words.length);
    for (const word of words.slice(0, depthOf(words))) node = node?.children.get(word) ?? node?.children.get(ANY);
    let best: Cluster | undefined;
    let bestSame = -1;
    let bestOpen = -1;
    for (const id of node?.clusters ?? []) {
      const cluster = this.#touch(id);
      if (cluster === undefined) continue;
      let same = 0;
      let open = 0;
      for (const [index, word] of cluster.words.entries()) {
        if (word === ANY) open++;
        else if (word === words[index]) same++;
      }
      if (same < bestSame || (same === bestSame && open <= bestOpen)) continue;
      best = cluster;
      bestSame = same;
      bestOpen = open;
    }
    return bestSame / words.length >= LIKENESS ? best : undefined;
  }

  /** Makes the way to a cluster. Words with digits, and those that find no more room, share the branch of any word. */
  #plant(cluster: Cluster): void {
    const { words, id } = cluster;
    let node = childOf(this.#byLength, words.length);
    for (const word of words.slice(0, depthOf(words))) {
      const { children } = node;
      let key = word;
      if (!children.has(word)) {
        const hasRoom = children.size + (children.has(ANY) ? 0 : 1) < MAX_CHILDREN;
        if (!hasRoom || /\p{N}/u.test(word)) key = ANY;
      }
      node = childOf(children, key);
    }
    node.clusters = [...node.clusters.filter((known) => this.#touch(known) !== undefined), id];
  }

  #keep(cluster: Cluster): void {
    this.#clusters.set(cluster.id, cluster);
    if (this.#clusters.size <= MAX_CLUSTERS) return;
    const [oldest] = this.#clusters.keys();
    this.#clusters.delete(oldest as number);
    this.#forgotten++;
  }

  /** The cluster, as the one that was looked at last; undefined: it was given up. */
  #touch(id: number): Cluster | undefined {
    const cluster = this.#clusters.get(id);
    if (cluster === undefined) return undefined;
    this.#clusters.delete(id);
    this.#clusters.set(id, cluster);
    return cluster;
  }
}

/** How many words of a line lead to its leaf: the last one never does. */
function depthOf(words: readonly string[]): number {
  return Math.min(words.length, MAX_DEPTH) - 1;
}

function childOf<Key>(nodes: Map<Key, Node>, key: Key): Node {
  let node = nodes.get(key);
  if (node === undefined) {
    node = { children: new Map(), clusters: [] };
    nodes.set(key, node);
  }
  return node;
}
