import { expect, test } from 'vitest';
import { chooseSteps, parseTimeRange } from './time-range.ts';

const nowMs = Date.UTC(2026, 10, 21, 9, 0, 0);
const now = BigInt(nowMs) * 1_000_000n;

test.each<[string | undefined, string | undefined, bigint, bigint]>([
  [undefined, undefined, now - 3_600_000_000_000n, now],
  ['now-15m', 'now', now - 900_000_000_000n, now],
  ['1764000000000', '1764000000001', 1_764_000_000_000_000_000n, 1_764_000_000_001_000_000n],
  ['2026-11-21T08:59:59.123456789Z', undefined, now - 876_543_211n, now],
  ['2026-11-21T09:30:00+01:00', '2026-11-21T09:00:00Z', now - 1_800_000_000_000n, now],
])('%s to %s', (start, end, from, to) => expect(parseTimeRange(start, end, nowMs)).toEqual({ from, to }));

test.each([
  ['yesterday', undefined, 'start'],
  ['now', 'now-1h', 'start'],
  [undefined, '9999-01-01T00:00:00Z', 'end'],
  // Steps of a year after it would not fit in 64 bits of nanoseconds.
  ['2261-01-01T00:00:00Z', '2261-12-31T00:00:00Z', 'end'],
  ['now-999999999w', undefined, 'start'],
  ['2026-13-01T00:00:00Z', undefined, 'start'],
  ['-1', undefined, 'start'],
])('%s to %s is refused', (start, end, parameter) => {
  expect(() => parseTimeRange(start, end, nowMs)).toThrow(
    expect.objectContaining({ code: 'invalid_argument', parameter }),
  );
});

test('steps are aligned and cover the range', () => {
  const range = { from: 1_005_000_000_000n, to: 1_395_000_000_000n };
  expect(chooseSteps(range, { wanted: 30, finest: 10_000 })).toEqual({ stepMs: 20_000, firstMs: 1_000_000, count: 20 });
  expect(chooseSteps(range, { wanted: 30, finest: 10_000, stepMs: 61_000 }).stepMs).toBe(70_000);
  expect(() => chooseSteps(range, { wanted: 30, finest: 1, stepMs: 100 })).toThrow(/3900 steps/);
});
