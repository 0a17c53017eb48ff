import { SignalboxError } from '../../pipeline/signalbox-error.ts';

interface Waiter<Session> {
  resolve(session: Session): void;
  reject(error: Error): void;
}

/**
 * A fixed number of sessions, each for one statement at a time, and a bounded queue before them.
 *
 * Embedded, every running statement occupies one of libuv's threads, which gunzip and file reads need too: the pools together
 * must be smaller than `UV_THREADPOOL_SIZE`.
 */
export class SessionPool<Session extends { close(): void }> {
  readonly #idle: Session[];
  readonly #sessions: readonly Session[];
  readonly #waiting: Waiter<Session>[] = [];
  readonly #maxWaiting: number;
  readonly #what: string;
  readonly #limit: () => number;
  #closed = false;

  /**
   * @param maxWaiting statements that wait; beyond, they are refused
   * @param limit how many may run at once now, at least 1: asked whenever one wants to begin or has ended
   */
  constructor(
    what: string,
    sessions: readonly Session[],
    maxWaiting: number,
    limit: () => number = () => sessions.length,
  ) {
    this.#limit = limit;
    this.#what = what;
    this.#sessions = sessions;
    this.#idle = [...sessions];
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Runs `work` on a session of its own. Rejects `resource_exhausted` when too many wait already, or its turn does not
   * come within `maxWaitMs`, and `cancelled` when it is aborted before its turn.
   */
  async use<Result>(
    work: (session: Session) => Promise<Result>,
    signal?: AbortSignal,
    maxWaitMs?: number,
  ): Promise<Result> {
    const session = await this.#acquire(signal, maxWaitMs);
    try {
      return await work(session);
    } finally {
      this.#release(session);
    }
  }

  /** Refuses what waits and what comes. */
  stop(): void {
    this.#closed = true;
    for (const waiter of this.#waiting.splice(0)) {
      waiter.reject(closing());
    }
  }

  /** Closes the sessions. What still runs on them finishes on its own. */
  close(): void {
    this.stop();
    for (const session of this.#sessions) {
      session.close();
    }
  }

  #acquire(signal: AbortSignal | undefined, maxWaitMs: number | undefined): Promise<Session> {
    if (this.#closed) {
      return Promise.reject(closing());
    }
    if (signal?.aborted) {
      return Promise.reject(cancelled());
    }
    this.#admitWaiting();
    const session = this.#free();
    if (session !== undefined) {
      return Promise.resolve(session);
    }
    if (this.#waiting.length >= this.#maxWaiting) {
      return Promise.reject(this.#tooMany());
    }
    return new Promise((resolve, reject) => {
      const leave = (error: SignalboxError): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        waiter.reject(error);
      };
      const abort = (): void => leave(cancelled());
      const timer = maxWaitMs === undefined ? undefined : setTimeout(() => leave(this.#tooMany()), maxWaitMs);
      const settled = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      const waiter: Waiter<Session> = {
        resolve(session) {
          settled();
          resolve(session);
        },
        reject(error) {
          settled();
          reject(error);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #tooMany(): SignalboxError {
    return new SignalboxError('resource_exhausted', `Too many ${this.#what} wait already`, { retryAfterMs: 1_000 });
  }

  #release(session: Session): void {
    this.#idle.push(session);
    this.#admitWaiting();
  }

  #admitWaiting(): void {
    while (this.#waiting.length > 0) {
      const session = this.#free();
      if (session === undefined) {
        return;
      }
      this.#waiting.shift()?.resolve(session);
    }
  }

  /** A session, unless as many run as may. */
  #free(): Session | undefined {
    return this.#sessions.length - this.#idle.length < this.#limit() ? this.#idle.pop() : undefined;
  }
}

function cancelled(): SignalboxError {
  return new SignalboxError('cancelled', 'The query was cancelled');
}

function closing(): SignalboxError {
  return new SignalboxError('unavailable', 'The store is shutting down', { retryAfterMs: 5_000 });
}
