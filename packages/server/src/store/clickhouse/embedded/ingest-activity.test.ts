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
