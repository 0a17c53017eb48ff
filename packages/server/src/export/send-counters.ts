import type { ComponentContext } from '../pipeline/component-context.ts';
import type { Signal } from '../pipeline/signal.ts';
import type { Counter } from '../pipeline/telemetry.ts';

/** What an exporter counts of each signal, under the Collector's names. */
export interface SendCounters {
  readonly sent: Readonly<Record<Signal, Counter>>;
  readonly failed: Readonly<Record<Signal, Counter>>;
  readonly enqueueFailed: Readonly<Record<Signal, Counter>>;
}

export function sendCounters({ telemetry, id }: ComponentContext): SendCounters {
  const counters = (name: string, description: string): Record<Signal, Counter> => {
    const ofSignal = (records: string) =>
      telemetry.counter(`otelcol_exporter_${name}_${records}`, description, { exporter: id });
    return { traces: ofSignal('spans'), metrics: ofSignal('metric_points'), logs: ofSignal('log_records') };
  };
  return {
    sent: counters('sent', 'Records that the destination took'),
    failed: counters('send_failed', 'Records that the destination refused for good, or that were given up'),
    enqueueFailed: counters('enqueue_failed', 'Records for which the sending queue had no room'),
  };
}
