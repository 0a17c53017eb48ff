import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Postponed } from './postponed.ts';

test('steps are done in the next turn, in order and once', async () => {
  const postponed = new Postponed();
  const done: string[] = [];
  postponed.add(() => done.push('first'));
  postponed.add(() => done.push('second'));
  await Promise.resolve();
  expect(done).toEqual([]);
  await nextTurn();
  expect(done).toEqual(['first', 'second']);
  postponed.add(() => done.push('third'));
  postponed.run();
  expect(done).toEqual(['first', 'second', 'third']);
  await nextTurn();
  expect(done).toHaveLength(3);
});

test('what a step adds waits for the next turn', async () => {
  const postponed = new Postponed();
  const done: string[] = [];
  postponed.add(() => postponed.add(() => done.push('added')));
  postponed.run();
  expect(done).toEqual([]);
  await nextTurn();
  expect(done).toEqual(['added']);
});
