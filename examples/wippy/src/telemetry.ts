import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { start } from '@signalbox/node';

const exporter = new PrometheusExporter({ preventServerStart: true });

/**
 * Everything is named `wippy_…`, goes out over OTLP, and can be scraped as well. The store has metrics only: a span for every
 * operation would flood the traces. Scrapes are no requests of the application's.
 */
export const telemetry = start({
  serviceName: process.env.OTEL_SERVICE_NAME ?? 'wippy',
  metricPrefix: 'wippy_',
  switches: { kv: { spans: false } },
  http: { ignoreIncoming: ({ url }) => url === '/metrics' },
  metrics: { readers: [exporter] },
});

/** The metrics in Prometheus's text format. */
export async function scrape(): Promise<string> {
  const { resourceMetrics, errors } = await exporter.collect();
  if (errors.length > 0) throw new AggregateError(errors, 'metrics could not be collected');
  return new PrometheusSerializer().serialize(resourceMetrics);
}
