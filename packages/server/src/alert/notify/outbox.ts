import { readJsonFile, writeJsonFile } from '../json-file.ts';
import { RejectedError } from './post-json.ts';

/** Something to deliver. `key` and `status` are what it tells of: of two that wait with the same, only the later one is of use. */
export interface OutboxItem {
  readonly key: string;
  readonly status: string;
  readonly body: unknown;
}

export interface OutboxOptions {
  /** Where items wait over a restart. */
  readonly path: string;
  /** Delivers items, in their order; rejects when they must be tried again, and with RejectedError when that is of no use. */
  readonly deliver: (items: readonly OutboxItem[], signal: AbortSignal) => Promise<void>;
  /** At most so many are delivered at once. */
  readonly batchSize: number;
  /** Told of each delivery that failed, and of what was given up. */
  readonly onError: (error: unknown) => void;
  readonly firstRetryMs?: number;
  readonly lastRetryMs?: number;
}

/** More than this never wait: the oldest are given up then, with a word. */
const MAX_ITEMS = 10_000;
const DELIVERY_TIMEOUT_MS = 10_000;

/**
 * Items for one receiver of notifications, delivered in order and tried again until they are: they survive a receiver that is
 * away as well as a crash of this program.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #items: OutboxItem[];
  #delivery: Promise<void> | undefined;
  readonly #abort = new AbortController();
  #failures = 0;

  /** Throws when the file can't be read. Nothing is delivered before `start`. */
  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#items = (readJsonFile(options.path) as OutboxItem[] | undefined) ?? [];
  }

  get waiting(): number {
    return this.#items.length;
  }

  start(): void {
    if (this.#items.length > 0) this.#delivery ??= this.#deliverAll();
  }

  /** When it returns the items are on disk. */
  add(items: readonly OutboxItem[]): void {
    for (const item of items) {
      const last = this.#items.findLastIndex(({ key }) => key === item.key);
      // The first ones may be on their way just now: they stay.
      const isReplaceable = last >= this.#options.batchSize && this.#items[last]?.status === item.status;
      if (isReplaceable) this.#items[last] = item;
      else this.#items.push(item);
    }
    const surplus = this.#items.length - MAX_ITEMS;
    if (surplus > 0) {
      this.#items.splice(this.#options.batchSize, surplus);
      this.#options.onError(new Error(`${surplus} notifications were given up: more than ${MAX_ITEMS} wait`));
    }
    writeJsonFile(this.#options.path, this.#items);
    this.#delivery ??= this.#deliverAll();
  }

  /** Stops delivering; what waits is on disk. */
  async shutdown(): Promise<void> {
    this.#abort.abort();
    await this.#delivery;
  }

  async #deliverAll(): Promise<void> {
    const { deliver, batchSize, path, onError, firstRetryMs = 1_000, lastRetryMs = 60_000 } = this.#options;
    const { signal } = this.#abort;
    while (this.#items.length > 0 && !signal.aborted) {
      const batch = this.#items.slice(0, batchSize);
      try {
        await deliver(batch, AbortSignal.any([signal, AbortSignal.timeout(DELIVERY_TIMEOUT_MS)]));
        this.#failures = 0;
        this.#items.splice(0, batch.length);
        writeJsonFile(path, this.#items);
      } catch (error) {
        if (signal.aborted) break;
        onError(error);
        if (error instanceof RejectedError) {
          this.#failures = 0;
          this.#items.splice(0, batch.length);
          writeJsonFile(path, this.#items);
          continue;
        }
        await pause(Math.min(firstRetryMs * 2 ** this.#failures++, lastRetryMs), signal);
      }
    }
    this.#delivery = undefined;
  }
}

/** Resolves after `ms`, or as soon as `signal` aborts. Does not keep the process alive. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms).unref();
    signal.addEventListener('abort', end);
  });
}
