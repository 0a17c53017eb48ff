import { start } from '@signalbox/node';
import type { Config } from './config.ts';

/**
 * Everything that a request does is instrumented by itself. What is said here is what nobody can know: what the APIs are
 * called, and that the keys of this cache hold nothing secret. The rest is in the environment: `OTEL_ENABLED`,
 * `OTEL_SERVICE_NAME`, `OTEL_ENVIRONMENT`, `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACE_SAMPLER_RATE`.
 */
export function startTelemetry({ streamUrl, elasticsearchUrl }: Config): void {
  start({
    serviceName: process.env.OTEL_SERVICE_NAME || 'sidechain-backend',
    http: { conventions: 'dup', peers: { [streamUrl.host]: 'stream.io', [elasticsearchUrl.host]: 'elasticsearch' } },
    ioredis: { keys: true },
  });
}
