import { type CheckResult, checked } from './check.ts';
import { listSpans, show } from './describe.ts';
import { type ExpectedValue, hasAttributes, isExpected } from './expected-value.ts';
import type { RecordedLog } from './recorded-log.ts';
import type { RecordedSpan, RecordedSpanKind, RecordedStatusCode } from './recorded-span.ts';
import type { Recording } from './recording.ts';

export function checkSpanCount({ spans }: Recording, count: number, name?: string): CheckResult {
  const found = name === undefined ? spans : spans.filter((span) => span.name === name);
  const what = name === undefined ? 'spans' : `spans named "${name}"`;
  return checked(
    found.length === count,
    () => `expected ${count} ${what}, recorded ${found.length}; there are ${listSpans(spans)}`,
    () => `expected not to record ${count} ${what}`,
  );
}

export function checkSpanNamed(recording: Recording, name: string): CheckResult {
  return checked(
    recording.spansNamed(name).length > 0,
    () => `expected a span named "${name}"; there are ${listSpans(recording.spans)}`,
    () => `expected no span named "${name}"`,
  );
}

export function checkSpanKind(span: RecordedSpan, kind: RecordedSpanKind): CheckResult {
  return checked(
    span.kind === kind,
    () => `expected the span "${span.name}" to be of kind ${kind}, it is ${span.kind}`,
    () => `expected the span "${span.name}" not to be of kind ${kind}`,
  );
}

/** @param message the status's message, compared when given */
export function checkSpanStatus(span: RecordedSpan, code: RecordedStatusCode, message?: ExpectedValue): CheckResult {
  const { status } = span;
  const shown = status.message === '' ? status.code : `${status.code} (${show(status.message)})`;
  const wanted = message === undefined ? code : `${code} (${show(message)})`;
  return checked(
    status.code === code && (message === undefined || isExpected(status.message, message)),
    () => `expected the span "${span.name}" to have the status ${wanted}, it has ${shown}`,
    () => `expected the span "${span.name}" not to have the status ${wanted}`,
  );
}

/** @param value compared when given; otherwise it is enough that the attribute is there */
export function checkSpanAttribute(span: RecordedSpan, name: string, ...value: [ExpectedValue?]): CheckResult {
  const { [name]: recorded } = span.attributes;
  const [expected] = value;
  const wanted = value.length === 0 || expected === undefined ? name : `${name} = ${show(expected)}`;
  const found = recorded === undefined ? `there are ${show(span.attributes)}` : `it is ${show(recorded)}`;
  return checked(
    expected === undefined ? recorded !== undefined : isExpected(recorded, expected),
    () => `expected the span "${span.name}" to have the attribute ${wanted}; ${found}`,
    () => `expected the span "${span.name}" not to have the attribute ${wanted}`,
  );
}

/** Whether all of the spans belong to one trace. */
export function checkSameTrace(spans: readonly RecordedSpan[]): CheckResult {
  const ids = new Set(spans.map(({ traceId }) => traceId));
  const listed = () => spans.map(({ name, traceId }) => `"${name}" in ${traceId}`).join(', ');
  return checked(
    spans.length > 0 && ids.size === 1,
    () => (spans.length === 0 ? 'expected spans of one trace, got no span' : `expected one trace: ${listed()}`),
    () => `expected different traces: ${listed()}`,
  );
}

export function checkChildOf(span: RecordedSpan, parent: RecordedSpan): CheckResult {
  return checked(
    span.traceId === parent.traceId && span.parentSpanId === parent.spanId,
    () =>
      span.traceId === parent.traceId
        ? `expected "${span.name}" to be a child of "${parent.name}" (${parent.spanId}), its parent is ${span.parentSpanId ?? 'none'}`
        : `expected "${span.name}" to be a child of "${parent.name}", they are in different traces`,
    () => `expected "${span.name}" not to be a child of "${parent.name}"`,
  );
}

/** What a log record has to have; unset fields do not matter. */
export interface ExpectedLog {
  readonly body?: ExpectedValue;
  readonly severityText?: ExpectedValue;
  readonly severityNumber?: number;
  readonly attributes?: Readonly<Record<string, ExpectedValue>>;
}

/** Whether a record that was emitted within `span` is as expected. */
export function checkLogInSpan(recording: Recording, span: RecordedSpan, expected: ExpectedLog): CheckResult {
  const inside = recording.logsIn(span);
  const listed = () =>
    inside.length > 0
      ? `in it are ${inside.map(({ severityText, body }) => `${severityText} ${show(body)}`).join(', ')}`
      : `none of ${recording.logs.length} log records is in it`;
  return checked(
    inside.some((log) => isLog(log, expected)),
    () => `expected a log record ${show(expected)} in the span "${span.name}"; ${listed()}`,
    () => `expected no log record ${show(expected)} in the span "${span.name}"`,
  );
}

function isLog(log: RecordedLog, { body, severityText, severityNumber, attributes = {} }: ExpectedLog): boolean {
  return (
    (body === undefined || isExpected(log.body, body)) &&
    (severityText === undefined || isExpected(log.severityText, severityText)) &&
    (severityNumber === undefined || log.severityNumber === severityNumber) &&
    hasAttributes(log.attributes, attributes)
  );
}
