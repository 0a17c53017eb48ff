import { expect, test } from 'vitest';
import { layoutMap } from './map-layout.ts';
import { niceTicks, timeTicks } from './ticks.ts';

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

test('ticks are round, and inside', () => {
  expect(niceTicks(0, 100, 5)).toEqual([0, 20, 40, 60, 80, 100]);
  expect(niceTicks(3, 3, 5)).toEqual([3]);
  const start = Date.UTC(2026, 10, 21, 9, 2, 11);
  const ticks = timeTicks(start, start + 3600e3, 6);
  expect(ticks.length).toBeGreaterThan(2);
  for (const tick of ticks) {
    expect(tick % 600e3).toBe(0);
    expect(tick).toBeGreaterThanOrEqual(start);
  }
});
