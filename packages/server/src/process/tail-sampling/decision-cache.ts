/** The latest decisions: at most `sampled` traces that were sampled and `notSampled` that were not; the oldest leave first. */
export class DecisionCache {
  readonly #sampled: BoundedSet;
  readonly #notSampled: BoundedSet;

  constructor(sampled: number, notSampled: number) {
    this.#sampled = new BoundedSet(sampled);
    this.#notSampled = new BoundedSet(notSampled);
  }

  get size(): number {
    return this.#sampled.size + this.#notSampled.size;
  }

  /** Whether the trace was sampled; undefined: not known. A trace that is asked for stays longer. */
  get(trace: string): boolean | undefined {
    return this.#sampled.has(trace) ? true : this.#notSampled.has(trace) ? false : undefined;
  }

  set(trace: string, sampled: boolean): void {
    (sampled ? this.#sampled : this.#notSampled).add(trace);
  }

  /** All decisions, oldest first of each kind. */
  *entries(): Iterable<readonly [trace: string, sampled: boolean]> {
    for (const trace of this.#sampled) yield [trace, true];
    for (const trace of this.#notSampled) yield [trace, false];
  }
}

/** A set whose members leave in the order in which they were last used. */
class BoundedSet {
  readonly #members = new Set<string>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#members.size;
  }

  has(member: string): boolean {
    const known = this.#members.delete(member);
    if (known) {
      this.#members.add(member);
    }
    return known;
  }

  add(member: string): void {
    this.#members.delete(member);
    this.#members.add(member);
    if (this.#members.size > this.#most) {
      for (const oldest of this.#members) {
        this.#members.delete(oldest);
        break;
      }
    }
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#members.values();
  }
}
