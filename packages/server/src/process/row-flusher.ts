import type { Consumer } from '../pipeline/consumer.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';

const INTERVAL_MS = 1_000;

export interface RowFlusherOptions<Row> {
  /** Gives the rows gathered since it was called last. */
  readonly take: () => readonly Row[];
  readonly next: Consumer<readonly Row[]>;
  /** Told about rows that could not be handed on when nobody waited for it. */
  readonly onError: (error: unknown) => void;
  /** Rows that were refused for now and are kept for the next attempt; beyond, all of them are given up. */
  readonly maxKeptRows: number;
}

/**
 * Hands on, once a second, the rows that were gathered from many batches: an insert costs nearly as much for one row as for a
 * thousand, and rows of one key become one. A crash loses those of the last second.
 */
export class RowFlusher<Row> {
  readonly #options: RowFlusherOptions<Row>;
  #kept: readonly Row[] = [];
  #timer: NodeJS.Timeout | null = null;
  #flushing: Promise<void> = Promise.resolve();

  constructor(options: RowFlusherOptions<Row>) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.flush().catch(this.#options.onError), INTERVAL_MS);
    this.#timer.unref();
  }

  /** Hands on what is gathered, after what is under way. Rejects when it is refused; for now only: it stays for the next time. */
  flush(): Promise<void> {
    const flushed = this.#flushing.then(() => this.#handOn());
    this.#flushing = flushed.catch(() => {});
    return flushed;
  }

  /** Hands on what is gathered, within `deadlineMs`. */
  async shutdown(deadlineMs: number): Promise<void> {
    if (this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      deadline = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([this.flush().catch(this.#options.onError), late]);
    clearTimeout(deadline);
  }

  async #handOn(): Promise<void> {
    const { take, next, maxKeptRows } = this.#options;
    const taken = take();
    const rows = this.#kept.length === 0 ? taken : [...this.#kept, ...taken];
    this.#kept = [];
    if (rows.length === 0) {
      return;
    }
    try {
      await next.consume(rows);
    } catch (error) {
      if (error instanceof SignalboxError && error.retryable && rows.length <= maxKeptRows) {
        this.#kept = rows;
      }
      throw error;
    }
  }
}
