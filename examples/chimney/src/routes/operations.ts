import type { TieredCache } from '../cache/tiered-cache.ts';
import { json, text } from '../http/reply.ts';
import type { Route } from '../http/router.ts';

export interface OperationsOptions {
  cache: TieredCache;
  /** The metrics in Prometheus's text format; null when that endpoint is off. */
  scrape: (() => Promise<string>) | null;
  debugRoutes: boolean;
}

/** What those who run chimney ask for: health, the optional Prometheus endpoint, and, only when told so, a route that panics. */
export function operationsRoutes({ cache, scrape, debugRoutes }: OperationsOptions): Route[] {
  const routes: Route[] = [
    {
      method: 'GET',
      path: '/healthz',
      // Chimney is healthy without Dragonfly: it has a second tier.
      handle: () => json(200, { status: 'ok', dragonfly_connected: cache.dragonflyConnected }),
    },
  ];
  if (scrape) {
    routes.push({
      method: 'GET',
      path: '/api/metrics',
      handle: async () => text(200, await scrape(), 'text/plain; version=0.0.4; charset=utf-8'),
    });
  }
  if (debugRoutes) {
    routes.push({
      method: 'GET',
      path: '/api/debug/panic',
      handle: () => {
        throw new Error('a panic that was asked for');
      },
    });
  }
  return routes;
}
