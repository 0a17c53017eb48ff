import type { TracerProvider } from '@opentelemetry/api';
import type { Configuration } from './configuration.ts';
import type { BatchQueue } from './export/batch-queue.ts';
import type { CollectorHealth } from './export/collector-health.ts';
import type { DropReport } from './export/drop-report.ts';
import type { OtlpExporter, UnansweredRequest } from './export/otlp-exporter.ts';
import type { SpanCounts } from './trace/tracer-provider.ts';
import type { Warnings } from './warnings.ts';

/** A queue in front of an exporter, in records. */
export interface QueueCounts {
  size(): number;
  readonly capacity: number;
  /** Taken in since the start. */
  processed(): number;
  /** Refused since the start, because it was full. */
  refused(): number;
}

/** One signal from provider to wire, as the process's end sees it. */
export interface Signal {
  /** Undefined for metrics, which are collected when they are sent. */
  readonly queue?: QueueCounts;
  /** Records in requests that have not been answered. */
  inFlight(): number;
  /** Records that the collector did not take. */
  failed(): number;
  delivered(): number;
  /** Everything that was lost, in front of the exporter too. */
  dropped(): number;
  errors(): readonly Error[];
  /** Sends everything; resolves at the latest at `deadlineMillis` (epoch); never rejects. */
  flush(deadlineMillis: number): Promise<void>;
  /** Everything that has not been acknowledged, encoded; for when the event loop has stopped. */
  takeUnanswered(): UnansweredRequest[];
  close(): void;
}

export interface TraceSignal extends Signal {
  readonly provider: TracerProvider;
  /** Of our own tracer; the official one counts for itself. */
  readonly spans?: SpanCounts;
}

/** What all exporters share. */
export interface Delivery {
  readonly health: CollectorHealth;
  readonly warnings: Warnings;
  /** Takes what cannot be delivered because the process ends. */
  readonly keep?: (request: UnansweredRequest) => boolean;
}

export type Enabled<Key extends 'traces' | 'logs' | 'metrics'> = Exclude<Configuration[Key], false>;

/** Records that are only printed or scraped. */
export const nothingSent: Signal = {
  inFlight: () => 0,
  delivered: () => 0,
  failed: () => 0,
  dropped: () => 0,
  errors: () => [],
  flush: async () => {},
  takeUnanswered: () => [],
  close: () => {},
};

/** For `errors`, as many as an exporter keeps. */
export const maxErrors = 20;

export function remaining(deadlineMillis: number): number {
  return Math.max(1, deadlineMillis - Date.now());
}

export function queuedSignal(
  queue: Pick<BatchQueue<never>, 'size' | 'accepted' | 'dropped' | 'flush' | 'takeEncoded'>,
  exporter: OtlpExporter<never>,
  capacity: number,
  drops: DropReport,
): Signal {
  return {
    queue: {
      size: () => queue.size,
      capacity,
      processed: () => queue.accepted,
      refused: () => queue.dropped,
    },
    ...exporterCounts(exporter),
    dropped: () => exporter.counts.dropped + queue.dropped,
    ...queueEnd(queue, exporter, drops),
    close: () => exporter.close(),
  };
}

export function queueEnd(
  queue: { flush(deadlineMillis: number): Promise<void>; takeEncoded(): UnansweredRequest[] },
  exporter: OtlpExporter<never>,
  drops: DropReport,
): Pick<Signal, 'flush' | 'takeUnanswered'> {
  return {
    async flush(deadlineMillis) {
      await queue.flush(deadlineMillis);
      drops.report();
    },
    takeUnanswered() {
      drops.report();
      return [...exporter.takeUnanswered(), ...queue.takeEncoded()];
    },
  };
}

export function exporterCounts(
  exporter: OtlpExporter<never>,
): Pick<Signal, 'inFlight' | 'delivered' | 'failed' | 'errors'> {
  return {
    inFlight: () => exporter.inFlight,
    delivered: () => exporter.counts.delivered,
    failed: () => exporter.counts.dropped,
    errors: () => exporter.errors,
  };
}

export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
