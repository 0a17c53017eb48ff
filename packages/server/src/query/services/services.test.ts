import { afterAll, beforeAll, expect, test } from 'vitest';
import { redRange } from '../red/red-range.ts';
import { TestStore } from '../testing/test-store.ts';
import { chooseSteps } from '../time-range.ts';
import { listOperations, planOperations } from './list-operations.ts';
import { listServices, planOtherServices, planServices } from './list-services.ts';
import { planEdges, planNodes, serviceMap } from './service-map.ts';
import { planServiceRed, serviceRed } from './service-red.ts';

// 10:00:00 of a day, so that every step is aligned.
const start = 1_760_004_000;
const nanos = 1_000_000_000n;
const range = { from: BigInt(start) * nanos, to: BigInt(start + 600) * nanos };
const nowMs = (start + 86_400) * 1000;
const ms = 1_000_000;
// 1 ms is 2^19.93 ns, in bucket floor(19.93 * 8) = 159; 2^20 ns is the lower end of bucket 160.

let store: TestStore;

beforeAll(async () => {
  store = await TestStore.open();
  const row = { service: 'web', name: 'GET /', kind: 2, entry: 1, error: 0 };
  await store.insertRed([
    { ...row, time: start, count: 30, duration_sum: 30 * ms, duration_max: ms, buckets: { 159: 30 } },
    // Another part of the same key: they add up.
    { ...row, time: start, count: 10, duration_sum: 20 * ms, duration_max: 2 * ms, buckets: { 160: 10 } },
    {
      ...row,
      time: start + 40,
      error: 1,
      count: 10,
      duration_sum: 90 * ms,
      duration_max: 9 * ms,
      buckets: { 160: 10 },
    },
    { ...row, time: start - 10, count: 1_000, duration_sum: 1, duration_max: 1, buckets: { 0: 1_000 } },
    { ...row, time: start + 600, count: 1_000, duration_sum: 1, duration_max: 1, buckets: { 0: 1_000 } },
    {
      ...row,
      name: 'redis',
      kind: 3,
      entry: 0,
      time: start,
      count: 100,
      duration_sum: 100,
      duration_max: 1,
      buckets: { 0: 100 },
    },
    {
      ...row,
      service: '',
      name: 'job',
      kind: 1,
      time: start + 20,
      count: 1,
      duration_sum: 8,
      duration_max: 8,
      buckets: { 24: 1 },
    },
    {
      ...row,
      service: 'client',
      name: 'x',
      kind: 3,
      entry: 0,
      time: start,
      count: 1,
      duration_sum: 8,
      duration_max: 8,
      buckets: { 24: 1 },
    },
  ]);
  const edge = { source: 'web', error: 0, duration_max: 4 * ms };
  await store.insertEdges([
    {
      ...edge,
      time: start,
      target: 'redis',
      target_type: 'cache',
      count: 60,
      duration_sum: 60 * ms,
      buckets: { 159: 60 },
    },
    {
      ...edge,
      time: start,
      target: 'redis',
      target_type: 'cache',
      error: 1,
      count: 20,
      duration_sum: 20 * ms,
      buckets: { 159: 20 },
    },
    {
      ...edge,
      time: start,
      source: 'gone',
      target: 'web',
      target_type: 'service',
      count: 1,
      duration_sum: ms,
      buckets: { 159: 1 },
    },
  ]);
  await store.insertLogs([
    { time: range.from, service: 'logger' },
    { time: range.to, service: 'later' },
  ]);
  await store.insertSeries([{ id: 1n, name: 'm', time: range.from, type: 1, service: 'meter' }]);
});

afterAll(() => store.close());

