import { start } from '@signalbox/node';

/**
 * Traces over OTLP/gRPC, compressed, to localhost:4317 unless OTEL_EXPORTER_OTLP_ENDPOINT says otherwise; HTTP attributes under
 * their older names too. Keys of the store are no secrets here.
 */
export function startTelemetry(node: string) {
  return start({
    serviceName: process.env.OTEL_SERVICE_NAME ?? 'webserver',
    resourceAttributes: { 'service.instance.id': node },
    endpoint: process.env.OTEL_EXPORTER_OTLP_ENDPOINT ?? 'http://localhost:4317',
    protocol: 'grpc',
    compression: 'gzip',
    http: { conventions: 'dup' },
  });
}
