import type { InFlightBytes } from './otlp/in-flight-bytes.ts';

/** Of work on requests in one round of the event loop, in ms: a batch of spans takes less than one, 5,000 points two to three. */
const ROUND_MS = 2;

/**
 * Lets requests of records be decoded and handed on for some milliseconds a round of the event loop; the rest wait for the next rounds, in the
 * order in which they came. When many are there at once, whoever asks a question would otherwise wait until all of them are done. Nobody waits
 * while there are too many: what is held then makes others be refused, and refusing takes time as well.
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

  /**
   * Calls `work`, now or in one of the next rounds. What it does before it first waits counts.
   *
   * @param held of requests in memory, this one included
   */
  run<Result>(work: () => Promise<Result>, held: Pick<InFlightBytes, 'isCrowded'>): Promise<Result> {
    if (held.isCrowded) for (const waiting of this.#waiting.splice(0)) waiting();
    else if (this.#waiting.length > 0 || this.#usedMs >= ROUND_MS) return this.#wait(work);
    return this.#timed(work);
  }

  #wait<Result>(work: () => Promise<Result>): Promise<Result> {
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
    for (let left = this.#waiting.length; left > 0 && this.#usedMs < ROUND_MS; left--) this.#waiting.shift()?.();
  }
}

/** There is one event loop. */
export const ingestTurns = new IngestTurns();
