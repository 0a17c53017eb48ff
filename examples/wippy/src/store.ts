import { observeStore } from '@signalbox/node';
import type { ChangeFeed } from './change-feed.ts';

const maxEntries = 10_000;
const maxAgeMillis = 600_000;

interface Entry {
  readonly value: string;
  /** Reading of `performance.now()`. */
  readonly expires: number;
}

class MemoryStore {
  readonly #values = new Map<string, Entry>();
  readonly #changes: ChangeFeed;

  constructor(changes: ChangeFeed) {
    this.#changes = changes;
  }

  get(key: string): string | undefined {
    const entry = this.#values.get(key);
    return entry !== undefined && entry.expires > performance.now() ? entry.value : undefined;
  }

  put(key: string, value: string): void {
    if (!this.#values.has(key) && this.#values.size >= maxEntries)
      throw new Error(`the store is full: ${maxEntries} keys`);
    this.#changes.append({ op: 'put', key, value });
    this.#values.set(key, { value, expires: performance.now() + maxAgeMillis });
  }

  delete(key: string): boolean {
    if (!this.#values.delete(key)) return false;
    this.#changes.append({ op: 'delete', key });
    return true;
  }

  /** Makes room: what has expired goes. */
  compact(): void {
    const now = performance.now();
    for (const [key, { expires }] of this.#values) if (expires <= now) this.#values.delete(key);
  }
}

export type Store = Pick<MemoryStore, 'get' | 'put' | 'delete' | 'compact'>;

/** A store in memory that is observed as `namespace`, whose changes go into `changes`. */
export function createStore(namespace: string, changes: ChangeFeed): Store {
  return observeStore(new MemoryStore(changes), { namespace });
}
