import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Post } from './post-repository.ts';

const secondsToLive = 30;

/** Feeds in Redis. One that is down makes requests slower, not wrong. */
export class FeedCache {
  readonly #redis: Redis;
  readonly #log: Logger;

  constructor(redis: Redis, log: Logger) {
    this.#redis = redis;
    this.#log = log;
  }

  async get(type: string): Promise<readonly Post[] | undefined> {
    const text = await this.#orNothing('read', this.#redis.get(`feed:${type}`));
    return typeof text === 'string' ? (JSON.parse(text) as readonly Post[]) : undefined;
  }

  async set(type: string, posts: readonly Post[]): Promise<void> {
    await this.#orNothing('written', this.#redis.set(`feed:${type}`, JSON.stringify(posts), 'EX', secondsToLive));
  }

  async clear(types: readonly string[]): Promise<void> {
    await this.#orNothing('cleared', this.#redis.del(...types.map((type) => `feed:${type}`)));
  }

  async #orNothing<Value>(what: string, answer: Promise<Value>): Promise<Value | undefined> {
    try {
      return await answer;
    } catch (error) {
      this.#log.warn({ err: error }, `the cache could not be ${what}`);
      return undefined;
    }
  }
}
