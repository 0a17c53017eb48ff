/** Of work on requests in one round of the event loop, in ms: a batch of spans takes less than one, 5,000 points two to three. */
const ROUND_MS = 2;

/**
 * Lets requests of records be decoded and handed on for some milliseconds a round of the event loop; the rest wait for the next rounds, in the
 * order in which they came. When many are there at once, whoever asks a question would otherwise wait until all of them are done.
 */
export class IngestTurns {
  readonly #now: () => number;
  readonly #waiting: (() => void)[] = [];
  #usedMs = 0;
  #isScheduled = false;

  /** @param now a clock, in ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Calls `work`, now or in one of the next rounds. What it does before it first waits counts. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#waiting.length === 0 && this.#usedMs < ROUND_MS) return this.#timed(work);
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(this.#timed(work));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #timed<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#schedule();
    const from = this.#now();
    try {
      return work();
    } finally {
      this.#usedMs += this.#now() - from;
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#nextRound());
  }

  #nextRound(): void {
    this.#isScheduled = false;
    this.#usedMs = 0;
    const count = this.#waiting.length;
    let done = 0;
    while (done < count && this.#usedMs < ROUND_MS) this.#waiting[done++]?.();
    this.#waiting.splice(0, done);
  }
}

/** There is one event loop. */
export const ingestTurns = new IngestTurns();
