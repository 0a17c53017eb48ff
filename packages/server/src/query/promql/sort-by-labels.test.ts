import { expect, test } from 'vitest';
import { Turns } from '../turns.ts';
import { Labels } from './labels.ts';
import { sortByLabels } from './sort-by-labels.ts';

// The order of UTF-8 bytes, label by label: by name, then by value, fewer labels first.
test.each([
  [
    'of ASCII',
    [
      { a: '1' },
      { a: '1', b: '' },
      { a: '1', b: '1' },
      { a: '1', c: '0' },
      { a: '1 ' },
      { a: '10' },
      { a: '2', b: '0' },
      { a_: '1' },
      { b: '0' },
    ],
  ],
  ['with characters of two units', [{ a: 'z' }, { a: '\uffee' }, { a: '😀' }]],
  ['with control characters', [{ a: '1', b: '1' }, { a: '1\u0000b', b: '0' }, { a: '1\u0001', b: '0' }, { a: '10' }]],
])('sorts labels %s', async (_, sorted) => {
  const items = sorted.map((labels, at) => ({ at, labels: Labels.from(Object.entries(labels)) }));
  // {a="1"} and {a="1",b=""} are equal: those keep their order.
  const mixed = items.length > 4 ? [...items.slice(3).reverse(), ...items.slice(0, 3)] : [...items].reverse();
  await sortByLabels(mixed, new Turns());
  expect(mixed.map(({ at }) => at)).toEqual(items.map(({ at }) => at));
});
