import { type Scrape, start } from '@signalbox/node';

export interface RunningTelemetry {
  /** The metrics for a Prometheus that sends this `Accept`; null when telemetry is switched off. */
  readonly scrape: ((accept?: string) => Promise<Scrape>) | null;
  /** Sends what is left; resolves within five seconds, never rejects. */
  shutdown(): Promise<void>;
}

/**
 * Starts the SDK as the platform runs it: a tenth of the traces unless the environment says otherwise (what a parent decided
 * holds), batches of 512 every five seconds, and metrics that are both pushed and scraped, from the same instruments.
 */
export function startTelemetry(serviceName: string, serviceVersion: string): RunningTelemetry {
  const { ENVIRONMENT, OTEL_TRACES_SAMPLER, OTEL_TRACE_SAMPLER_RATE, OTEL_BSP_SCHEDULE_DELAY } = process.env;
  const saysSampling = (OTEL_TRACES_SAMPLER ?? OTEL_TRACE_SAMPLER_RATE ?? '') !== '';
  const telemetry = start({
    serviceName: process.env.OTEL_SERVICE_NAME || serviceName,
    serviceVersion,
    environment: ENVIRONMENT || 'development',
    http: { conventions: 'dup' },
    traces: { maxExportBatchSize: 512, scheduledDelayMillis: Number(OTEL_BSP_SCHEDULE_DELAY) || 5_000 },
    metrics: {
      exportIntervalMillis: Number(process.env.OTEL_METRIC_EXPORT_INTERVAL) || 15_000,
      prometheus: { listen: false },
    },
    ...(!saysSampling && { sampling: { ratio: 0.1 } }),
  });
  return {
    scrape: process.env.OTEL_SDK_DISABLED === 'true' ? null : (accept) => telemetry.scrape(accept),
    async shutdown() {
      const { dropped, errors } = await telemetry.shutdown();
      const lost = dropped.spans + dropped.logRecords + dropped.dataPoints;
      if (lost > 0)
        console.error(`${serviceName}: ${lost} telemetry records were not delivered: ${errors[0]?.message ?? ''}`);
    },
  };
}
