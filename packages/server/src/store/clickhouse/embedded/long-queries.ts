/** What takes longer is no question that someone asks and then thinks about, but one that may be asked again and again. */
const LONG_MS = 2_000;
/** So long after the last of them the next is expected. */
const MEMORY_MS = 10_000;

/**
 * Whether there are queries that run for long: one that does, or one that did until a moment ago. Those take processors from
 * ingest for as long as it lasts; others do for a moment only, which nobody minds who sends.
 */
export class LongQueries {
  readonly #now: () => number;
  /** When each of those that run began. */
  readonly #began = new Set<{ readonly at: number }>();
  #lastEnd = Number.NEGATIVE_INFINITY;

  /** @param now a clock, in ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  get any(): boolean {
    const now = this.#now();
    if (now - this.#lastEnd < MEMORY_MS) {
      return true;
    }
    // The first of a set is the one that was added first.
    const [oldest] = this.#began;
    return oldest !== undefined && now - oldest.at >= LONG_MS;
  }

  /** Counts the query until it has ended, however it does. */
  async watch<Result>(query: Promise<Result>): Promise<Result> {
    const began = { at: this.#now() };
    this.#began.add(began);
    try {
      return await query;
    } finally {
      this.#began.delete(began);
      const now = this.#now();
      if (now - began.at >= LONG_MS) {
        this.#lastEnd = now;
      }
    }
  }
}
