/** Calls `flush` again and again, one call at a time; errors go to `onError`. */
export class FlushTimer {
  readonly #flush: () => Promise<void>;
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | null = null;
  #flushing: Promise<void> = Promise.resolve();

  constructor(flush: () => Promise<void>, onError: (error: unknown) => void) {
    this.#flush = flush;
    this.#onError = onError;
  }

  start(intervalMs: number): void {
    this.#timer = setInterval(() => void this.now(), intervalMs);
    this.#timer.unref();
  }

  /** Flushes once the flush under way has ended. */
  now(): Promise<void> {
    this.#flushing = this.#flushing.then(this.#flush).catch(this.#onError);
    return this.#flushing;
  }

  /** A last flush, waited for at most `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    if (this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      deadline = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([this.now(), late]);
    clearTimeout(deadline);
  }
}
