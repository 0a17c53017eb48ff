import type { TieredCache } from '../cache/tiered-cache.ts';
import { json, text } from '../http/reply.ts';
import type { Route } from '../http/router.ts';
import type { RunningTelemetry } from '../telemetry/start-telemetry.ts';

export interface OperationsOptions {
  cache: TieredCache;
  /** Null when that endpoint is off. */
  scrape: RunningTelemetry['scrape'];
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
      handle: async ({ headers }) => {
        const { contentType, body } = await scrape(headers.accept);
        return text(200, body, contentType);
      },
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
