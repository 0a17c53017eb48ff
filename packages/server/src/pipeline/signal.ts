import type { LogBatch, MetricBatch, SpanBatch } from '@signalbox/records';
import type { Consumer } from './consumer.ts';

/** The batch of each signal. */
export interface BatchOf {
  readonly traces: SpanBatch;
  readonly metrics: MetricBatch;
  readonly logs: LogBatch;
}

export type Signal = keyof BatchOf;

export const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs'];

/** One consumer per signal; those that are absent are not supported, or lead nowhere. */
export type Consumers = { readonly [S in Signal]?: Consumer<BatchOf[S]> };
