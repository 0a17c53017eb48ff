import type { RecordedLog } from './recorded-log.ts';
import type { RecordedMetric } from './recorded-metric.ts';
import type { RecordedSpan } from './recorded-span.ts';
import { RecordedTrace } from './recorded-trace.ts';

/** Everything that had arrived at one moment; it does not change any more. */
export class Recording {
  /** By start time. */
  readonly spans: readonly RecordedSpan[];
  /** In the order of arrival. */
  readonly logs: readonly RecordedLog[];
  readonly metrics: readonly RecordedMetric[];
  /** By the start of their first span. */
  readonly traces: readonly RecordedTrace[];

  constructor(spans: readonly RecordedSpan[], logs: readonly RecordedLog[], metrics: readonly RecordedMetric[]) {
    this.spans = spans.toSorted((a, b) => (a.startTime < b.startTime ? -1 : a.startTime > b.startTime ? 1 : 0));
    this.logs = logs;
    this.metrics = metrics;
    const byTrace = new Map<string, RecordedSpan[]>();
    for (const span of this.spans) {
      const known = byTrace.get(span.traceId);
      if (known === undefined) byTrace.set(span.traceId, [span]);
      else known.push(span);
    }
    this.traces = Array.from(byTrace.values(), (ofTrace) => new RecordedTrace(ofTrace));
  }

  spansNamed(name: string): readonly RecordedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  metric(name: string): RecordedMetric | undefined {
    return this.metrics.find((metric) => metric.name === name);
  }

  logsIn(span: RecordedSpan): readonly RecordedLog[] {
    return this.logs.filter(({ traceId, spanId }) => traceId === span.traceId && spanId === span.spanId);
  }
}
