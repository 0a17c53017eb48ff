import type { MeterProvider } from '@opentelemetry/api';
import type { LoggerProvider } from '@opentelemetry/api-logs';
import type { Resource } from '@opentelemetry/resources';
import {
  ConsoleLogRecordExporter,
  LoggerProvider as OfficialLoggerProvider,
  type SdkLogRecord,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import { ConsoleMetricExporter, PeriodicExportingMetricReader, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { BatchSettings } from './configuration.ts';
import { BatchQueue } from './export/batch-queue.ts';
import { DropReport } from './export/drop-report.ts';
import { logSerializer, metricSerializer, traceSerializer } from './export/official-serializers.ts';
import type { OtlpDestination } from './export/otlp-destination.ts';
import { OtlpExporter, type OtlpSerializer } from './export/otlp-exporter.ts';
import { ObservedLogRecordProcessor, QueueLogRecordProcessor } from './export/processors.ts';
import { ProtobufLogs } from './logging/log-encoding.ts';
import type { FinishedLogRecord, LogScope } from './logging/log-record.ts';
import { SignalboxLoggerProvider } from './logging/logger-provider.ts';
import { collectSynchronously } from './metrics/collect-synchronously.ts';
import { ExemplarMeterProvider, type PointExemplars } from './metrics/exemplar-meter-provider.ts';
import { withExemplars } from './metrics/exemplar-serializer.ts';
import { countDataPoints, QueueMetricExporter, selectTemporality } from './metrics/metric-exporter.ts';
import { createPrometheusEndpoint } from './metrics/prometheus/create-prometheus-endpoint.ts';
import type { PrometheusEndpoint } from './metrics/prometheus/prometheus-endpoint.ts';
import type { Sampling } from './sampling/resolve-sampling.ts';
import {
  type Delivery,
  type Enabled,
  exporterCounts,
  nothingSent,
  queuedSignal,
  queueEnd,
  remaining,
  type Signal,
  type TraceSignal,
  toError,
} from './signal.ts';
import { JsonEncoding } from './trace/json-encoding.ts';
import { createOfficialTraceSignal } from './trace/official-trace-signal.ts';
import { ProtobufEncoding } from './trace/protobuf-encoding.ts';
import type { RecordingSpan } from './trace/span.ts';
import { SpanQueue } from './trace/span-queue.ts';
import { TailBuffer } from './trace/tail-buffer.ts';
import { SignalboxTracerProvider } from './trace/tracer-provider.ts';

/** Traces by our own tracer, or by the official one as soon as the user adds a processor of the official kind. */
export function createTraceSignal(
  settings: Enabled<'traces'>,
  resource: Resource,
  { sampler, tail }: Sampling,
  delivery: Delivery,
  onSpanEnd?: (span: RecordingSpan) => void,
): TraceSignal {
  const { otlp } = settings;
  if (otlp === undefined || settings.console || settings.spanProcessors.length > 0)
    return createOfficialTraceSignal(settings, resource, sampler, delivery);
  const exporter = new OtlpExporter<Uint8Array>(
    otlp,
    {
      serializeRequest: (body) => body,
      deserializeResponse: (body) => traceSerializer(otlp.protocol).deserializeResponse(body),
    },
    delivery.health,
    settings.batch.exportTimeoutMillis,
    delivery.keep,
  );
  const encoding = otlp.protocol === 'http/json' ? new JsonEncoding() : new ProtobufEncoding();
  const drops = new DropReport('spans', 'OTEL_BSP_MAX_QUEUE_SIZE', delivery.warnings);
  const queue = new SpanQueue(
    { ...settings.batch, maxQueueBytes: settings.maxQueueBytes },
    encoding,
    resource.attributes,
    exporter,
    () => drops.add(),
  );
  const provider = new SignalboxTracerProvider({
    sampler,
    limits: settings.limits,
    encoding,
    queue,
    ...(tail && { tail: new TailBuffer(tail, (scope, encoded) => queue.add(scope, encoded)) }),
    ...(onSpanEnd && { onSpanEnd }),
    warn: (message) => delivery.warnings.once(message),
  });
  return {
    provider,
    spans: provider.counts,
    queue: {
      size: () => queue.size,
      capacity: settings.batch.maxQueueSize,
      processed: () => queue.accepted,
      refused: () => queue.dropped,
    },
    ...exporterCounts(exporter),
    dropped: () => exporter.counts.dropped + queue.dropped + provider.counts.unencodable,
    ...queueEnd(queue, exporter, drops),
    close: () => exporter.close(),
  };
}

type LogSignal = Signal & { readonly provider: LoggerProvider };

/** Logs encoded as they are emitted, or kept as official records where these are printed or become JSON. */
export function createLogSignal(
  settings: Enabled<'logs'>,
  resource: Resource,
  delivery: Delivery,
  onEmit?: (record: FinishedLogRecord) => void,
): LogSignal {
  const { otlp, batch, limits } = settings;
  if (otlp === undefined || settings.console || otlp.protocol === 'http/json')
    return createOfficialLogSignal(settings, resource, delivery, onEmit);
  const exporter = new OtlpExporter<Uint8Array>(
    otlp,
    {
      serializeRequest: (body) => body,
      deserializeResponse: (body) => logSerializer(otlp.protocol).deserializeResponse(body),
    },
    delivery.health,
    batch.exportTimeoutMillis,
    delivery.keep,
  );
  const encoding = new ProtobufLogs(resource.schemaUrl, limits.attributeCountLimit);
  const drops = new DropReport('log records', 'OTEL_BLRP_MAX_QUEUE_SIZE', delivery.warnings);
  const queue = new SpanQueue<LogScope>(
    // As many records as there is room for, whatever their size.
    { ...batch, maxQueueBytes: Number.POSITIVE_INFINITY },
    encoding,
    resource.attributes,
    exporter,
    () => drops.add(),
  );
  const provider = new SignalboxLoggerProvider({
    limits,
    onRecord(record, scope) {
      onEmit?.(record);
      try {
        queue.add(scope, encoding.encode(record));
      } catch (error) {
        // Logging is the application's own call: nothing may come out of it.
        exporter.dropUnencodable(1, error);
      }
    },
    // Whoever is told of records gets records.
    ...(onEmit === undefined && {
      onLine(line, scope, give) {
        const encoded = encoding.encodeLine(line, give);
        if (encoded !== undefined) queue.add(scope, encoded);
        return encoded !== undefined;
      },
    }),
    flush: () => queue.flush(Date.now() + flushTimeoutMillis),
  });
  return { provider, ...queuedSignal(queue, exporter, batch.maxQueueSize, drops) };
}

/** For those who flush the provider itself. */
const flushTimeoutMillis = 30_000;

function createOfficialLogSignal(
  { otlp, console: isPrinted, batch, limits: logRecordLimits }: Enabled<'logs'>,
  resource: Resource,
  delivery: Delivery,
  onEmit?: (record: SdkLogRecord) => void,
): LogSignal {
  const sent = otlp && createLogQueue(otlp, batch, delivery);
  const processors = [
    ...(onEmit ? [new ObservedLogRecordProcessor(onEmit)] : []),
    ...(sent ? [new QueueLogRecordProcessor(sent.queue)] : []),
    ...(isPrinted ? [new SimpleLogRecordProcessor({ exporter: new ConsoleLogRecordExporter() })] : []),
  ];
  const provider = new OfficialLoggerProvider({ resource, logRecordLimits, processors });
  return { provider, ...(sent?.signal ?? nothingSent) };
}

function createLogQueue(
  otlp: OtlpDestination,
  batch: BatchSettings,
  { health, warnings, keep }: Delivery,
): { readonly queue: BatchQueue<SdkLogRecord>; readonly signal: Signal } {
  const serializer = logSerializer(otlp.protocol);
  const exporter = new OtlpExporter<SdkLogRecord[]>(otlp, serializer, health, batch.exportTimeoutMillis, keep);
  const drops = new DropReport('log records', 'OTEL_BLRP_MAX_QUEUE_SIZE', warnings);
  const queue = new BatchQueue(batch, exporter, () => drops.add());
  return { queue, signal: queuedSignal(queue, exporter, batch.maxQueueSize, drops) };
}

export function createMetricSignal(
  settings: Enabled<'metrics'>,
  resource: Resource,
  delivery: Delivery,
): Signal & { readonly provider: MeterProvider; readonly scrape: PrometheusEndpoint['scrape'] | undefined } {
  const { otlp, prometheus, exemplarFilter: filter, exponentialHistograms } = settings;
  const push = otlp && createMetricPush(otlp, settings, delivery, (metrics) => provider.takeExemplars(metrics));
  const endpoint = prometheus && createPrometheusEndpoint(prometheus, delivery.warnings);
  // The one that pushes comes first: it is the one that is collected at exit.
  const printer = settings.console ? [createPrintingReader(settings)] : [];
  const readers = [...(push ? [push.reader] : []), ...(endpoint ? [endpoint] : []), ...printer, ...settings.readers];
  const provider = new ExemplarMeterProvider(
    { resource, readers, views: [...settings.views] },
    { filter, exponentialHistograms },
  );
  endpoint?.open(provider);
  const scrape = endpoint && ((accept: string) => endpoint.scrape(accept));
  const shutdown = (): void => {
    // Timers and servers are all that readers still hold; a last collection has been made.
    provider.shutdown({ timeoutMillis: 1 }).catch(() => {});
  };
  const print = async (deadlineMillis: number): Promise<void> => {
    const flushed = printer.map((reader) => reader.forceFlush({ timeoutMillis: remaining(deadlineMillis) }));
    // Only a collection that takes longer than there is time: what is not printed then is printed nowhere else either.
    await Promise.allSettled(flushed);
  };
  if (push === undefined) return { provider, scrape, ...nothingSent, flush: print, close: shutdown };
  const { exporter, reader, last } = push;
  return {
    provider,
    scrape,
    ...exporterCounts(exporter),
    dropped: () => exporter.counts.dropped,
    async flush(deadlineMillis) {
      const collected = reader.forceFlush({ timeoutMillis: remaining(deadlineMillis) });
      await collected.catch((error: unknown) => {
        exporter.addError(toError(error));
      });
      await Promise.all([exporter.drain(deadlineMillis), print(deadlineMillis)]);
    },
    takeUnanswered() {
      const news = collectSynchronously(provider, last());
      const requests = news === undefined ? [] : exporter.prepare(news, countDataPoints(news));
      return [...exporter.takeUnanswered(), ...requests];
    },
    close() {
      exporter.close();
      shutdown();
    },
  };
}

function createPrintingReader({
  exportIntervalMillis,
  ...settings
}: Enabled<'metrics'>): PeriodicExportingMetricReader {
  const exporter = new ConsoleMetricExporter({ temporalitySelector: (type) => selectTemporality(settings, type) });
  return new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis,
    exportTimeoutMillis: exportIntervalMillis,
  });
}

