/** Rows a second from which on ingest is more than a trickle: queries then leave it room. */
const BUSY_ROWS = 2_000;
const WINDOW_MS = 1_000;

/** Whether many rows come in, from those of this second and of the one before. */
export class IngestActivity {
  readonly #now: () => number;
  #windowStart = Number.NEGATIVE_INFINITY;
  #rows = 0;
  #rowsBefore = 0;

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

  #turn(): void {
    const now = this.#now();
    const past = now - this.#windowStart;
    if (past >= WINDOW_MS) {
      this.#rowsBefore = past < 2 * WINDOW_MS ? this.#rows : 0;
      this.#rows = 0;
      this.#windowStart = now;
    }
  }
}
