import { isKeyBelow } from './cache-key.ts';
import type { CachedResponse } from './cached-response.ts';

/** The second tier: the least recently used entries of this process, bounded in number and in bytes. */
export class MemoryTier {
  readonly #entries = new Map<string, CachedResponse>();
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxEntries: number, maxBytes: number) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The entry, fresh or stale; null when there is none or it is past `keptUntil`. */
  get(key: string, now: number): CachedResponse | null {
    const entry = this.#entries.get(key);
    if (!entry) return null;
    this.#remove(key);
    if (entry.keptUntil <= now) return null;
    // A Map keeps the order of insertion: the entry that was used last is the last.
    this.#insert(key, entry);
    return entry;
  }

  /** Keeps the entry unless it alone is larger than the whole tier may be. */
  set(key: string, entry: CachedResponse): void {
    this.#remove(key);
    if (entry.body.length > this.#maxBytes) return;
    this.#insert(key, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) break;
      this.#remove(oldest);
    }
  }

  /** Forgets `path` and everything below it (null: everything) and returns how many entries that were. */
  invalidate(path: string | null): number {
    const before = this.#entries.size;
    for (const key of this.#entries.keys()) if (isKeyBelow(key, path)) this.#remove(key);
    return before - this.#entries.size;
  }

  #insert(key: string, entry: CachedResponse): void {
    this.#entries.set(key, entry);
    this.#bytes += entry.body.length;
  }

  #remove(key: string): void {
    this.#bytes -= this.#entries.get(key)?.body.length ?? 0;
    this.#entries.delete(key);
  }
}
