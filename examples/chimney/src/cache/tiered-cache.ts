import type { CacheTier } from '../http/reply.ts';
import type { CachedResponse } from './cached-response.ts';
import type { DragonflyTier } from './dragonfly-tier.ts';
import type { MemoryTier } from './memory-tier.ts';

export interface Found {
  entry: CachedResponse;
  tier: Exclude<CacheTier, 'none'>;
  fresh: boolean;
}

/** Dragonfly, which all chimneys share, before the memory of this one. Both are written; the second answers while the first is away. */
export class TieredCache {
  readonly #dragonfly: DragonflyTier | null;
  readonly #memory: MemoryTier;
  #generation = 0;

  constructor(dragonfly: DragonflyTier | null, memory: MemoryTier) {
    this.#dragonfly = dragonfly;
    this.#memory = memory;
  }

  get memoryEntries(): number {
    return this.#memory.size;
  }

  get dragonflyConnected(): boolean {
    return this.#dragonfly?.connected ?? false;
  }

  /** Grows with each invalidation: what was fetched in an earlier one may be what the invalidation wanted gone. */
  get generation(): number {
    return this.#generation;
  }

  /** A fresh entry of the first tier that has one; otherwise the stale one that was fresh longest; otherwise null. */
  async find(key: string, now = Date.now()): Promise<Found | null> {
    const shared = (await this.#dragonfly?.get(key, now)) ?? null;
    if (shared && shared.freshUntil > now) return { entry: shared, tier: 'dragonfly', fresh: true };
    const own = this.#memory.get(key, now);
    if (own && own.freshUntil > now) return { entry: own, tier: 'memory', fresh: true };
    if (shared && (!own || shared.freshUntil >= own.freshUntil))
      return { entry: shared, tier: 'dragonfly', fresh: false };
    return own ? { entry: own, tier: 'memory', fresh: false } : null;
  }

  /** Writes both tiers, unless something was invalidated since `generation` was read. */
  async store(key: string, entry: CachedResponse, generation: number): Promise<void> {
    if (generation !== this.#generation) return;
    this.#memory.set(key, entry);
    await this.#dragonfly?.set(key, entry, Date.now());
  }

  /** Forgets a GitHub path and everything below it, whatever the query; null forgets everything. Returns the entries by tier. */
  async invalidate(path: string | null): Promise<{ dragonfly: number; memory: number }> {
    this.#generation += 1;
    const memory = this.#memory.invalidate(path);
    return { dragonfly: (await this.#dragonfly?.invalidate(path)) ?? 0, memory };
  }
}