interface MetricPush {
  readonly exporter: OtlpExporter<ResourceMetrics>;
  readonly reader: PeriodicExportingMetricReader;
  /** What was collected for the last export. */
  last(): ResourceMetrics | undefined;
}

function createMetricPush(
  otlp: OtlpDestination,
  settings: Enabled<'metrics'>,
  { health, keep }: Delivery,
  takeExemplars: (metrics: ResourceMetrics) => PointExemplars | undefined,
): MetricPush {
  const { exportIntervalMillis, exportTimeoutMillis } = settings;
  const official: OtlpSerializer<ResourceMetrics> = {
    serializeRequest: (metrics) => metricSerializer(otlp.protocol).serializeRequest(metrics),
    deserializeResponse: (body) => metricSerializer(otlp.protocol).deserializeResponse(body),
  };
  let last: ResourceMetrics | undefined;
  const serializer = withExemplars(official, otlp.protocol, (metrics) => {
    last = metrics;
    return takeExemplars(metrics);
  });
  const exporter = new OtlpExporter<ResourceMetrics>(otlp, serializer, health, exportTimeoutMillis, keep);
  const reader = new PeriodicExportingMetricReader({
    exporter: new QueueMetricExporter(exporter, settings),
    exportIntervalMillis,
    exportTimeoutMillis: exportIntervalMillis,
  });
  return { exporter, reader, last: () => last };
}
