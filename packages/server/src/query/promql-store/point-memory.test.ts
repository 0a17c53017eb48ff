import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Connection } from '../../store/connection.ts';
import { RecentPoints } from '../../store/recent-points.ts';
import type { QueryContext } from '../query-context.ts';
import { type PointColumns, PointMemory } from './point-memory.ts';
import type { PointSlots } from './point-slots.ts';
import type { ReadRange } from './read-points.ts';
import { SeriesCatalog } from './series-catalog.ts';
import { StoreQueryable } from './store-queryable.ts';
import { OtlpStore } from './testing/otlp-store.ts';
import { DEFAULT_TRANSLATION } from './translation.ts';

const quarterMs = 900_000;

let otlp: OtlpStore;
beforeAll(async () => {
  otlp = await OtlpStore.open();
});
afterAll(() => otlp.close());

const newCatalog = (): SeriesCatalog => new SeriesCatalog(DEFAULT_TRANSLATION, { maxSeries: 1_000, maxCached: 1_000 });

/** A context that counts the statements that read points of numbers. */
function counting(nowMs: number): { context: () => QueryContext; readonly reads: number } {
  let reads = 0;
  const { connection } = otlp.store;
  const counted = new Proxy(connection, {
    get(target, name) {
      if (name === 'queryColumns') {
        return (...args: Parameters<Connection['queryColumns']>) => {
          if (args[0].includes('FROM number_points')) reads++;
          return target.queryColumns(...args);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return {
    context: () => ({ ...otlp.context(), connection: counted, nowMs }),
    get reads() {
      return reads;
    },
  };
}

async function ask(context: QueryContext, catalog: SeriesCatalog, name: string, startMs: number, endMs: number) {
  const matchers = [{ name: '__name__', operator: '=' as const, value: name }];
  const hints = { stepMs: 0, rangeMs: 0, function: '', histogramStats: false };
  const series = await new StoreQueryable(context, catalog, { maxSamples: 100_000 }).select({
    matchers,
    startMs,
    endMs,
    hints,
  });
  return series
    .map(({ labels, times, values, stale }) => [String(labels), [...times], [...values], stale && [...stale]])
    .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}

const point = (timeMs: number, value: number, pod: number, isGone = false) => ({
  timeUnixNano: `${timeMs}000000`,
  asDouble: value,
  flags: isGone ? 1 : 0,
  attributes: [{ key: 'pod', value: { stringValue: `p${pod}` } }],
});
const gauge = (name: string, dataPoints: readonly object[]) => ({ name, gauge: { dataPoints } });

test('what is known is not read again, nor what came since', async () => {
  const nowMs = Math.floor(Date.now() / quarterMs) * quarterMs;
  const resource = { 'service.name': 'web' };
  await otlp.insert(resource, [gauge('known', [point(nowMs - 3 * quarterMs, 1, 0), point(nowMs - quarterMs, 2, 0)])]);
  const catalog = newCatalog();
  const counted = counting(nowMs);
  const times = async (from: number, to: number) => (await ask(counted.context(), catalog, 'known', from, to))[0]?.[1];
  const fromMs = nowMs - 4 * quarterMs;
  expect(await times(fromMs, nowMs - 1)).toEqual([nowMs - 3 * quarterMs, nowMs - quarterMs]);
  expect(counted.reads).toBe(1);
  expect(await times(fromMs, nowMs - 1)).toHaveLength(2);
  expect(await times(nowMs - 2 * quarterMs, nowMs - 1)).toEqual([nowMs - quarterMs]);
  // The end moves on, and points come, the last of them later than was asked for.
  await otlp.insert(resource, [gauge('known', [point(nowMs - 10, 3, 0), point(nowMs + 5, 3, 0)])]);
  const known = [nowMs - 3 * quarterMs, nowMs - quarterMs, nowMs - 10];
  expect(await times(fromMs, nowMs)).toEqual(known);
  for (let i = 1; i < 40; i++) {
    await otlp.insert(resource, [gauge('known', [point(nowMs + i * 10, i, 0)])]);
    known.push(i === 1 ? nowMs + 5 : nowMs + i * 10 - 10);
    expect(await times(fromMs, nowMs + i * 10 - 1)).toEqual(known);
  }
  expect(counted.reads).toBe(1);
  // One that comes late.
  await otlp.insert(resource, [gauge('known', [point(nowMs - 2 * quarterMs - 5, 4, 0)])]);
  expect(await times(fromMs, nowMs)).toEqual([
    nowMs - 3 * quarterMs,
    nowMs - 2 * quarterMs - 5,
    nowMs - quarterMs,
    nowMs - 10,
  ]);
  expect(counted.reads).toBe(2);
  // Of an earlier time than was asked for before.
  expect(await times(fromMs - quarterMs, nowMs)).toHaveLength(4);
  expect(counted.reads).toBe(3);
  await otlp.store.connection.command('ALTER TABLE number_points DELETE WHERE value = 4 SETTINGS mutations_sync = 1');
  expect(await times(fromMs, nowMs)).toHaveLength(3);
});

test('an end that is long past is read up to there, and what came since from the store', async () => {
  const endMs = Math.floor(Date.now() / quarterMs) * quarterMs - 4 * quarterMs;
  const resource = { 'service.name': 'web' };
  await otlp.insert(resource, [gauge('past', [point(endMs - quarterMs, 1, 0), point(endMs + 5, 2, 0)])]);
  const catalog = newCatalog();
  const counted = counting(Date.now());
  const times = async (to: number) =>
    (await ask(counted.context(), catalog, 'past', endMs - 2 * quarterMs, to))[0]?.[1];
  expect(await times(endMs)).toEqual([endMs - quarterMs]);
  expect(await times(endMs + 10)).toEqual([endMs - quarterMs, endMs + 5]);
  expect(counted.reads).toBe(2);
});

test('slots keep what they were given when times of some of them part, and meet again', async () => {
  const nowMs = Math.floor(Date.now() / quarterMs) * quarterMs;
  const resource = { 'service.name': 'web' };
  const pods = [0, 1, 2, 3];
  const insert = (own: readonly number[], timeMs: number) =>
    otlp.insert(resource, [
      gauge(
        'parting',
        own.map((pod) => point(timeMs, pod * 1_000 + (timeMs % 997), pod)),
      ),
    ]);
  await insert(pods, nowMs - 60_000);
  const catalog = newCatalog();
  const counted = counting(nowMs);
  let timeMs = nowMs;
  const check = async () => {
    const known = await ask(counted.context(), catalog, 'parting', nowMs - quarterMs, timeMs + 1_000);
    expect(known).toEqual(await ask(otlp.context(), newCatalog(), 'parting', nowMs - quarterMs, timeMs + 1_000));
    return known;
  };
  await check();
  const readsBefore = counted.reads;
  // By their bits: the pods that get a point, the others after them at the same time, or a moment later.
  for (const [bits, later] of [
    [15, 0],
    [5, 0],
    [12, 1],
    [3, 0],
    [8, 1],
    [7, 0],
    [15, 0],
    [1, 0],
    [14, 0],
  ] as const) {
    timeMs += 1_000;
    await insert(
      pods.filter((pod) => (bits >> pod) & 1),
      timeMs,
    );
    const before = await check();
    const others = pods.filter((pod) => !((bits >> pod) & 1));
    if (others.length > 0) await insert(others, timeMs + later);
    const copy = structuredClone(before);
    await check();
    expect(before).toEqual(copy);
  }
  expect(counted.reads).toBe(readsBefore);
});

test('answers are the same as without it, whatever comes and is asked for', { timeout: 300_000 }, async () => {
  const nowMs = Math.floor(Date.now() / quarterMs) * quarterMs;
  const times = fc.integer({ min: 0, max: 8 * 60 }).map((points) => nowMs - points * 15_000);
  // Some in order, as points come usually, some of any time.
  let next = nowMs;
  const comingTimes = fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: times });
  const insert = fc.record({
    kind: fc.constant('insert' as const),
    points: fc.array(fc.tuple(comingTimes, fc.integer({ min: 0, max: 1 })), { minLength: 1, maxLength: 6 }),
  });
  // Mostly of a long time up to now, which moves on, so that what was asked for before is in it.
  const query = fc.record({
    kind: fc.constant('query' as const),
    from: fc.oneof({ weight: 3, arbitrary: fc.constant(nowMs - 8 * quarterMs) }, times),
    to: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, times),
  });
  // Before all that is inserted later: of two points of a time and different values it is not settled which counts.
  const first = nowMs - 9 * quarterMs;
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(insert, query), { minLength: 6, maxLength: 16 }), async (steps) => {
      const name = `any_${run++}`;
      const catalog = newCatalog();
      await otlp.insert({ 'service.name': 'web' }, [gauge(name, [point(first, 1, 0), point(first, 2, 1)])]);
      for (const step of steps) {
        if (step.kind === 'insert') {
          // The same at a time whenever it comes: which of two counts is not settled.
          const points = step.points.map(([time, pod]) => {
            next += pod * 15_000;
            const t = time ?? next;
            return point(t, pod * 100 + (t % 97), pod, (t / 15_000) % 7 === 0);
          });
          await otlp.insert({ 'service.name': 'web' }, [gauge(name, points)]);
        } else {
          const end = step.to ?? next;
          const [from, to] = [Math.min(step.from, end), Math.max(step.from, end)];
          const known = await ask({ ...otlp.context(), nowMs: next }, catalog, name, from, to);
          expect(known).toEqual(await ask(otlp.context(), newCatalog(), name, from, to));
        }
      }
    }),
    { numRuns: process.env.SIGNALBOX_TEST_TIER === 'full' ? 300 : 6 },
  );
});

test('holds no more than it may, and nothing too large', async () => {
  const memory = new PointMemory(1_000_000);
  const recent = new RecentPoints();
  const connection = {
    version: () => 1,
    changedSince: () => Number.POSITIVE_INFINITY,
    recentPoints: () => recent,
  } as unknown as Connection;
  let reads = 0;
  const ofLength =
    (length: number) =>
    async (_: ReadRange): Promise<PointColumns> => {
      reads++;
      return { times: [new Float64Array(length)], values: [new Float64Array(length)], missing: undefined };
    };
  const get = (key: string, length: number) =>
    memory.get({ connection, nowMs: 1e9 }, { key } as unknown as PointSlots, { fromMs: 0, toMs: 0 }, ofLength(length));
  for (let i = 0; i < 2; i++) await get('large', 40_000);
  expect(reads).toBe(2);
  for (let key = 0; key < 6; key++) await get(`key ${key}`, 12_000);
  reads = 0;
  // Five of six have room.
  await get('key 5', 12_000);
  expect(reads).toBe(0);
  await get('key 0', 12_000);
  expect(reads).toBe(1);
});
