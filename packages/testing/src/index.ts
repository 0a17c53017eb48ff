export {
  assertAtMostSpans,
  assertChildOf,
  assertLogInSpan,
  assertMetricCount,
  assertMetricValue,
  assertNoRepeatedQueries,
  assertSameTrace,
  assertSpanAttribute,
  assertSpanCount,
  assertSpanKind,
  assertSpanStatus,
  assertTakesAtMost,
  assertTraceStructure,
  assertTraceText,
  mustHaveSpan,
} from './assertions.ts';
export type { ExpectedAttributes, ExpectedValue } from './expected-value.ts';
export { type TelemetryMatchers, telemetryMatchers } from './matchers.ts';
export { metricCount, metricValue } from './metric-checks.ts';
export { recordTelemetry, type TelemetryRecorder } from './record-telemetry.ts';
export type { RecordedLog } from './recorded-log.ts';
export type {
  RecordedExemplar,
  RecordedMetric,
  RecordedMetricType,
  RecordedSeries,
  RecordedTemporality,
} from './recorded-metric.ts';
export type { RecordedSpan, RecordedSpanKind, RecordedStatusCode } from './recorded-span.ts';
export { RecordedTrace, type SpanNode } from './recorded-trace.ts';
export type { RecordedAttributes, RecordedValue } from './recorded-value.ts';
export { Recording } from './recording.ts';
export { type RepeatedQuery, repeatedQueries } from './repeated-queries.ts';
export type { ExpectedLog } from './span-checks.ts';
export { type StableOptions, type StableSpan, stableTrace } from './stable-trace.ts';
export { TelemetryReceiver, type WaitOptions } from './telemetry-receiver.ts';
export type { SpanBudget } from './trace-checks.ts';
export type { SpanStructure } from './trace-structure.ts';
export { traceText } from './trace-text.ts';
