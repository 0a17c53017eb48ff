import { expect, test } from 'vitest';
import { layoutMap } from './map-layout.ts';

const edge = (source: string, target: string) => ({ source, target });

test('callers stand left of whom they call', () => {
  const { nodes } = layoutMap(
    ['db', 'web', 'api', 'cache'],
    [edge('web', 'api'), edge('api', 'db'), edge('web', 'db'), edge('api', 'cache')],
  );
  expect([...nodes].map(([id, { column }]) => [id, column]).sort()).toEqual([
    ['api', 1],
    ['cache', 2],
    ['db', 2],
    ['web', 0],
  ]);
});

test('circles, loops and unknown ends do not break it', () => {
  const { nodes } = layoutMap(
    ['a', 'b', 'c'],
    [edge('a', 'b'), edge('b', 'c'), edge('c', 'a'), edge('a', 'a'), edge('a', 'gone')],
  );
  expect(nodes.size).toBe(3);
  expect(new Set([...nodes.values()].map(({ x, y }) => `${x},${y}`)).size).toBe(3);
});

test('the order of the answer changes nothing', () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const edges = [edge('a', 'c'), edge('b', 'c'), edge('c', 'd'), edge('c', 'e')];
  expect([...layoutMap(ids, edges).nodes].sort()).toEqual(
    [...layoutMap([...ids].reverse(), [...edges].reverse()).nodes].sort(),
  );
});

test('no two nodes overlap in a large graph', () => {
  const ids = Array.from({ length: 200 }, (_, index) => `n${index}`);
  const edges = ids.slice(1).map((id, index) => edge(`n${Math.floor(index / 3)}`, id));
  const { nodes, width, height } = layoutMap(ids, edges);
  expect(new Set([...nodes.values()].map(({ x, y }) => `${x},${y}`)).size).toBe(200);
  for (const { x, y } of nodes.values()) {
    expect(x).toBeLessThan(width);
    expect(y).toBeLessThan(height);
  }
});
