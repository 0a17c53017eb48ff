import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { IngestTurns } from './ingest-turns.ts';

/** Turns with a clock that only work moves on, and what was done in which round of the event loop. */
function turnsWithClock() {
  let now = 0;
  const turns = new IngestTurns(() => now);
  const done: string[] = [];
  const held = { isCrowded: false };
  const start = (name: string, ms: number) =>
    turns.run(async () => {
      done.push(name);
      now += ms;
      return name;
    }, held);
  const elsewhere = (ms: number) => {
    now += ms;
  };
  return { start, done, held, elsewhere };
}

test('what takes a moment is done at once', async () => {
  const { start, done } = turnsWithClock();
  const names = Promise.all([start('a', 0.5), start('b', 0.5), start('c', 0.5)]);
  expect(done).toEqual(['a', 'b', 'c']);
  expect(await names).toEqual(['a', 'b', 'c']);
});

test('beyond that the rest waits for the next rounds of the event loop, in order', async () => {
  const { start, done } = turnsWithClock();
  const all = Promise.all([
    start('a', 1.5),
    start('b', 1.5),
    start('c', 3),
    start('d', 1),
    start('e', 1),
    start('f', 1),
  ]);
  expect(done).toEqual(['a', 'b']);
  await setImmediate();
  expect(done).toEqual(['a', 'b', 'c']);
  const late = start('late', 0);
  await setImmediate();
  expect(done).toEqual(['a', 'b', 'c', 'd', 'e']);
  await setImmediate();
  expect(done).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'late']);
  expect(await all).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  expect(await late).toBe('late');
});

test('a round without work leaves room for the next', async () => {
  const { start, done } = turnsWithClock();
  await start('a', 5);
  await setImmediate();
  await setImmediate();
  void start('b', 5);
  expect(done).toEqual(['a', 'b']);
});

test('an error is that of the one who called, whether it waited or not, and the others go on', async () => {
  let now = 0;
  const turns = new IngestTurns(() => (now += 10));
  const held = { isCrowded: false };
  const fails = (): Promise<never> => {
    throw new Error('nobody takes it');
  };
  // The first works so long that the others wait.
  const first = turns.run(async () => 'first', held);
  const thrown = turns.run(fails, held);
  const rejected = turns.run(async () => await Promise.reject(new Error('not durable')), held);
  const last = turns.run(async () => 'last', held);
  expect(() => new IngestTurns().run(fails, held)).toThrow('nobody takes it');
  await expect(thrown).rejects.toThrow('nobody takes it');
  await expect(rejected).rejects.toThrow('not durable');
  expect(await first).toBe('first');
  expect(await last).toBe('last');
});

test('gets half as long as everything else took of a round', async () => {
  const { start, done, elsewhere } = turnsWithClock();
  const all = Promise.all(Array.from({ length: 8 }, (_, index) => start(`${index}`, 2)));
  expect(done).toHaveLength(1);
  elsewhere(10);
  await setImmediate();
  // Two, four, six milliseconds.
  expect(done).toHaveLength(4);
  await setImmediate();
  expect(done).toHaveLength(5);
  await all;
});

test('while too much is held each that comes brings on two of those that wait, in order', async () => {
  const { start, done, held } = turnsWithClock();
  const all = Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => start(name, 3)));
  expect(done).toEqual(['a']);
  held.isCrowded = true;
  const later = Promise.all([start('f', 3), start('g', 3)]);
  expect(done).toEqual(['a', 'b', 'c', 'd', 'e']);
  const last = start('h', 3);
  expect(done).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  expect(await all).toHaveLength(5);
  expect(await later).toEqual(['f', 'g']);
  expect(await last).toBe('h');
  const atOnce = start('i', 3);
  expect(done.at(-1)).toBe('i');
  await atOnce;
});
