import { AssertionError } from 'node:assert';
import type { CheckResult } from './check.ts';
import type { ExpectedAttributes, ExpectedValue } from './expected-value.ts';
import { checkMetricCount, checkMetricValue } from './metric-checks.ts';
import type { RecordedSpan, RecordedSpanKind, RecordedStatusCode } from './recorded-span.ts';
import type { RecordedTrace } from './recorded-trace.ts';
import type { Recording } from './recording.ts';
import {
  checkChildOf,
  checkLogInSpan,
  checkSameTrace,
  checkSpanAttribute,
  checkSpanCount,
  checkSpanKind,
  checkSpanNamed,
  checkSpanStatus,
  type ExpectedLog,
} from './span-checks.ts';
import {
  checkDuration,
  checkRepeatedQueries,
  checkSpanBudget,
  checkTraceStructure,
  checkTraceText,
  type SpanBudget,
} from './trace-checks.ts';
import type { SpanStructure } from './trace-structure.ts';

// Plain functions for node:test and everything else: each throws an AssertionError that says what was recorded instead.

/** @param name counts only the spans of this name */
export function assertSpanCount(recording: Recording, count: number, name?: string): void {
  insist(checkSpanCount(recording, count, name), assertSpanCount);
}

/** The first span of this name by start time; throws with the names that there are when there is none. */
export function mustHaveSpan(recording: Recording, name: string): RecordedSpan {
  insist(checkSpanNamed(recording, name), mustHaveSpan);
  return recording.spansNamed(name)[0] as RecordedSpan;
}

export function assertSpanKind(span: RecordedSpan, kind: RecordedSpanKind): void {
  insist(checkSpanKind(span, kind), assertSpanKind);
}

export function assertSpanStatus(span: RecordedSpan, code: RecordedStatusCode, message?: ExpectedValue): void {
  insist(checkSpanStatus(span, code, message), assertSpanStatus);
}

/** @param value when left out, it is enough that the attribute is there */
export function assertSpanAttribute(span: RecordedSpan, name: string, ...value: [ExpectedValue?]): void {
  insist(checkSpanAttribute(span, name, ...value), assertSpanAttribute);
}

export function assertSameTrace(...spans: readonly RecordedSpan[]): void {
  insist(checkSameTrace(spans), assertSameTrace);
}

export function assertChildOf(span: RecordedSpan, parent: RecordedSpan): void {
  insist(checkChildOf(span, parent), assertChildOf);
}

/** Of gauges and sums: the sum over all series that have `attributes`. */
export function assertMetricValue(
  recording: Recording,
  name: string,
  value: number,
  attributes?: ExpectedAttributes,
): void {
  insist(checkMetricValue(recording, name, value, attributes), assertMetricValue);
}

/** Of histograms: how many values were recorded, over all series that have `attributes`. */
export function assertMetricCount(
  recording: Recording,
  name: string,
  count: number,
  attributes?: ExpectedAttributes,
): void {
  insist(checkMetricCount(recording, name, count, attributes), assertMetricCount);
}

export function assertLogInSpan(recording: Recording, span: RecordedSpan, expected: ExpectedLog): void {
  insist(checkLogInSpan(recording, span, expected), assertLogInSpan);
}

export function assertTraceStructure(trace: RecordedTrace, structure: SpanStructure): void {
  insist(checkTraceStructure(trace, structure), assertTraceStructure);
}

export function assertTraceText(trace: RecordedTrace, text: string): void {
  insist(checkTraceText(trace, text), assertTraceText);
}

export function assertAtMostSpans(trace: RecordedTrace, atMost: number, budget?: SpanBudget): void {
  insist(checkSpanBudget(trace, atMost, budget), assertAtMostSpans);
}

export function assertTakesAtMost(trace: RecordedTrace, milliseconds: number): void {
  insist(checkDuration(trace, milliseconds), assertTakesAtMost);
}

/** @param atMost how often one span may make the same query (default 1) */
export function assertNoRepeatedQueries(trace: RecordedTrace, atMost?: number): void {
  insist(checkRepeatedQueries(trace, atMost), assertNoRepeatedQueries);
}

function insist({ pass, message }: CheckResult, caller: (...args: never[]) => unknown): void {
  if (!pass) throw new AssertionError({ message: message(), stackStartFn: caller });
}
