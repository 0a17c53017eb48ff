import type { Resource } from '@opentelemetry/resources';
import {
  ConsoleSpanExporter,
  TracerProvider as OfficialTracerProvider,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace';
import type { BatchSettings } from '../configuration.ts';
import { BatchQueue } from '../export/batch-queue.ts';
import { DropReport } from '../export/drop-report.ts';
import { traceSerializer } from '../export/official-serializers.ts';
import type { OtlpDestination } from '../export/otlp-destination.ts';
import { OtlpExporter } from '../export/otlp-exporter.ts';
import { QueueSpanProcessor } from '../export/processors.ts';
import {
  type Delivery,
  type Enabled,
  maxErrors,
  nothingSent,
  queuedSignal,
  remaining,
  type Signal,
  type TraceSignal,
  toError,
} from '../signal.ts';
import { SpanClock } from '../span-clock.ts';

/** For processors of the official kind, and for spans that are printed. */
export function createOfficialTraceSignal(
  settings: Enabled<'traces'>,
  resource: Resource,
  sampler: Sampler,
  delivery: Delivery,
): TraceSignal {
  const sent = settings.otlp && createSpanQueue(settings.otlp, settings.batch, delivery);
  const provider = new OfficialTracerProvider({
    resource,
    sampler,
    spanLimits: settings.limits,
    spanProcessors: [
      new SpanClock(),
      ...(sent ? [new QueueSpanProcessor(sent.queue)] : []),
      ...(settings.console ? [new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() })] : []),
      ...settings.spanProcessors,
    ],
  });
  const errors: Error[] = [];
  const signal = sent?.signal ?? nothingSent;
  return {
    provider,
    ...signal,
    errors: () => [...signal.errors(), ...errors],
    async flush(deadlineMillis) {
      const flushed = provider.forceFlush({ timeoutMillis: remaining(deadlineMillis) });
      // The user's own processors and exporters: what they could not send is theirs to tell, and ours must still be sent.
      await Promise.all([
        signal.flush(deadlineMillis),
        flushed.catch((error: unknown) => {
          if (errors.length < maxErrors) errors.push(toError(error));
        }),
      ]);
    },
  };
}

function createSpanQueue(
  otlp: OtlpDestination,
  batch: BatchSettings,
  { health, warnings, keep }: Delivery,
): { readonly queue: BatchQueue<ReadableSpan>; readonly signal: Signal } {
  const serializer = traceSerializer(otlp.protocol);
  const exporter = new OtlpExporter<ReadableSpan[]>(otlp, serializer, health, batch.exportTimeoutMillis, keep);
  const drops = new DropReport('spans', 'OTEL_BSP_MAX_QUEUE_SIZE', warnings);
  const queue = new BatchQueue(batch, exporter, () => drops.add());
  return { queue, signal: queuedSignal(queue, exporter, batch.maxQueueSize, drops) };
}
