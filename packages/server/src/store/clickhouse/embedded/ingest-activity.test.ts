import { expect, test } from 'vitest';
import { IngestActivity } from './ingest-activity.ts';

test('many rows in a second keep it busy through the next, few never do', () => {
  const clock = { now: 10_000 };
  const activity = new IngestActivity(() => clock.now);
  expect(activity.busy).toBe(false);
  activity.inserted(1_999);
  expect(activity.busy).toBe(false);
  activity.inserted(1);
  expect(activity.busy).toBe(true);
  clock.now += 1_500;
  expect(activity.busy).toBe(true);
  clock.now += 1_000;
  expect(activity.busy).toBe(false);
  for (let second = 0; second < 5; second++) {
    activity.inserted(1_500);
    clock.now += 1_000;
    expect(activity.busy).toBe(false);
  }
});

test('what was long ago is forgotten', () => {
  const clock = { now: 0 };
  const activity = new IngestActivity(() => clock.now);
  activity.inserted(1_000_000);
  clock.now += 2_000;
  expect(activity.busy).toBe(false);
});

test('many rows are sustained after three seconds of them, and no longer after a second with few', () => {
  const clock = { now: 0 };
  const activity = new IngestActivity(() => clock.now);
  const second = (rows: number): boolean => {
    for (let part = 0; part < 10; part++) {
      activity.inserted(rows / 10);
      clock.now += 100;
    }
    return activity.isSustained;
  };
  expect([second(5_000), second(5_000), second(5_000)]).toEqual([false, false, true]);
  expect(second(4_000)).toBe(false);
  expect([second(9_000), second(9_000), second(9_000)]).toEqual([false, false, true]);
  clock.now += 2_000;
  expect(activity.isSustained).toBe(false);
});
