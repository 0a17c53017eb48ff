import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { start } from '@signalbox/node';

export interface RunningTelemetry {
  /** The metrics in Prometheus's text format; null when telemetry is switched off. */
  readonly scrape: (() => Promise<string>) | null;
  /** Sends what is left; resolves within five seconds, never rejects. */
  shutdown(): Promise<void>;
}

/**
 * Starts the SDK as the platform runs it: a tenth of the traces unless the environment says otherwise (what a parent decided
 * holds), batches of 512 every five seconds, and metrics that are both pushed and scraped, from the same instruments.
 */
export function startTelemetry(serviceName: string, serviceVersion: string): RunningTelemetry {
  const { ENVIRONMENT, OTEL_TRACES_SAMPLER, OTEL_TRACE_SAMPLER_RATE, OTEL_BSP_SCHEDULE_DELAY } = process.env;
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const saysSampling = (OTEL_TRACES_SAMPLER ?? OTEL_TRACE_SAMPLER_RATE ?? '') !== '';
  const telemetry = start({
    serviceName: process.env.OTEL_SERVICE_NAME || serviceName,
    serviceVersion,
    environment: ENVIRONMENT || 'development',
    http: { conventions: 'dup' },
    traces: { maxExportBatchSize: 512, scheduledDelayMillis: Number(OTEL_BSP_SCHEDULE_DELAY) || 5_000 },
    metrics: {
      exportIntervalMillis: Number(process.env.OTEL_METRIC_EXPORT_INTERVAL) || 15_000,
      readers: [exporter],
    },
    ...(!saysSampling && { sampling: { ratio: 0.1 } }),
  });
  return {
    scrape: process.env.OTEL_SDK_DISABLED === 'true' ? null : () => scrape(exporter),
    async shutdown() {
      const { dropped, errors } = await telemetry.shutdown();
      const lost = dropped.spans + dropped.logRecords + dropped.dataPoints;
      if (lost > 0)
        console.error(`${serviceName}: ${lost} telemetry records were not delivered: ${errors[0]?.message ?? ''}`);
    },
  };
}

async function scrape(exporter: PrometheusExporter): Promise<string> {
  const { resourceMetrics, errors } = await exporter.collect();
  if (errors.length > 0) throw new AggregateError(errors, 'metrics could not be collected');
  return new PrometheusSerializer().serialize(resourceMetrics);
}
