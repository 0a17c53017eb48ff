import { formatPromqlDuration } from '@signalbox/query-language';
import type { ScrapeTarget, ScrapeTargets } from '../../../query/scrape-targets.ts';
import { showTime } from '../encode-json.ts';
import { get, type PrometheusRoute } from '../prometheus-route.ts';

/** What is scraped. */
export function targetRoutes(targets: ScrapeTargets): readonly PrometheusRoute[] {
  return [
    get('targets', async ({ parameters }) => {
      const pool = parameters.text('scrapePool');
      const state = parameters.text('state').toLowerCase();
      const shows = (kind: string): boolean => state === '' || state === 'any' || state === kind;
      const isWanted = (target: { readonly pool: string }): boolean => pool === '' || target.pool === pool;
      const dropped = shows('dropped') ? targets.dropped().filter(isWanted) : [];
      return {
        data: {
          activeTargets: shows('active') ? targets.active().filter(isWanted).map(showTarget) : [],
          droppedTargets: dropped.map(({ pool: scrapePool, discoveredLabels }) => ({
            discoveredLabels: Object.fromEntries(discoveredLabels.entries()),
            scrapePool,
          })),
          droppedTargetCounts: shows('dropped') ? countByPool(targets) : null,
        },
      };
    }),
    get('scrape_pools', async () => ({
      data: { scrapePools: [...new Set(targets.active().map(({ pool }) => pool))].sort() },
    })),
  ];
}

function showTarget(target: ScrapeTarget): object {
  return {
    discoveredLabels: Object.fromEntries(target.discoveredLabels.entries()),
    labels: Object.fromEntries(target.labels.entries()),
    scrapePool: target.pool,
    scrapeUrl: target.url,
    globalUrl: target.url,
    lastError: target.lastError,
    lastScrape: showTime(target.lastScrapeMs),
    lastScrapeDuration: target.lastScrapeDurationMs / 1000,
    health: target.health,
    scrapeInterval: formatPromqlDuration(target.intervalMs),
    scrapeTimeout: formatPromqlDuration(target.timeoutMs),
  };
}

/** How many targets relabelling dropped, by pools; 0 of those that have only others. */
function countByPool(targets: ScrapeTargets): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(targets.active().map(({ pool }) => [pool, 0]));
  for (const { pool } of targets.dropped()) counts[pool] = (counts[pool] ?? 0) + 1;
  return counts;
}
