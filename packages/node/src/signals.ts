import type { MeterProvider } from '@opentelemetry/api';
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import type { Resource } from '@opentelemetry/resources';
import { LoggerProvider, type SdkLogRecord } from '@opentelemetry/sdk-logs';
import { PeriodicExportingMetricReader, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { type ReadableSpan, type Sampler, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Configuration } from './configuration.ts';
import { BatchQueue } from './export/batch-queue.ts';
import type { CollectorHealth } from './export/collector-health.ts';
import { OtlpExporter, type UnansweredRequest } from './export/otlp-exporter.ts';
import { QueueLogRecordProcessor, QueueSpanProcessor } from './export/processors.ts';
import { collectSynchronously } from './metrics/collect-synchronously.ts';
import { ExemplarMeterProvider } from './metrics/exemplar-meter-provider.ts';
import { withExemplars } from './metrics/exemplar-serializer.ts';
import { countDataPoints, QueueMetricExporter } from './metrics/metric-exporter.ts';
import { SpanClock } from './span-clock.ts';
import type { Warnings } from './warnings.ts';

/** One signal from provider to wire, as the process's end sees it. */
export interface Signal {
  delivered(): number;
  dropped(): number;
  errors(): readonly Error[];
  /** Sends everything; resolves at the latest at `deadlineMillis` (epoch); never rejects. */
  flush(deadlineMillis: number): Promise<void>;
  /** Everything that has not been acknowledged, encoded; for when the event loop has stopped. */
  takeUnanswered(): UnansweredRequest[];
  close(): void;
}

type Enabled<Key extends 'traces' | 'logs' | 'metrics'> = Exclude<Configuration[Key], false>;

export function createTraceSignal(
  { otlp, batch, limits: spanLimits }: Enabled<'traces'>,
  resource: Resource,
  sampler: Sampler,
  health: CollectorHealth,
  warnings: Warnings,
): Signal & { readonly provider: TracerProvider } {
  const serializer = otlp.protocol === 'http/json' ? JsonTraceSerializer : ProtobufTraceSerializer;
  const exporter = new OtlpExporter<ReadableSpan[]>(otlp, serializer, health);
  const queue = new BatchQueue(batch, exporter, () => warnDropping(warnings, 'spans', 'OTEL_BSP_MAX_QUEUE_SIZE'));
  const provider = new TracerProvider({
    resource,
    sampler,
    spanLimits,
    spanProcessors: [new SpanClock(), new QueueSpanProcessor(queue)],
  });
  return { provider, ...queuedSignal(queue, exporter) };
}

export function createLogSignal(
  { otlp, batch, limits: logRecordLimits }: Enabled<'logs'>,
  resource: Resource,
  health: CollectorHealth,
  warnings: Warnings,
): Signal & { readonly provider: LoggerProvider } {
  const serializer = otlp.protocol === 'http/json' ? JsonLogsSerializer : ProtobufLogsSerializer;
  const exporter = new OtlpExporter<SdkLogRecord[]>(otlp, serializer, health);
  const queue = new BatchQueue(batch, exporter, () =>
    warnDropping(warnings, 'log records', 'OTEL_BLRP_MAX_QUEUE_SIZE'),
  );
  const provider = new LoggerProvider({ resource, logRecordLimits, processors: [new QueueLogRecordProcessor(queue)] });
  return { provider, ...queuedSignal(queue, exporter) };
}

export function createMetricSignal(
  settings: Enabled<'metrics'>,
  resource: Resource,
  health: CollectorHealth,
): Signal & { readonly provider: MeterProvider } {
  const { otlp, exportIntervalMillis, exemplarFilter: filter, exponentialHistograms } = settings;
  const official = otlp.protocol === 'http/json' ? JsonMetricsSerializer : ProtobufMetricsSerializer;
  let last: ResourceMetrics | undefined;
  const serializer = withExemplars(official, otlp.protocol, (metrics) => {
    last = metrics;
    return provider.takeExemplars(metrics);
  });
  const exporter = new OtlpExporter<ResourceMetrics>(otlp, serializer, health);
  const reader = new PeriodicExportingMetricReader({
    exporter: new QueueMetricExporter(exporter, settings),
    exportIntervalMillis,
    exportTimeoutMillis: exportIntervalMillis,
  });
  const provider = new ExemplarMeterProvider(
    { resource, readers: [reader, ...settings.readers] },
    { filter, exponentialHistograms },
  );
  return {
    provider,
    delivered: () => exporter.counts.delivered,
    dropped: () => exporter.counts.dropped,
    errors: () => exporter.errors,
    async flush(deadlineMillis) {
      const collected = reader.forceFlush({ timeoutMillis: Math.max(1, deadlineMillis - Date.now()) });
      await collected.catch((error: unknown) => {
        exporter.addError(error instanceof Error ? error : new Error(String(error)));
      });
      await exporter.drain(deadlineMillis);
    },
    takeUnanswered() {
      const news = collectSynchronously(provider, last);
      const requests = news === undefined ? [] : exporter.prepare(news, countDataPoints(news));
      return [...exporter.takeUnanswered(), ...requests];
    },
    close() {
      // Its timer is all that the reader still holds; a last collection has been made.
      provider.shutdown({ timeoutMillis: 1 }).catch(() => {});
      exporter.close();
    },
  };
}

function queuedSignal<Item>(queue: BatchQueue<Item>, exporter: OtlpExporter<Item[]>): Signal {
  return {
    delivered: () => exporter.counts.delivered,
    dropped: () => exporter.counts.dropped + queue.dropped,
    errors: () => exporter.errors,
    flush: (deadlineMillis) => queue.flush(deadlineMillis),
    takeUnanswered: () => [...exporter.takeUnanswered(), ...queue.takeEncoded()],
    close: () => exporter.close(),
  };
}

function warnDropping(warnings: Warnings, what: string, variable: string): void {
  warnings.once(
    `${what} are being dropped: they are finished faster than the collector takes them, and the queue is full. Raise ${variable} or sample.`,
  );
}
