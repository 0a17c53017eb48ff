import { trace } from '@opentelemetry/api';
import { cacheKey } from '../cache/cache-key.ts';
import type { CachedResponse } from '../cache/cached-response.ts';
import { SingleFlight } from '../cache/single-flight.ts';
import type { Found, TieredCache } from '../cache/tiered-cache.ts';
import type { Instruments } from '../telemetry/instruments.ts';
import type { GithubClient, GithubResponse } from './github-client.ts';
import { GithubError } from './github-error.ts';
import type { RateLimit } from './rate-limit.ts';

const maxFlights = 128;

/** What the proxy found, and how. */
export type Outcome =
  | { from: 'cache'; found: Found; stale: GithubError | null }
  | { from: 'github'; entry: CachedResponse; revalidated: boolean }
  | { from: 'github-refusal'; response: GithubResponse };

export interface GithubProxyOptions {
  cache: TieredCache;
  client: GithubClient;
  rateLimit: RateLimit;
  instruments: Pick<Instruments, 'cacheHits' | 'cacheMisses'>;
  ttlMs: number;
  staleMs: number;
}

type Upstream = Exclude<Outcome, { from: 'cache' }>;

/** GitHub behind two tiers of cache: one request upstream however many ask at once, revalidation by ETag, stale answers when GitHub fails. */
export class GithubProxy {
  readonly #options: GithubProxyOptions;
  readonly #flights = new SingleFlight<Upstream>();

  constructor(options: GithubProxyOptions) {
    this.#options = options;
  }

  /** Throws GithubError when GitHub failed and the cache holds nothing, not even something stale. */
  async get(path: string, query: URLSearchParams): Promise<Outcome> {
    const { cache, instruments } = this.#options;
    const key = cacheKey(path, query);
    // Who asks after an invalidation must not be given what was under way before it.
    const flight = `${cache.generation} ${key}`;
    const found = await cache.find(key);
    if (found?.fresh) {
      instruments.cacheHits.add(1, { tier: found.tier });
      return { from: 'cache', found, stale: null };
    }
    instruments.cacheMisses.add(1);
    try {
      if (this.#flights.has(flight)) trace.getActiveSpan()?.setAttribute('chimney.coalesced', true);
      return await this.#flights.run(flight, () => this.#ask(key, path, query, found?.entry ?? null));
    } catch (error) {
      if (error instanceof GithubError && found) return { from: 'cache', found, stale: error };
      throw error;
    }
  }

  async #ask(key: string, path: string, query: URLSearchParams, known: CachedResponse | null): Promise<Upstream> {
    const { cache, client, rateLimit, ttlMs, staleMs } = this.#options;
    const wait = rateLimit.waitSeconds();
    if (wait > 0) throw new GithubError(503, 'GitHub rate limit exhausted', { retryAfterSeconds: wait });
    if (this.#flights.size >= maxFlights) {
      throw new GithubError(503, 'too many requests to GitHub are under way', { retryAfterSeconds: 1 });
    }
    const generation = cache.generation;
    const response = await client.fetch(path, query.toString(), known?.etag ?? null);
    if (response.status !== 200 && response.status !== 304) return { from: 'github-refusal', response };
    const now = Date.now();
    const life = { freshUntil: now + ttlMs, keptUntil: now + ttlMs + staleMs };
    const revalidated = response.status === 304;
    if (revalidated && !known) throw new GithubError(502, 'GitHub answered 304 to an unconditional request');
    // A 304 extends what is known; headers that it repeats may be newer.
    const { body, contentType, etag, link } = response;
    const entry: CachedResponse =
      revalidated && known
        ? { ...known, etag: etag ?? known.etag, link: link ?? known.link, ...life }
        : { body, contentType, etag, link, ...life };
    await cache.store(key, entry, generation);
    return { from: 'github', entry, revalidated };
  }
}
