import { expect, test } from 'vitest';
import { TableChanges } from './table-changes.ts';

const quarter = 900_000;

test('tells how far back the rows since a version reach', () => {
  const changes = new TableChanges();
  expect(changes.earliestSince(0)).toBe(Number.POSITIVE_INFINITY);
  changes.record(1, 10 * quarter + 5);
  changes.record(2, 10 * quarter + 70);
  changes.record(3, 11 * quarter);
  expect([0, 1, 2, 3].map((version) => changes.earliestSince(version))).toEqual([
    10 * quarter,
    10 * quarter,
    11 * quarter,
    Number.POSITIVE_INFINITY,
  ]);
  changes.record(4, 3 * quarter);
  changes.record(5, 12 * quarter);
  expect([1, 3, 4, 5].map((version) => changes.earliestSince(version))).toEqual([
    3 * quarter,
    3 * quarter,
    12 * quarter,
    Number.POSITIVE_INFINITY,
  ]);
  changes.record(6, Number.NEGATIVE_INFINITY);
  expect(changes.earliestSince(5)).toBe(Number.NEGATIVE_INFINITY);
  expect(changes.earliestSince(6)).toBe(Number.POSITIVE_INFINITY);
});

test('claims nothing about what it has forgotten', () => {
  const changes = new TableChanges();
  for (let version = 1; version <= 1_500; version++) changes.record(version, version * quarter);
  expect(changes.earliestSince(0)).toBe(Number.NEGATIVE_INFINITY);
  expect(changes.earliestSince(499)).toBe(Number.NEGATIVE_INFINITY);
  expect(changes.earliestSince(500)).toBe(501 * quarter);
});
