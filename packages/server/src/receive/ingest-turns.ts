import type { InFlightBytes } from './otlp/in-flight-bytes.ts';

/** Of work on requests in one round of the event loop, in ms: a batch of spans takes less than one, 5,000 points two to three. */
const ROUND_MS = 2;
/** A part of what everything else took of the round before; so they get a third of the time where questions take all of it. */
const SHARE = 0.5;
/** Of those that wait, for each that comes while too much is held. */
const WHEN_CROWDED = 2;

/**
 * Lets requests of records be decoded and handed on for some milliseconds a round of the event loop; the rest wait for the next rounds, in the
 * order in which they came. When many are there at once, whoever asks a question would otherwise wait until all of them are done. While too much
 * is held, those that come bring on those that wait: what is held makes others be refused, and refusing takes time as well.
 */
export class IngestTurns {
  readonly #now: () => number;
  readonly #waiting: (() => void)[] = [];
  #usedMs = 0;
  /** What may be used of the round, */
  #roundMs = ROUND_MS;
  /** which began then. */
  #beganAt = 0;
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
    if (this.#waiting.length === 0 && (this.#usedMs < this.#roundMs || held.isCrowded)) return this.#timed(work);
    const result = this.#wait(work);
    if (held.isCrowded) for (let left = WHEN_CROWDED; left > 0; left--) this.#waiting.shift()?.();
    return result;
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
    this.#beganAt = this.#now();
    setImmediate(() => this.#nextRound());
  }

  #nextRound(): void {
    this.#isScheduled = false;
    const elsewhere = this.#now() - this.#beganAt - this.#usedMs;
    this.#roundMs = Math.max(ROUND_MS, elsewhere * SHARE);
    this.#usedMs = 0;
    for (let left = this.#waiting.length; left > 0 && this.#usedMs < this.#roundMs; left--) this.#waiting.shift()?.();
  }
}

/** There is one event loop. */
export const ingestTurns = new IngestTurns();
