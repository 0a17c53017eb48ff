import { expect, test } from 'vitest';
import { sortInTurns } from './sort-in-turns.ts';
import { Turns } from './turns.ts';

test.each([0, 1, 2_047, 2_048, 2_049, 4_096, 10_000, 65_537])('sorts %i as the language does', async (count) => {
  let state = count + 1;
  const items = Array.from({ length: count }, (_, at) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return { key: (state >>> 16) % 997, at };
  });
  const compare = (a: { key: number }, b: { key: number }): number => a.key - b.key;
  const expected = items.toSorted(compare);
  await sortInTurns(items, compare);
  expect(items).toEqual(expected);
});

test('others have a turn after each run, and while runs are merged', async () => {
  let taken = 0;
  class ShortTurns extends Turns {
    override get isOver(): boolean {
      return true;
    }
    override async next(): Promise<void> {
      taken++;
    }
  }
  const items = Array.from({ length: 20_480 }, (_, at) => (at * 7_919) % 20_483);
  await sortInTurns(items, (a, b) => a - b, new ShortTurns());
  // Ten runs, which are merged four times.
  expect(taken).toBeGreaterThan(30);
  expect(items).toEqual(items.toSorted((a, b) => a - b));
});
