import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { start } from '@signalbox/node';

export interface RunningTelemetry {
  /** The metrics in Prometheus's text format; null when that was not asked for. */
  scrape: (() => Promise<string>) | null;
  /** Sends what is left and resolves within `flushMs`; never rejects. */
  shutdown(): Promise<void>;
}

const metricIntervalMs = 15_000;
/** With the time that requests under way are given, this stays within the five seconds of a shutdown. */
const flushMs = 3000;

/**
 * Starts the SDK with chimney's defaults: its name, metrics every 15 s, both generations of HTTP names. Everything else comes from the
 * standard OTEL_* variables; without them OTLP over HTTP in protobuf goes to http://localhost:4318.
 */
export function startTelemetry({ prometheus }: { prometheus: boolean }): RunningTelemetry {
  const exporter = prometheus ? new PrometheusExporter({ preventServerStart: true }) : null;
  const telemetry = start({
    serviceName: process.env.OTEL_SERVICE_NAME || 'chimney',
    http: { conventions: 'dup', traceIdHeader: 'X-Trace-ID' },
    metrics: {
      exportIntervalMillis: Number(process.env.OTEL_METRIC_EXPORT_INTERVAL) || metricIntervalMs,
      readers: exporter ? [exporter] : [],
    },
    shutdownTimeoutMillis: flushMs,
  });
  return {
    scrape: exporter ? () => scrape(exporter) : null,
    shutdown: async () => {
      const { dropped, errors } = await telemetry.shutdown();
      const lost = dropped.spans + dropped.logRecords + dropped.dataPoints;
      if (lost > 0)
        console.error(`chimney: ${lost} telemetry records could not be delivered: ${errors[0]?.message ?? ''}`);
    },
  };
}

async function scrape(exporter: PrometheusExporter): Promise<string> {
  const { resourceMetrics, errors } = await exporter.collect();
  if (errors.length > 0) throw new AggregateError(errors, 'metrics could not be collected');
  return new PrometheusSerializer().serialize(resourceMetrics);
}
