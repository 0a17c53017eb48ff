import type { LogBatch, MetricBatch, SpanBatch } from '@signalbox/records';
import type { PipelineComponent } from '../pipeline/component-factory.ts';
import { ALL_ACCEPTED, type Consumer } from '../pipeline/consumer.ts';
import type { Consumers } from '../pipeline/signal.ts';

/** Gives the batch to go on with: the given one, changed or not, or another of some of its rows. */
export type BatchEdit<Batch> = (batch: Batch) => Batch;

export interface BatchEdits {
  readonly traces?: BatchEdit<SpanBatch>;
  readonly metrics?: BatchEdit<MetricBatch>;
  readonly logs?: BatchEdit<LogBatch>;
}

/** A processor that keeps nothing from one batch to the next. A signal without an edit passes; a batch that lost all its rows ends here. */
export function editingComponent(edits: BatchEdits, next: Consumers): PipelineComponent {
  return {
    consumers: {
      ...(next.traces && { traces: editing(edits.traces, next.traces) }),
      ...(next.metrics && { metrics: editing(edits.metrics, next.metrics) }),
      ...(next.logs && { logs: editing(edits.logs, next.logs) }),
    },
    async start() {},
    async shutdown() {},
  };
}

function editing<Batch extends { readonly rowCount: number }>(
  edit: BatchEdit<Batch> | undefined,
  next: Consumer<Batch>,
): Consumer<Batch> {
  if (edit === undefined) {
    return next;
  }
  return {
    async consume(batch, signal) {
      const edited = edit(batch);
      return edited.rowCount === 0 ? ALL_ACCEPTED : next.consume(edited, signal);
    },
  };
}
