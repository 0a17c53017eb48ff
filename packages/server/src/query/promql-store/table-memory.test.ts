import { expect, it } from 'vitest';
import { noConnection } from '../../store/no-connection.ts';
import { TableMemory } from './table-memory.ts';

function connectionAt(version: () => number | undefined) {
  return { ...noConnection, version };
}

it('keeps what it was given until the table changes', async () => {
  let version = 1;
  const connection = connectionAt(() => version);
  const memory = new TableMemory<string>('series', 10, ({ length }) => length);
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
  const memory = new TableMemory<string>('series', 10, () => 1);
  await memory.get(connection, 'a', async () => {
    version = 2;
    return 'perhaps old';
  });
  expect(await memory.get(connection, 'a', async () => 'new')).toBe('new');
});

it('keeps nothing of a table that others write, nothing that is not whole, and no more than fits', async () => {
  const memory = new TableMemory<string>(
    'series',
    10,
    ({ length }) => length,
    (value) => value !== 'part',
  );
  const others = connectionAt(() => undefined);
  await memory.get(others, 'a', async () => 'one');
  expect(await memory.get(others, 'a', async () => 'two')).toBe('two');

  const own = connectionAt(() => 1);
  await memory.get(own, 'a', async () => 'part');
  expect(await memory.get(own, 'a', async () => 'whole')).toBe('whole');
  await memory.get(own, 'b', async () => '123456');
  expect(await memory.get(own, 'a', async () => 'again')).toBe('again');
});
