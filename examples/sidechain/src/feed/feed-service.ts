import type { Logger } from 'pino';
import type { HttpApi } from '../external/http-api.ts';
import type { FeedCache } from './feed-cache.ts';
import type { Post, PostRepository } from './post-repository.ts';

export const feedTypes = ['unified', 'trending'] as const;
export type FeedType = (typeof feedTypes)[number];

const feedLength = 20;

export interface FeedParts {
  readonly posts: PostRepository;
  readonly cache: FeedCache;
  /** Who follows whom, and what they do. */
  readonly stream: HttpApi;
  readonly search: HttpApi;
  readonly log: Logger;
}

export function isFeedType(text: string): text is FeedType {
  return feedTypes.some((type) => type === text);
}

export class FeedService {
  readonly #parts: FeedParts;

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /** From the cache; else from the database and, for the unified feed, what Stream.io adds to it. */
  async read(type: FeedType): Promise<readonly Post[]> {
    const { posts, cache, stream } = this.#parts;
    const cached = await cache.get(type);
    if (cached !== undefined) return cached;
    const newest = await posts.newest(feedLength);
    if (type === 'unified') await stream.get('/api/v1.0/feed/timeline/');
    await cache.set(type, newest);
    return newest;
  }

  /** A post that cannot be found yet is still a post. */
  async publish(userId: string, caption: string): Promise<Post> {
    const { posts, cache, search, log } = this.#parts;
    const post = await posts.add(userId, caption);
    await cache.clear(feedTypes);
    try {
      await search.put(`/posts/_doc/${post.id}`, post);
    } catch (error) {
      log.error({ err: error, post: post.id }, 'the post could not be indexed');
    }
    return post;
  }
}
