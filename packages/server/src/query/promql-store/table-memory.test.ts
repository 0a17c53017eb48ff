import { MetricType } from '@signalbox/records';
import { expect, it } from 'vitest';
import type { WrittenMetric } from '../../store/metric-changes.ts';
import { noConnection } from '../../store/no-connection.ts';
import { TableMemory } from './table-memory.ts';

function connectionAt(version: () => number | undefined) {
  return { ...noConnection, version };
}

it('keeps what it was given until the table changes', async () => {
  let version = 1;
  const connection = connectionAt(() => version);
  const memory = new TableMemory<string>('series', { maxSize: 10, sizeOf: ({ length }) => length });
  const get = (key: string, value: string) => memory.get(connection, key, async () => value);
  expect(await get('a', 'one')).toBe('one');
  expect(await get('a', 'two')).toBe('one');
  expect(await get('b', 'two')).toBe('two');
  version = 2;
  expect(await get('a', 'three')).toBe('three');
});

it('does not keep what was read while the table changed', async () => {
  let version = 1;
  const connection = connectionAt(() => version);
  const memory = new TableMemory<string>('series', { maxSize: 10, sizeOf: () => 1 });
  await memory.get(connection, 'a', async () => {
    version = 2;
    return 'perhaps old';
  });
  expect(await memory.get(connection, 'a', async () => 'new')).toBe('new');
});

it('keeps nothing of a table that others write, nothing that is not whole, and no more than fits', async () => {
  const memory = new TableMemory<string>('series', {
    maxSize: 10,
    sizeOf: ({ length }) => length,
    isWhole: (value) => value !== 'part',
  });
  const others = connectionAt(() => undefined);
  await memory.get(others, 'a', async () => 'one');
  expect(await memory.get(others, 'a', async () => 'two')).toBe('two');

  const own = connectionAt(() => 1);
  await memory.get(own, 'a', async () => 'part');
  expect(await memory.get(own, 'a', async () => 'whole')).toBe('whole');
  await memory.get(own, 'b', async () => '123456');
  expect(await memory.get(own, 'a', async () => 'again')).toBe('again');
});

const written = (name: string): WrittenMetric => ({ name, type: MetricType.Sum, unit: 's', isMonotonic: true });

/** A table that metrics are written to, and a memory of texts that depend on the metrics whose names are in them. */
function writtenTable(maxSize = 100) {
  let version = 1;
  let since: readonly WrittenMetric[] | undefined = [];
  const connection = { ...connectionAt(() => version), metricsSince: () => since };
  const memory = new TableMemory<string>('series', {
    maxSize,
    sizeOf: () => 1,
    dependsOn: (metrics) => (value) => metrics.some(({ name }) => value.includes(name)),
  });
  const write = (metrics: readonly WrittenMetric[] | undefined) => {
    version++;
    since = metrics;
  };
  return { write, get: (key: string, make: () => string) => memory.get(connection, key, async () => make()) };
}

it('keeps what the metrics that were written do not change', async () => {
  const { write, get } = writtenTable();
  await get('a', () => 'first of requests');
  await get('b', () => 'first of errors');
  write([written('errors'), written('others'), written('errors')]);
  expect(await get('a', () => 'second of requests')).toBe('first of requests');
  expect(await get('b', () => 'second of errors')).toBe('second of errors');
  write(undefined);
  expect(await get('a', () => 'third of requests')).toBe('third of requests');
});

it('keeps what was read while others were written', async () => {
  const { write, get } = writtenTable();
  const readWhile = (name: string) => () => {
    write([written('errors')]);
    return `first of ${name}`;
  };
  await get('a', readWhile('requests'));
  await get('b', readWhile('errors'));
  expect(await get('a', () => 'second of requests')).toBe('first of requests');
  expect(await get('b', () => 'second of errors')).toBe('second of errors');
});

it('forgets all rather than looking at very many', async () => {
  const { write, get } = writtenTable(1_000);
  for (let index = 0; index < 600; index++) await get(`${index}`, () => `first ${index}`);
  write(Array.from({ length: 80 }, (_, index) => written(`other${index}`)));
  expect(await get('7', () => 'second')).toBe('first 7');
  write(Array.from({ length: 90 }, (_, index) => written(`other${index}`)));
  expect(await get('7', () => 'second')).toBe('second');
});
