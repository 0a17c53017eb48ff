import { expect, test } from 'vitest';
import { thinExemplars } from './metric-choice.ts';

test('exemplars are thinned over the whole time, the slowest stay', () => {
  const all = Array.from({ length: 500 }, (_, index) => ({
    timeUnixNano: `${1_764_000_000_000 + (499 - index) * 1000}000000`,
    value: index === 250 ? 9000 : index % 7,
  }));
  const kept = thinExemplars(all, 40);
  expect(kept.length).toBeLessThanOrEqual(80);
  expect(kept.length).toBeGreaterThanOrEqual(40);
  expect(kept).toContain(all[250]);
  expect(kept[0]).toBe(all[0]);
  // Each tenth of the time has some.
  for (let tenth = 0; tenth < 10; tenth++)
    expect(kept.some((one) => Math.floor(all.indexOf(one) / 50) === tenth)).toBe(true);
  expect(thinExemplars([], 40)).toEqual([]);
});
