import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { record } from '../testing/record.ts';
import { eventBusInstrumentation, observeEventBus } from './observe-event-bus.ts';

const surfaces = [eventBusInstrumentation];
const active = 'eventbus_subscribers_active';
const rejected = 'eventbus_subscribers_rejected_total';
const none = () => {};

describe('subscribers', () => {
  test.each<[string, (bus: EventEmitter) => void, number]>([
    [
      'are counted whichever way they come',
      (bus) => bus.on('a', none).addListener('b', none).prependListener('a', none),
      3,
    ],
    ['go when they are removed', (bus) => bus.on('a', none).on('b', none).off('a', none), 1],
    [
      'that are removed without having been there do not count',
      (bus) => bus.on('a', none).removeListener('b', none),
      1,
    ],
    ['of one event go together', (bus) => bus.on('a', none).on('a', none).on('b', none).removeAllListeners('a'), 1],
    [
      'for once go with the event',
      (bus) => void bus.once('a', none).prependOnceListener('a', none).on('a', none).emit('a'),
      1,
    ],
  ])('%s', async (_, change, expected) => {
    const sink = await record(surfaces, () => change(observeEventBus(new EventEmitter())));
    expect(sink.point(active)).toMatchObject({ type: 'sum', monotonic: false, value: expected, attributes: {} });
  });

  test('of all buses are counted together, and none are left when all have gone', async () => {
    const sink = await record(surfaces, () => {
      const buses = [new EventEmitter(), new EventEmitter()].map((bus) => observeEventBus(bus.on('before', none)));
      for (const bus of buses) bus.on('a', none).once('b', none);
      for (const bus of buses) bus.removeAllListeners();
    });
    expect(sink.point(active).value).toBe(0);
  });

  test('that were there before telemetry count as well, from the next change on', async () => {
    const bus = observeEventBus(new EventEmitter().on('a', none));
    bus.on('b', none);
    const sink = await record(surfaces, () => bus.off('a', none));
    expect(sink.point(active).value).toBe(1);
    const later = await record(surfaces, () => bus.on('c', none));
    expect(later.point(active).value).toBe(2);
  });
});

test('more than maxSubscribers are refused and counted; events go on as before', async () => {
  const heard: unknown[] = [];
  const sink = await record(surfaces, () => {
    const bus = observeEventBus(new EventEmitter(), { maxSubscribers: 2 });
    bus.on('a', (value) => heard.push(value)).once('a', (value) => heard.push(value));
    expect(() => bus.once('a', none)).toThrow(RangeError);
    expect(() => bus.prependListener('a', none)).toThrow(/2 subscribers/);
    bus.emit('a', 1);
    bus.on('a', none).emit('a', 2);
  });
  expect(heard).toEqual([1, 1, 2]);
  expect(sink.point(rejected)).toMatchObject({ monotonic: true, value: 2, attributes: { reason: 'cap' } });
  expect(sink.point(active).value).toBe(2);
});

test('there is no series before the first subscriber, and the names take no prefix', async () => {
  const idle = await record(surfaces, () => observeEventBus(new EventEmitter()));
  expect(idle.points.filter(({ metric }) => metric.includes('eventbus'))).toEqual([]);
  const sink = await record(surfaces, () => observeEventBus(new EventEmitter()).on('a', none), {
    metricPrefix: 'wippy_',
  });
  expect(sink.point(active).value).toBe(1);
});
