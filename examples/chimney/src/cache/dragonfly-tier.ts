import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { isKeyBelow } from './cache-key.ts';
import { type CachedResponse, decodeCachedResponse, encodeCachedResponse } from './cached-response.ts';

const prefix = 'chimney:1:';
const commandTimeoutMs = 500;
const scanCount = 500;

/**
 * The first tier: Dragonfly, or anything else that speaks Redis. Never throws: while it is away every lookup is a miss and chimney runs on
 * its memory tier. Says once that it went and once that it is back, and keeps trying to reconnect.
 */
export class DragonflyTier {
  readonly #redis: Redis;
  readonly #log: Logger;
  #reportedDown = false;
  #failing = false;
  #closing = false;

  constructor(url: string, log: Logger) {
    this.#log = log;
    this.#redis = new Redis(url, {
      lazyConnect: true,
      // A request must not wait for a server that is away.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      connectTimeout: 2000,
      commandTimeout: commandTimeoutMs,
      retryStrategy: (attempt) => Math.min(attempt * 200, 3000),
    });
    this.#redis.on('ready', () => {
      this.#log.info(this.#reportedDown ? 'dragonfly is back' : 'dragonfly connected');
      this.#reportedDown = false;
    });
    this.#redis.on('error', (error: Error) => this.#reportDown(error));
    this.#redis.on('close', () => this.#reportDown(new Error('the connection was closed')));
  }

  get connected(): boolean {
    return this.#redis.status === 'ready';
  }

  /** Resolves once the first attempt has ended, either way. */
  async connect(): Promise<void> {
    try {
      await this.#redis.connect();
    } catch (error) {
      this.#reportDown(error as Error);
    }
  }

  async get(key: string, now: number): Promise<CachedResponse | null> {
    const bytes = await this.#try((redis) => redis.getBuffer(prefix + key));
    const entry = bytes ? decodeCachedResponse(bytes) : null;
    return entry && entry.keptUntil > now ? entry : null;
  }

  async set(key: string, entry: CachedResponse, now: number): Promise<void> {
    const lifetime = Math.ceil(entry.keptUntil - now);
    if (lifetime > 0) await this.#try((redis) => redis.set(prefix + key, encodeCachedResponse(entry), 'PX', lifetime));
  }

  /** Forgets `path` and everything below it (null: everything of chimney's) and returns how many entries that were. */
  async invalidate(path: string | null): Promise<number> {
    const pattern = `${prefix}${(path ?? '').replace(/[\\*?[\]]/g, '\\$&')}*`;
    const removed = await this.#try(async (redis) => {
      let count = 0;
      let cursor = '0';
      do {
        const [next, found] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', scanCount);
        const keys = found.filter((key) => isKeyBelow(key.slice(prefix.length), path));
        if (keys.length > 0) count += await redis.unlink(...keys);
        cursor = next;
      } while (cursor !== '0');
      return count;
    });
    return removed ?? 0;
  }

  close(): void {
    this.#closing = true;
    this.#redis.disconnect();
  }

  async #try<Result>(command: (redis: Redis) => Promise<Result>): Promise<Result | null> {
    if (!this.connected) return null;
    try {
      const result = await command(this.#redis);
      this.#failing = false;
      return result;
    } catch (error) {
      // Once for each row of failures: a server that hangs fails every request, and its span tells of each.
      if (!this.#failing) this.#log.warn({ error: (error as Error).message }, 'dragonfly command failed');
      this.#failing = true;
      return null;
    }
  }

  #reportDown(error: Error): void {
    if (this.#reportedDown || this.#closing) return;
    this.#reportedDown = true;
    this.#log.warn({ error: error.message }, 'dragonfly unavailable, running on the memory tier');
  }
}
