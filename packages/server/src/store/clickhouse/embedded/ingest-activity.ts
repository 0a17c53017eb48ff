/** Rows a second from which on ingest is more than a trickle: queries then leave it room. */
const BUSY_ROWS = 2_000;
const WINDOW_MS = 1_000;

/** Rows a second that are worth to be gathered, when they go on coming for so many seconds. */
const SUSTAINED_ROWS = 5_000;
const SUSTAINED_WINDOWS = 3;

/** Whether many rows come in, from those of this second and of those before. */
export class IngestActivity {
  readonly #now: () => number;
  #windowStart = Number.NEGATIVE_INFINITY;
  #rows = 0;
  #rowsBefore = 0;
  /** Seconds in a row, this one not counted, in which it were as many as is worth it. */
  #sustained = 0;

  /** @param now a clock, in ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  inserted(rows: number): void {
    this.#turn();
    this.#rows += rows;
  }

  get busy(): boolean {
    this.#turn();
    return Math.max(this.#rows, this.#rowsBefore) >= BUSY_ROWS;
  }

  /** Many rows have been coming in for seconds. */
  get isSustained(): boolean {
    this.#turn();
    return this.#sustained >= SUSTAINED_WINDOWS;
  }

  #turn(): void {
    const now = this.#now();
    const past = now - this.#windowStart;
    if (past >= WINDOW_MS) {
      const goesOn = past < 2 * WINDOW_MS && this.#rows >= SUSTAINED_ROWS;
      this.#sustained = goesOn ? this.#sustained + 1 : 0;
      this.#rowsBefore = past < 2 * WINDOW_MS ? this.#rows : 0;
      this.#rows = 0;
      this.#windowStart = now;
    }
  }
}
