import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import type { Limits } from '../configuration.ts';
import { RecordingSpan } from './span.ts';

const limits: Limits = {
  attributeCountLimit: 2,
  attributeValueLengthLimit: 3,
  eventCountLimit: 2,
  linkCountLimit: 1,
  attributePerEventCountLimit: 1,
  attributePerLinkCountLimit: 1,
};
const spanContext = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };

function begin(ended: RecordingSpan[] = [], parent?: RecordingSpan, ownLimits = limits): RecordingSpan {
  return new RecordingSpan(
    { limits: ownLimits, onEnd: (span) => void ended.push(span) },
    {
      scope: { name: '', version: '', schemaUrl: '' },
      spanContext,
      name: 'span',
      kind: SpanKind.INTERNAL,
      parentSpanContext: parent?.spanContext(),
      parent,
      startTime: undefined,
    },
  );
}

test('whoever writes attributes past the limits asks first: so many are taken, and none behind the end', () => {
  const span = begin([], undefined, { ...limits, attributeValueLengthLimit: Number.POSITIVE_INFINITY });
  span.setAttribute('a', 1);
  expect([span.takesMore(1), span.takesMore(2)]).toEqual([true, false]);
  span.end();
  expect(span.takesMore(1)).toBe(false);
  // Texts would have to be cut.
  expect(begin().takesMore(1)).toBe(false);
});

test('attributes past the limit are dropped and counted, text is cut, known keys are overwritten', () => {
  const span = begin()
    .setAttribute('a', 'abcdef')
    .setAttribute('b', ['abcdef', 'x'])
    .setAttribute('c', 1)
    .setAttribute('a', 7);
  expect(span.attributes).toEqual({ a: 7, b: ['abc', 'x'] });
  expect(span.droppedAttributesCount).toBe(1);
});

test('adopted attributes are under the same limits', () => {
  const span = begin();
  span.adopt({ a: 'abcdef', b: 1, c: 2 });
  expect(span.attributes).toEqual({ a: 'abc', b: 1 });
  expect(span.droppedAttributesCount).toBe(1);
});

test('the newest events and links are kept, with what they lack counted', () => {
  const span = begin();
  for (const name of ['one', 'two', 'three']) span.addEvent(name, { a: 1, b: 2 });
  span.addLinks([{ context: spanContext }, { context: { ...spanContext, spanId: 'c'.repeat(16) } }]);
  expect(
    span.events.map(({ name, attributes, droppedAttributesCount }) => [name, attributes, droppedAttributesCount]),
  ).toEqual([
    ['two', { a: 1 }, 1],
    ['three', { a: 1 }, 1],
  ]);
  expect(span.droppedEventsCount).toBe(1);
  expect(span.links.map(({ context }) => context.spanId)).toEqual(['c'.repeat(16)]);
  expect(span.droppedLinksCount).toBe(1);
});

test('what is no attribute is ignored', () => {
  const span = begin();
  const values: unknown[] = [undefined, null, { a: 1 }, [1, 'mixed'], () => {}, Symbol('s')];
  for (const value of values) span.setAttribute('k', value as string);
  span.setAttribute('', 'x');
  expect(span.attributes).toEqual({});
});

test('a status of Ok is final, Unset changes nothing, only an error has a message', () => {
  const span = begin();
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'broken' }).setStatus({ code: SpanStatusCode.UNSET });
  expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'broken' });
  span.setStatus({ code: SpanStatusCode.OK, message: 'ignored' }).setStatus({ code: SpanStatusCode.ERROR });
  expect(span.status).toEqual({ code: SpanStatusCode.OK });
});

test('after the end nothing changes, and it ends once', () => {
  const ended: RecordingSpan[] = [];
  const span = begin(ended);
  span.end();
  const { endTime } = span;
  span.setAttribute('a', 1).addEvent('late').updateName('late').setStatus({ code: SpanStatusCode.ERROR }).end();
  expect(ended).toEqual([span]);
  expect([span.isRecording(), span.name, span.attributes, span.events, span.status.code]).toEqual([
    false,
    'span',
    {},
    [],
    0,
  ]);
  expect(span.endTime).toEqual(endTime);
});

test('an end before the start is the start', () => {
  const span = begin();
  span.end(new Date(1000));
  expect(span.endTime).toEqual(span.startTime);
  expect(span.seconds).toBe(0);
});

test('times are read as the API says: Date, epoch, HrTime, performance.now()', () => {
  const reading = performance.now();
  const span = begin();
  span.addEvent('date', {}, new Date(1_790_000_000_123)).addEvent('epoch', 1_790_000_000_124);
  expect(span.events.map(({ time }) => time)).toEqual([
    [1_790_000_000, 123_000_000],
    [1_790_000_000, 124_000_000],
  ]);
  const other = begin().addEvent('hr', [1, 2]).addEvent('reading', reading);
  expect(other.events[0]?.time).toEqual([1, 2]);
  const [seconds, nanos] = other.events[1]?.time ?? [0, 0];
  expect(Math.abs(seconds * 1000 + nanos / 1e6 - (performance.timeOrigin + reading))).toBeLessThan(50);
});

test('a child knows under which span its trace entered the process', () => {
  const root = begin();
  const child = begin([], begin([], root));
  expect(child.localRoot).toBe(root);
  expect(root.localRoot).toBe(root);
});

test('an exception becomes an event, with what there is of it', () => {
  const span = begin();
  span.recordException(new TypeError('bad'));
  span.recordException('text');
  expect(span.events.map(({ name }) => name)).toEqual(['exception', 'exception']);
  expect(span.events[0]?.attributes).toEqual({ 'exception.type': 'Typ' });
  expect(span.events[1]?.attributes).toEqual({ 'exception.message': 'tex' });
});
