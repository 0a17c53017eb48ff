import { expect, test } from 'vitest';
import { runs } from './federated-families.ts';

test('neighbours of one kind are together', () => {
  const kindOf = (one: number): boolean => one < 0;
  expect(Array.from(runs([1, 2, -3, 4, -5, -6], kindOf), ({ items }) => items)).toEqual([[1, 2], [-3], [4], [-5, -6]]);
  expect(Array.from(runs([1, -2], kindOf), ({ kind }) => kind)).toEqual([false, true]);
  expect([...runs([], kindOf)]).toEqual([]);
});

test('no series is looked at again for every run before it', () => {
  let reads = 0;
  const count = 2_000;
  const items = new Proxy(
    Array.from({ length: count }, (_, at) => at % 2),
    {
      get(target, name, receiver): unknown {
        if (typeof name === 'string' && /^\d+$/.test(name)) reads++;
        return Reflect.get(target, name, receiver);
      },
    },
  );
  expect([...runs(items, (one) => one)]).toHaveLength(count);
  expect(reads).toBeLessThan(5 * count);
});
