import { type CheckResult, checked } from './check.ts';
import { listSpans } from './describe.ts';
import type { RecordedSpan, RecordedSpanKind } from './recorded-span.ts';
import type { RecordedTrace } from './recorded-trace.ts';
import { repeatedQueries } from './repeated-queries.ts';
import { type SpanStructure, structureMismatch } from './trace-structure.ts';
import { dedent, traceText } from './trace-text.ts';

/** Whether a root of the trace, and what is below it, is as `expected`. */
export function checkTraceStructure(trace: RecordedTrace, expected: SpanStructure): CheckResult {
  const reason = structureMismatch(trace.roots, expected);
  return checked(
    reason === undefined,
    () => `${reason}; the trace is\n${traceText(trace)}`,
    () => `expected another structure; the trace is\n${traceText(trace)}`,
  );
}

/** Whether the trace's text (see `traceText`) is exactly `text`, whose own indentation does not matter. */
export function checkTraceText(trace: RecordedTrace, text: string): CheckResult {
  const recorded = traceText(trace);
  return checked(
    recorded === dedent(text),
    () => `expected the trace\n${dedent(text)}\nrecorded was\n${recorded}`,
    () => `expected another trace than\n${recorded}`,
  );
}

export interface SpanBudget {
  /** Which spans count; all unless given. */
  readonly name?: string;
  readonly kind?: RecordedSpanKind;
}

export function checkSpanBudget(trace: RecordedTrace, atMost: number, { name, kind }: SpanBudget = {}): CheckResult {
  const counts = (span: RecordedSpan) =>
    (name === undefined || span.name === name) && (kind === undefined || span.kind === kind);
  const counted = trace.spans.filter(counts);
  const what = [kind, 'spans', name === undefined ? undefined : `named "${name}"`].filter((word) => word).join(' ');
  return checked(
    counted.length <= atMost,
    () => `expected at most ${atMost} ${what}, recorded ${counted.length}: ${listSpans(counted)}`,
    () => `expected more than ${atMost} ${what}, recorded ${counted.length}`,
  );
}

export function checkDuration(trace: RecordedTrace, atMostMillis: number): CheckResult {
  const { durationMillis } = trace;
  return checked(
    durationMillis <= atMostMillis,
    () =>
      `expected the trace to take at most ${atMostMillis} ms, it took ${durationMillis.toFixed(1)} ms:\n${traceText(trace)}`,
    () => `expected the trace to take more than ${atMostMillis} ms, it took ${durationMillis.toFixed(1)} ms`,
  );
}

/** @param atMost how often one span may make the same query (default 1) */
export function checkRepeatedQueries(trace: RecordedTrace, atMost = 1): CheckResult {
  const repeated = repeatedQueries(trace, atMost);
  const listed = () =>
    repeated
      .map(({ query, times, parent }) => `${times} times "${query}"${parent === undefined ? '' : ` by "${parent}"`}`)
      .join('; ');
  return checked(
    repeated.length === 0,
    () => `expected no query to be made more than ${atMost} times by one span (N+1), there is: ${listed()}`,
    () => `expected a query to be made more than ${atMost} times by one span`,
  );
}
