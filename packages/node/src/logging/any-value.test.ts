import { expect, test } from 'vitest';
import { toAnyValue } from './any-value.ts';

test('keeps what OTLP has and converts like JSON what it has not', () => {
  const bytes = Uint8Array.of(1, 2);
  expect(
    toAnyValue({ a: 1, b: 'x', c: [true, null, undefined], d: undefined, e: () => 1, f: Symbol('s'), bytes }),
  ).toEqual({
    a: 1,
    b: 'x',
    c: [true, null, null],
    bytes,
  });
  expect(toAnyValue(new Date(0))).toBe('1970-01-01T00:00:00.000Z');
  expect(toAnyValue(12345678901234567890n)).toBe('12345678901234567890');
  expect(toAnyValue(undefined)).toBeUndefined();
  expect(toAnyValue({ cause: new TypeError('boom') })).toMatchObject({ cause: { type: 'TypeError', message: 'boom' } });
});

test('ends with cycles, deep and wide values', () => {
  const cycle: Record<string, unknown> = { name: 'a' };
  cycle.self = cycle;
  expect(toAnyValue(cycle)).toEqual({ name: 'a', self: '[Circular]' });
  // The same object twice is no cycle.
  const shared = { x: 1 };
  expect(toAnyValue([shared, shared])).toEqual([{ x: 1 }, { x: 1 }]);
  let deep: object = {};
  for (let level = 0; level < 10_000; level += 1) deep = { deep };
  expect(JSON.stringify(toAnyValue(deep)).length).toBeLessThan(200);
  expect(toAnyValue(Array.from({ length: 100_000 }, () => 1))).toHaveLength(256);
});