test('services with their requests, and those that only log or measure', async () => {
  const { services } = await listServices(store.context(nowMs), range);
  expect(services.map((service) => [service.name, service.red.count])).toEqual([
    ['client', 0],
    ['logger', 0],
    ['meter', 0],
    ['unknown_service', 1],
    ['web', 50],
  ]);
  const web = services.at(-1);
  // Rank 25 of 50 lies 25/30 into bucket 159; rank 47.5 lies 17.5/20 into bucket 160.
  const p50 = 2 ** ((159 + 25 / 30) / 8) / ms;
  const p95 = 2 ** ((160 + 17.5 / 20) / 8) / ms;
  expect(web?.red).toMatchObject({ errorCount: 10, errorRatio: 0.2 });
  expect(web?.red.rate).toBeCloseTo(50 / 600, 10);
  expect(web?.red.durationMs?.p50).toBeCloseTo(p50, 9);
  expect(web?.red.durationMs?.p95).toBeCloseTo(p95, 9);
  expect(web?.red.durationMs).toMatchObject({ mean: 140 / 50, max: 9 });
  expect(services[0]?.red.durationMs).toBeNull();
  // 600 s in steps of 20 s.
  expect(web?.sparkline.stepMs).toBe(20_000);
  expect(web?.sparkline.times.length).toBe(30);
  expect(web?.sparkline.times[0]).toBe(start * 1000);
  expect(web?.sparkline.rate.slice(0, 4)).toEqual([2, 0, 0.5, 0]);
  expect(web?.sparkline.errorRatio.slice(0, 3)).toEqual([0, 0, 1]);
  expect(web?.sparkline.p95[1]).toBeNull();
});

test('a quantile never lies above the largest duration', async () => {
  const { services } = await listServices(store.context(nowMs), range);
  // A single duration of 8 ns, in bucket 24: [8 ns, 8.7 ns).
  expect(services.find((service) => service.name === 'unknown_service')?.red.durationMs?.p99).toBe(8 / ms);
});

test('a step that has not passed yet does not thin out the rate', async () => {
  // Now is 5 s into the step of 20 s that begins at 40 s.
  const context = store.context((start + 45) * 1000);
  const { sparkline } = (await listServices(context, range)).services.at(-1) ?? {};
  expect(sparkline?.rate[2]).toBe(10 / 5);
});

test('operations, busiest first', async () => {
  const { operations } = await listOperations(store.context(nowMs), 'web', range);
  expect(operations.map(({ name, kind, red }) => [name, kind, red.count])).toEqual([
    ['redis', 'CLIENT', 100],
    ['GET /', 'SERVER', 50],
  ]);
  expect((await listOperations(store.context(nowMs), 'unknown_service', range)).operations.length).toBe(1);
  expect((await listOperations(store.context(nowMs), "'; DROP TABLE red; --\n\n", range)).operations).toEqual([]);
});

test('one service, one operation', async () => {
  const whole = await serviceRed(store.context(nowMs), { service: 'web', range, stepMs: 60_000 });
  expect([whole.red.count, whole.series.rate.length, whole.series.rate[0]]).toEqual([50, 10, 50 / 60]);
  const one = await serviceRed(store.context(nowMs), { service: 'web', range, operation: 'redis', kind: 3 });
  expect(one.red.count).toBe(100);
  expect(
    (await serviceRed(store.context(nowMs), { service: 'web', range, operation: 'redis', kind: 2 })).red.count,
  ).toBe(0);
});

test('the map has peers that send no spans', async () => {
  const { nodes, edges } = await serviceMap(store.context(nowMs), range);
  expect(nodes.map(({ id, type, red }) => [id, type, red === null ? null : red.count]).sort()).toEqual([
    ['cache:redis', 'cache', null],
    ['service:client', 'service', 0],
    ['service:gone', 'service', null],
    ['service:unknown_service', 'service', 1],
    ['service:web', 'service', 50],
  ]);
  expect(edges.map(({ source, target, red }) => [source, target, red.count, red.errorRatio])).toEqual([
    ['service:web', 'cache:redis', 80, 0.25],
    ['service:gone', 'service:web', 1, 0],
  ]);
});

test('the SQL', () => {
  const red = redRange(range, nowMs);
  const steps = chooseSteps(red.range, { wanted: 30, finest: 10_000 });
  expect(planServices(red, steps)).toMatchSnapshot();
  expect(planOtherServices(range)).toMatchSnapshot();
  expect(planOperations('web', red, steps)).toMatchSnapshot();
  expect(planServiceRed({ service: 'web', range, operation: 'x', kind: 2 }, red, steps)).toMatchSnapshot();
  expect(planNodes(red)).toMatchSnapshot();
  expect(planEdges(red)).toMatchSnapshot();
});
