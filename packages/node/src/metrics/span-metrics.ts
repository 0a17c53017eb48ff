import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { RecordingSpan } from '../trace/span.ts';
import type { Warnings } from '../warnings.ts';
import type { CellMeters } from './cell-meter.ts';

/** Boundaries of the Collector's span metrics connector, in seconds. */
const boundaries = [0.002, 0.004, 0.006, 0.008, 0.01, 0.05, 0.1, 0.2, 0.4, 0.8, 1, 1.4, 2, 5, 10, 15];

/**
 * Rate, errors and duration of all spans, under the names of the Collector's span metrics connector, so that dashboards
 * made for it read them. Computed before sampling: figures stay true whatever is kept.
 */
export function spanMetrics(meters: CellMeters, warnings: Warnings): (span: RecordingSpan) => void {
  const meter = meters.create({
    scope: '@signalbox/node/span-metrics',
    prefix: '',
    isOn: true,
    warn: (message) => warnings.once(message),
  });
  const attributesOf = (name: string, kind: number, status: number) => ({
    'span.name': name,
    'span.kind': `SPAN_KIND_${SpanKind[kind] ?? 'INTERNAL'}`,
    'status.code': `STATUS_CODE_${SpanStatusCode[status] ?? 'UNSET'}`,
  });
  const calls = meter.counter(
    'traces.span.metrics.calls',
    { description: 'Spans that have ended.', unit: '{call}' },
    attributesOf,
  );
  const duration = meter.histogram(
    'traces.span.metrics.duration',
    { description: 'Duration of spans.', unit: 's', boundaries },
    attributesOf,
  );
  return ({ name, kind, status, seconds }) => {
    calls(name, kind, status.code).add(1);
    duration(name, kind, status.code).record(seconds);
  };
}
