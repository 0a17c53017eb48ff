import { start } from '@signalbox/node';

/**
 * Everything is named `wippy_…`, goes out over OTLP, and can be scraped as well. The store has metrics only: a span for every
 * operation would flood the traces. Scrapes are no requests of the application's.
 */
export const telemetry = start({
  serviceName: process.env.OTEL_SERVICE_NAME ?? 'wippy',
  metricPrefix: 'wippy_',
  switches: { kv: { spans: false } },
  http: { ignoreIncoming: ({ url }) => url === '/metrics' },
  metrics: { prometheus: { listen: false } },
});
