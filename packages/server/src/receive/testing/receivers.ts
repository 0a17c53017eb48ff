import type { LogBatch, MetricBatch, SpanBatch } from '@signalbox/records';
import { ExportService, type ExportServiceOptions } from '../otlp/export-service.ts';
import { InFlightBytes } from '../otlp/in-flight-bytes.ts';
import { type OtlpGrpcOptions, OtlpGrpcReceiver } from '../otlp-grpc/otlp-grpc-receiver.ts';
import type { OtlpHttpOptions } from '../otlp-http/otlp-http-options.ts';
import { OtlpHttpReceiver } from '../otlp-http/otlp-http-receiver.ts';
import { RecordingConsumer } from './recording-consumer.ts';

export interface ReceiversOptions {
  readonly service?: Partial<ExportServiceOptions> & { readonly maxInFlightBytes?: number };
  readonly http?: Partial<OtlpHttpOptions>;
  readonly grpc?: Partial<OtlpGrpcOptions>;
}

/** Both receivers on loopback ports of their own, over consumers that record. */
export async function startReceivers(options: ReceiversOptions = {}) {
  const consumers = {
    traces: new RecordingConsumer<SpanBatch>(),
    metrics: new RecordingConsumer<MetricBatch>(),
    logs: new RecordingConsumer<LogBatch>(),
  };
  const internalErrors: unknown[] = [];
  const service = new ExportService({
    consumers,
    maxRequestBytes: 64 * 1024 * 1024,
    inFlight: new InFlightBytes(options.service?.maxInFlightBytes ?? 256 * 1024 * 1024),
    onInternalError: (error) => internalErrors.push(error),
    ...options.service,
  });
  const http = new OtlpHttpReceiver(service, { host: '127.0.0.1', port: 0, ...options.http });
  const grpc = new OtlpGrpcReceiver(service, { host: '127.0.0.1', port: 0, ...options.grpc });
  await Promise.all([http.start(), grpc.start()]);
  return {
    consumers,
    service,
    http,
    grpc,
    /** Errors that were ours: a test that does not provoke one finds this empty. */
    internalErrors,
    url: `http://127.0.0.1:${http.address.port}`,
    grpcAddress: `127.0.0.1:${grpc.address.port}`,
    stop: async (deadlineMs = 0) => {
      await Promise.all([http.shutdown(deadlineMs), grpc.shutdown(deadlineMs)]);
    },
  };
}

export type Receivers = Awaited<ReturnType<typeof startReceivers>>;
