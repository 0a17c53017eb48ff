import { type Scrape, start } from '@signalbox/node';

export interface RunningTelemetry {
  /** The metrics for a Prometheus that sends this `Accept`; null when that was not asked for. */
  scrape: ((accept?: string) => Promise<Scrape>) | null;
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
  const telemetry = start({
    serviceName: process.env.OTEL_SERVICE_NAME || 'chimney',
    http: { conventions: 'dup', traceIdHeader: 'X-Trace-ID' },
    metrics: {
      exportIntervalMillis: Number(process.env.OTEL_METRIC_EXPORT_INTERVAL) || metricIntervalMs,
      prometheus: prometheus && { listen: false },
    },
    shutdownTimeoutMillis: flushMs,
  });
  return {
    scrape: prometheus ? (accept) => telemetry.scrape(accept) : null,
    shutdown: async () => {
      const { dropped, errors } = await telemetry.shutdown();
      const lost = dropped.spans + dropped.logRecords + dropped.dataPoints;
      if (lost > 0)
        console.error(`chimney: ${lost} telemetry records could not be delivered: ${errors[0]?.message ?? ''}`);
    },
  };
}
