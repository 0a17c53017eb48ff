import type { AnyBatch } from '@signalbox/records';
import type { Consumer } from '../pipeline/consumer.ts';
import type { BatchOf, Consumers, Signal } from '../pipeline/signal.ts';
import type { Counter, Telemetry } from '../pipeline/telemetry.ts';

/** How the Collector calls the records of a signal in the names of its own metrics. */
export const RECORDS_OF = { traces: 'spans', metrics: 'metric_points', logs: 'log_records' } as const satisfies Record<
  Signal,
  string
>;

interface Outcomes {
  readonly accepted: Counter;
  readonly rejected: Counter | null;
  readonly refused: Counter;
}

/** Counts what a receiver hands on. */
export function observeReceiver<S extends Signal>(
  telemetry: Telemetry,
  id: string,
  signal: S,
  next: Consumer<BatchOf[S]>,
): Consumer<BatchOf[S]> {
  const records = RECORDS_OF[signal];
  const attributes = { receiver: id };
  return observed(next, {
    accepted: telemetry.counter(`otelcol_receiver_accepted_${records}`, 'Records taken into a pipeline', attributes),
    rejected: telemetry.counter(
      `signalbox_receiver_rejected_${records}`,
      'Records refused for good inside requests that were otherwise accepted',
      attributes,
    ),
    refused: telemetry.counter(
      `otelcol_receiver_refused_${records}`,
      'Records that a pipeline refused with their whole request',
      attributes,
    ),
  });
}

/** Counts what an exporter is given, for exporters that are done when `consume` ends. */
export function observeExporter<S extends Signal>(
  telemetry: Telemetry,
  id: string,
  signal: S,
  exporter: Consumer<BatchOf[S]>,
): Consumer<BatchOf[S]> {
  const records = RECORDS_OF[signal];
  const attributes = { exporter: id };
  return observed(exporter, {
    accepted: telemetry.counter(`otelcol_exporter_sent_${records}`, 'Records that the destination took', attributes),
    rejected: null,
    refused: telemetry.counter(
      `otelcol_exporter_send_failed_${records}`,
      'Records that the destination refused',
      attributes,
    ),
  });
}

/** Counts what goes into a processor, or comes out of it. */
export function observeProcessor<S extends Signal>(
  telemetry: Telemetry,
  direction: 'incoming' | 'outgoing',
  attributes: { readonly processor: string; readonly pipeline: string },
  next: Consumer<BatchOf[S]>,
): Consumer<BatchOf[S]> {
  const items = telemetry.counter(
    `otelcol_processor_${direction}_items`,
    direction === 'incoming' ? 'Records given to a processor' : 'Records that a processor handed on',
    attributes,
  );
  return {
    consume(batch, abort) {
      items.add(batch.rowCount);
      return next.consume(batch, abort);
    },
  };
}

function observed<Batch extends AnyBatch>(
  next: Consumer<Batch>,
  { accepted, rejected, refused }: Outcomes,
): Consumer<Batch> {
  return {
    async consume(batch, abort) {
      // Before the call: whoever takes the batch may change it.
      const rows = batch.rowCount;
      try {
        const result = await next.consume(batch, abort);
        accepted.add(rows - result.rejected);
        (rejected ?? refused).add(result.rejected);
        return result;
      } catch (error) {
        refused.add(rows);
        throw error;
      }
    },
  };
}

/** Each consumer of `consumers` by way of `wrap`. */
export function mapConsumers(
  consumers: Consumers,
  wrap: <S extends Signal>(signal: S, consumer: Consumer<BatchOf[S]>) => Consumer<BatchOf[S]>,
): Consumers {
  const { traces, metrics, logs } = consumers;
  return {
    ...(traces && { traces: wrap('traces', traces) }),
    ...(metrics && { metrics: wrap('metrics', metrics) }),
    ...(logs && { logs: wrap('logs', logs) }),
  };
}
