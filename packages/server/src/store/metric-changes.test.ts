import { MetricType } from '@signalbox/records';
import { expect, test } from 'vitest';
import { MetricChanges, type WrittenMetric } from './metric-changes.ts';

const metric = (name: string): WrittenMetric => ({ name, type: MetricType.Gauge, unit: '', isMonotonic: false });
const names = (changes: MetricChanges, version: number) => changes.since(version)?.map(({ name }) => name);

test('tells which metrics got series since a version', () => {
  const changes = new MetricChanges();
  expect(names(changes, 0)).toEqual([]);
  changes.record(1, [metric('a'), metric('b'), metric('a')]);
  changes.record(3, [metric('c')]);
  expect([0, 1, 2, 3].map((version) => names(changes, version))).toEqual([['a', 'b', 'c'], ['c'], ['c'], []]);
});

test('claims nothing about what is not known', () => {
  const changes = new MetricChanges();
  changes.record(1, [metric('a')]);
  changes.record(2, undefined);
  changes.record(3, [metric('b')]);
  expect([0, 1, 2, 3].map((version) => names(changes, version))).toEqual([undefined, undefined, ['b'], []]);
});

test('forgets the oldest when there are many', () => {
  const changes = new MetricChanges();
  for (let version = 1; version <= 300; version++) changes.record(version, [metric(`m${version}`)]);
  expect(names(changes, 0)).toBeUndefined();
  expect(names(changes, 49)).toBeUndefined();
  expect(names(changes, 50)).toHaveLength(250);
  changes.record(
    301,
    Array.from({ length: 600 }, (_, index) => metric(`n${index}`)),
  );
  expect(names(changes, 300)).toBeUndefined();
  expect(names(changes, 301)).toEqual([]);
});
