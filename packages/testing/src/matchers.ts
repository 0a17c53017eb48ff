import type { CheckResult } from './check.ts';
import { show } from './describe.ts';
import type { ExpectedAttributes, ExpectedValue } from './expected-value.ts';
import { checkMetricCount, checkMetricValue } from './metric-checks.ts';
import type { RecordedSpan, RecordedSpanKind, RecordedStatusCode } from './recorded-span.ts';
import { RecordedTrace } from './recorded-trace.ts';
import { Recording } from './recording.ts';
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

/** What `expect(…)` can say about a recording, a span, several spans, or a trace. */
export interface TelemetryMatchers<Result> {
  // Of a recording.
  toHaveSpanCount(count: number, name?: string): Result;
  toHaveSpanNamed(name: string): Result;
  /** Of gauges and sums: the sum over all series that have `attributes`. */
  toHaveMetricValue(name: string, value: number, attributes?: ExpectedAttributes): Result;
  /** Of histograms: how many values were recorded, over all series that have `attributes`. */
  toHaveMetricCount(name: string, count: number, attributes?: ExpectedAttributes): Result;
  toHaveLogInSpan(span: RecordedSpan, expected: ExpectedLog): Result;
  // Of a span.
  toHaveKind(kind: RecordedSpanKind): Result;
  toHaveStatus(code: RecordedStatusCode, message?: ExpectedValue): Result;
  /** Without `value` it is enough that the attribute is there. */
  toHaveSpanAttribute(name: string, value?: ExpectedValue): Result;
  toBeChildOf(parent: RecordedSpan): Result;
  // Of an array of spans.
  toBeInOneTrace(): Result;
  // Of a trace.
  toHaveStructure(structure: SpanStructure): Result;
  /** The whole trace as text, see `traceText`. */
  toReadAs(text: string): Result;
  toHaveAtMostSpans(atMost: number, budget?: SpanBudget): Result;
  toTakeAtMost(milliseconds: number): Result;
  /** N+1: no span makes the same query more than `atMost` times (default 1). */
  toHaveNoRepeatedQueries(atMost?: number): Result;
}

/** The matchers in the shape that `expect.extend` of vitest and of jest takes. */
export const telemetryMatchers = {
  toHaveSpanCount: ofRecording(checkSpanCount),
  toHaveSpanNamed: ofRecording(checkSpanNamed),
  toHaveMetricValue: ofRecording(checkMetricValue),
  toHaveMetricCount: ofRecording(checkMetricCount),
  toHaveLogInSpan: ofRecording(checkLogInSpan),
  toHaveKind: ofSpan(checkSpanKind),
  toHaveStatus: ofSpan(checkSpanStatus),
  toHaveSpanAttribute: ofSpan(checkSpanAttribute),
  toBeChildOf: ofSpan(checkChildOf),
  toBeInOneTrace: (received: unknown) =>
    Array.isArray(received) && received.every(isSpan)
      ? checkSameTrace(received)
      : notA('an array of recorded spans', received),
  toHaveStructure: ofTrace(checkTraceStructure),
  toReadAs: ofTrace(checkTraceText),
  toHaveAtMostSpans: ofTrace(checkSpanBudget),
  toTakeAtMost: ofTrace(checkDuration),
  toHaveNoRepeatedQueries: ofTrace(checkRepeatedQueries),
};

type Matcher<Args extends unknown[]> = (received: unknown, ...args: Args) => CheckResult;

function ofRecording<Args extends unknown[]>(
  check: (recording: Recording, ...args: Args) => CheckResult,
): Matcher<Args> {
  return (received, ...args) =>
    received instanceof Recording ? check(received, ...args) : notA('a Recording', received);
}

function ofSpan<Args extends unknown[]>(check: (span: RecordedSpan, ...args: Args) => CheckResult): Matcher<Args> {
  return (received, ...args) => (isSpan(received) ? check(received, ...args) : notA('a recorded span', received));
}

function ofTrace<Args extends unknown[]>(check: (trace: RecordedTrace, ...args: Args) => CheckResult): Matcher<Args> {
  return (received, ...args) =>
    received instanceof RecordedTrace ? check(received, ...args) : notA('a RecordedTrace', received);
}

function isSpan(value: unknown): value is RecordedSpan {
  return typeof value === 'object' && value !== null && 'spanId' in value && 'durationMillis' in value;
}

/** Throws, so that `not` does not make a mistake pass. */
function notA(what: string, received: unknown): CheckResult {
  throw new TypeError(`this matcher is for ${what}, not for ${show(received).slice(0, 200)}`);
}
