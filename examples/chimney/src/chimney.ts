import { metrics, trace } from '@opentelemetry/api';
import type { Logger } from 'pino';
import { DragonflyTier } from './cache/dragonfly-tier.ts';
import { MemoryTier } from './cache/memory-tier.ts';
import { TieredCache } from './cache/tiered-cache.ts';
import type { Config } from './config.ts';
import { GithubClient } from './github/github-client.ts';
import { GithubProxy } from './github/github-proxy.ts';
import { RateLimit } from './github/rate-limit.ts';
import type { Route } from './http/router.ts';
import { cacheRoutes } from './routes/cache.ts';
import { deployRoutes } from './routes/deploy.ts';
import { githubRoutes } from './routes/github.ts';
import { operationsRoutes } from './routes/operations.ts';
import { createInstruments, type Instruments } from './telemetry/instruments.ts';
import type { RunningTelemetry } from './telemetry/start-telemetry.ts';

export interface Chimney {
  routes: Route[];
  instruments: Instruments;
  close(): void;
}

/** Wires chimney's parts together. The SDK must have been started before. */
export async function createChimney(config: Config, log: Logger, scrape: RunningTelemetry['scrape']): Promise<Chimney> {
  if (config.dragonflyUrl === null) log.info('no dragonfly configured, running on the memory tier');
  const dragonfly = config.dragonflyUrl === null ? null : new DragonflyTier(config.dragonflyUrl, log);
  const cache = new TieredCache(dragonfly, new MemoryTier(config.memoryEntries, config.memoryBytes));
  const rateLimit = new RateLimit();
  const instruments = createInstruments(metrics.getMeter('chimney'), {
    cacheEntries: () => cache.memoryEntries,
    rateLimitRemaining: () => rateLimit.remaining,
    rateLimitReset: () => rateLimit.reset,
    dragonflyConnected: () => cache.dragonflyConnected,
  });
  const client = new GithubClient({
    apiUrl: config.githubApiUrl,
    token: config.githubToken,
    timeoutMs: config.githubTimeoutMs,
    tracer: trace.getTracer('chimney'),
    rateLimit,
  });
  const { ttlMs, staleMs, repository, debugRoutes } = config;
  const proxy = new GithubProxy({ cache, client, rateLimit, instruments, ttlMs, staleMs });
  await dragonfly?.connect();
  return {
    routes: [
      ...githubRoutes(proxy, repository, log),
      ...cacheRoutes(cache, repository, log),
      ...deployRoutes(log, instruments.deployEvents),
      ...operationsRoutes({ cache, scrape, debugRoutes }),
    ],
    instruments,
    close: () => dragonfly?.close(),
  };
}
