import { expect, test } from 'vitest';
import { layoutMap, mapEdgeKey } from './map-layout.ts';
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

test('an edge that skips a column passes between its nodes', () => {
  const edges = [edge('web', 'api'), edge('api', 'db'), edge('web', 'db'), edge('web', 'auth'), edge('auth', 'db')];
  const { nodes, passages } = layoutMap(['web', 'api', 'auth', 'db'], edges);
  const passage = passages.get(mapEdgeKey(edge('web', 'db')));
  expect(passage?.length).toBe(1);
  for (const id of ['api', 'auth']) {
    expect(nodes.get(id)?.x).toBe(passage?.[0]?.x);
    // Half of a node, and the line's own width.
    expect(Math.abs((nodes.get(id)?.y ?? 0) - (passage?.[0]?.y ?? 0))).toBeGreaterThan(52 / 2 + 8);
  }
  expect([...nodes.keys()].sort()).toEqual(['api', 'auth', 'db', 'web']);
});

test('nodes that call nobody and are not called do not make a tower', () => {
  const ids = Array.from({ length: 100 }, (_, index) => `s${index}`);
  const { nodes, width, height } = layoutMap(ids, [edge('s1', 's2')]);
  expect(nodes.size).toBe(100);
  expect(new Set([...nodes.values()].map(({ x, y }) => `${x},${y}`)).size).toBe(100);
  expect(height).toBeLessThan(width * 1.2);
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
