import type { Warnings } from '../warnings.ts';

const periodMillis = 30_000;

/**
 * Tells that a full queue drops records of one kind, and how many: that it does at once, how many every 30 s while it goes
 * on and when the queue is flushed, the end of the process included.
 */
export class DropReport {
  readonly #what: string;
  readonly #variable: string;
  readonly #warnings: Warnings;
  #unreported = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `what` is the plural of the records, `variable` the one that makes the queue larger. */
  constructor(what: string, variable: string, warnings: Warnings) {
    this.#what = what;
    this.#variable = variable;
    this.#warnings = warnings;
  }

  /** To be called for each record that is dropped. */
  add(): void {
    this.#unreported += 1;
    if (this.#timer !== undefined) return;
    this.#warnings.once(
      `${this.#what} are being dropped: they are finished faster than the collector takes them, and the queue is full. Raise ${this.#variable} or sample.`,
    );
    this.#timer = setTimeout(() => this.report(), periodMillis).unref();
  }

  report(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#unreported === 0) return;
    this.#warnings.always(`${this.#unreported} ${this.#what} were dropped, because their queue was full`);
    this.#unreported = 0;
  }
}
