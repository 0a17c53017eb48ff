import { type HrTime, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, expect, test, vi } from 'vitest';
import { nextLogTime } from './logging/log-time.ts';
import { SpanClock } from './span-clock.ts';
import { wallClock } from './wall-clock.ts';

const tracer = new TracerProvider({ spanProcessors: [new SpanClock()] }).getTracer('test');
const nanos = ([seconds, rest]: HrTime): bigint => BigInt(seconds) * 1_000_000_000n + BigInt(rest);
const times = (span: Span): { start: bigint; end: bigint } => {
  const { startTime, endTime } = span as Span & ReadableSpan;
  return { start: nanos(startTime), end: nanos(endTime) };
};
const startChild = (parent: Span): Span => tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, parent));
const millis = (time: bigint): number => Number(time / 1000n) / 1000;

afterEach(() => vi.restoreAllMocks());

test('a child starts and ends within its parent, and siblings follow each other', () => {
  for (let round = 0; round < 2_000; round++) {
    const parent = tracer.startSpan('parent');
    const children = [startChild(parent), startChild(parent)];
    for (const child of children) child.end();
    parent.end();
    const outer = times(parent);
    const [first, second] = children.map(times) as [typeof outer, typeof outer];
    const order = [outer.start, first.start, second.start, first.end, second.end, outer.end];
    expect(order.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))).toEqual(order);
  }
});

test('starts agree with the system clock', () => {
  const before = Date.now();
  const { startTime } = tracer.startSpan('now') as Span & ReadableSpan;
  expect(millis(nanos(startTime))).toBeGreaterThan(before - 2);
  expect(millis(nanos(startTime))).toBeLessThan(Date.now() + 3);
});

test('times that the application gives are kept', async () => {
  const given = tracer.startSpan('given', { startTime: [1_700_000_000, 5] });
  given.end([1_700_000_001, 7]);
  expect(times(given)).toEqual({ start: 1_700_000_000_000_000_005n, end: 1_700_000_001_000_000_007n });

  const parent = tracer.startSpan('ended by performance.now()');
  const child = startChild(parent);
  await new Promise((resolve) => setTimeout(resolve, 5));
  child.addEvent('event', performance.now());
  child.end(performance.now());
  parent.end();
  expect(times(child).end).toBeLessThanOrEqual(times(parent).end);
  expect(millis(times(child).end - times(child).start)).toBeGreaterThan(4);
  const [event] = (child as Span & ReadableSpan).events;
  expect(nanos(event?.time ?? [0, 0])).toBeGreaterThan(times(child).start);
});

test.each([3_600_000, -3_600_000])(
  'after the clock was set by %i ms, new traces follow and open ones stay whole',
  async (shift) => {
    const parent = tracer.startSpan('open');
    const now = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + shift);
    // It is looked at once in a millisecond.
    await new Promise((resolve) => setTimeout(resolve, 5));
    const child = startChild(parent);
    child.end();
    parent.end();
    expect(times(child).start).toBeGreaterThanOrEqual(times(parent).start);
    expect(times(child).end).toBeLessThanOrEqual(times(parent).end);
    const next = tracer.startSpan('next');
    expect(Math.abs(millis(times(next).start) - Date.now())).toBeLessThan(1_000);
    expect(Math.abs(millis(nanos(nextLogTime())) - Date.now())).toBeLessThan(1_000);
  },
);

test('a log record is not before the span that it was written in, and none is before the one before', () => {
  let last = 0n;
  for (let round = 0; round < 2_000; round++) {
    const span = tracer.startSpan('span');
    const at = nanos(nextLogTime());
    span.end();
    expect(at).toBeGreaterThanOrEqual(times(span).start);
    expect(at).toBeGreaterThan(last);
    last = at;
  }
});

test('a clock of the process that goes back, as those of tests do, is compared with the system again', () => {
  wallClock.now();
  vi.spyOn(performance, 'now').mockReturnValue(0);
  const ahead = Number(nanos(wallClock.now())) / 1e6 - Date.now();
  expect(Math.abs(ahead)).toBeLessThan(5);
});
