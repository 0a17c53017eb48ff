import { parsePromql, type VectorSelector } from '@signalbox/query-language';
import { MetricType } from '@signalbox/records';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PromqlEngine } from '../../promql/engine.ts';
import { TestStore } from '../../testing/test-store.ts';
import { listMetadata } from '../list-metadata.ts';
import { listLabelNames, listLabelValues, listSeries } from '../list-series.ts';
import { SeriesCatalog } from '../series-catalog.ts';
import { StoreQueryable } from '../store-queryable.ts';
import { DEFAULT_TRANSLATION } from '../translation.ts';

/** Six hours of UTC begin here. */
const t0 = 1_760_054_400;
const ms = 1_000_000;
const server = { service: 'web', name: 'GET /', kind: 2, entry: 1, error: 0 };
const took = (count: number, bucket = 160) => ({
  count,
  duration_sum: count * ms,
  duration_max: ms,
  buckets: { [bucket]: count },
});

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open();
});
beforeEach(async () => {
  for (const table of ['red', 'edges']) await store.connection.command(`TRUNCATE TABLE ${table}`);
});
afterAll(() => store?.close());

const catalog = () => new SeriesCatalog(DEFAULT_TRANSLATION, { maxCached: 1_000, maxSeries: 1_000 });
const queryable = () => new StoreQueryable(store.context(), catalog(), { maxSamples: 100_000 });

/** Labels and samples, times in seconds from t0; `stale` where the series ended. */
async function select(selector: string, [start, end]: readonly [number, number]) {
  const { matchers } = parsePromql(selector) as VectorSelector;
  const series = await queryable().select({
    matchers,
    startMs: (t0 + start) * 1000,
    endMs: (t0 + end) * 1000,
    hints: { stepMs: 0, rangeMs: 0, function: '', histogramStats: false },
  });
  return series
    .map(({ labels, times, values, stale }): [Record<string, string>, [number, unknown][]] => [
      Object.fromEntries(labels.entries()),
      Array.from(times, (time, index) => [
        Math.round(time - t0 * 1000) / 1000,
        stale?.[index] === 1 ? 'stale' : values[index],
      ]),
    ])
    .sort(([a], [b]) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

describe('a counter of what was counted in tens of seconds', () => {
  const samples = async (range: readonly [number, number]) =>
    (await select('traces_spanmetrics_calls_total', range)).flatMap(([, own]) => own);

  test('begins at 0, and is higher when the ten seconds are over', async () => {
    await store.insertRed([
      { ...server, time: t0, ...took(2) },
      { ...server, time: t0 + 40, ...took(2) },
      // Another part of the same row.
      { ...server, time: t0, ...took(1) },
    ]);
    expect(await samples([0, 60])).toEqual([
      [0, 0],
      [10, 3],
      [40, 3],
      [50, 5],
    ]);
    expect(await samples([0, 49])).toEqual([
      [0, 0],
      [10, 3],
      [40, 3],
    ]);
    // What is said of a moment is the same whoever asks.
    expect(await samples([45, 55])).toEqual([[50, 5]]);
  });

  test('stays while nothing happens, and ends after a quarter of an hour', async () => {
    await store.insertRed([
      { ...server, time: t0, ...took(3) },
      { ...server, time: t0 + 200, ...took(2) },
    ]);
    const all = await samples([0, 3_600]);
    expect(all.slice(0, 8)).toEqual([
      [0, 0],
      [10, 3],
      [70, 3],
      [130, 3],
      [190, 3],
      [200, 3],
      [210, 5],
      [270, 5],
    ]);
    expect(all.slice(-2)).toEqual([
      [1_050, 5],
      [1_110, 'stale'],
    ]);
    expect(await samples([1_000, 1_200])).toEqual(all.slice(-2));
    expect(await samples([1_111, 3_600])).toEqual([]);
  });

  test('begins anew every six hours', async () => {
    await store.insertRed([
      { ...server, time: t0 + 21_590, ...took(3) },
      { ...server, time: t0 + 21_600, ...took(2) },
    ]);
    expect(await samples([21_500, 21_620])).toEqual([
      [21_590, 0],
      [21_600, 3],
      [21_600.001, 0],
      [21_610, 2],
    ]);
    // What was held over the end of six hours is there for those who ask about the next ones only.
    await store.connection.command('TRUNCATE TABLE red');
    await store.insertRed([{ ...server, time: t0 + 21_590, ...took(3) }]);
    expect(await samples([21_650, 21_670])).toEqual([[21_660, 3]]);
  });

  test('gives the rate that there was', async () => {
    await store.insertRed(
      Array.from({ length: 60 }, (_, index) => ({ ...server, time: t0 + index * 10, ...took(20) })),
    );
    const engine = new PromqlEngine(queryable(), { maxSamples: 100_000, timeoutMs: 30_000, lookbackMs: 300_000 });
    const { value } = await engine.instant('rate(traces_spanmetrics_calls_total[5m])', (t0 + 600) * 1000);
    expect(value).toMatchObject({ type: 'vector', samples: [{ value: expect.closeTo(2, 9) }] });
  });
});

test('spans by operation: the names and labels of Tempo’s generator', async () => {
  await store.insertRed([
    { ...server, time: t0, ...took(3) },
    { ...server, time: t0, error: 1, ...took(1) },
    { ...server, time: t0, service: '', name: 'job', kind: 1, ...took(1) },
  ]);
  const labels = { __name__: 'traces_spanmetrics_calls_total', service: 'web', span_name: 'GET /' };
  const last = (await select('traces_spanmetrics_calls_total', [10, 10])).map(([own, [sample]]) => [own, sample?.[1]]);
  expect(last).toEqual([
    [
      {
        ...labels,
        service: 'unknown_service',
        span_name: 'job',
        span_kind: 'SPAN_KIND_INTERNAL',
        status_code: 'STATUS_CODE_UNSET',
      },
      1,
    ],
    [{ ...labels, span_kind: 'SPAN_KIND_SERVER', status_code: 'STATUS_CODE_ERROR' }, 1],
    [{ ...labels, span_kind: 'SPAN_KIND_SERVER', status_code: 'STATUS_CODE_UNSET' }, 3],
  ]);
  expect(
    await select('traces_spanmetrics_calls_total{status_code="STATUS_CODE_ERROR",service=~"w.*"}', [10, 10]),
  ).toEqual([[{ ...labels, span_kind: 'SPAN_KIND_SERVER', status_code: 'STATUS_CODE_ERROR' }, [[10, 1]]]]);
  expect(await select('traces_spanmetrics_calls_total{job="web"}', [0, 60])).toEqual([]);
});

test('durations: buckets of finer ones, a bound in the middle of one takes its part', async () => {
  // 2 ms are 2^20.9316 ns: of the finer bucket 167, [2^20.875, 2^21) ns, 45.25 % lie below. Bucket 100 lies far below, 300 far above.
  await store.insertRed([
    { ...server, time: t0, count: 13, duration_sum: 40 * ms, duration_max: ms, buckets: { 100: 2, 167: 10, 300: 1 } },
  ]);
  const at = async (selector: string) =>
    (await select(selector, [10, 10])).map(([{ le }, [sample]]) => [le, sample?.[1]]);
  const buckets = await at('traces_spanmetrics_latency_bucket');
  expect(buckets.map(([le]) => le)).toEqual(
    ['+Inf', 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 16.384, 2.048, 4.096, 8.192].map(
      String,
    ),
  );
  expect(buckets[1]?.[1]).toBeCloseTo(2 + 4.5254, 3);
  expect(buckets[2]).toEqual(['0.004', 12]);
  expect(buckets[0]).toEqual(['+Inf', 13]);
  expect(await at('traces_spanmetrics_latency_bucket{le="0.004"}')).toEqual([['0.004', 12]]);
  expect(await at('traces_spanmetrics_latency_sum')).toEqual([[undefined, 0.04]]);
  expect(await at('traces_spanmetrics_latency_count')).toEqual([[undefined, 13]]);
});

test('names that look alike when they are joined stay apart', async () => {
  await store.insertRed([
    { ...server, time: t0, service: 'a\0b', name: 'c', ...took(1) },
    { ...server, time: t0, service: 'a', name: 'b\0c', ...took(2) },
  ]);
  const last = (await select('traces_spanmetrics_calls_total', [10, 10])).map(([own, [sample]]) => [
    own.service,
    sample?.[1],
  ]);
  expect(last).toEqual(
    expect.arrayContaining([
      ['a\0b', 1],
      ['a', 2],
    ]),
  );
});

test('more than a query may read is refused', async () => {
  await store.insertRed([{ ...server, time: t0, ...took(1) }]);
  const { matchers } = parsePromql('traces_spanmetrics_latency_bucket') as VectorSelector;
  const few = new StoreQueryable(store.context(), catalog(), { maxSamples: 14 });
  const times = { startMs: (t0 + 10) * 1000, endMs: (t0 + 10) * 1000 };
  const hints = { stepMs: 0, rangeMs: 0, function: '', histogramStats: false };
  await expect(few.select({ matchers, ...times, hints })).rejects.toThrow('too many samples');
});

describe('calls between services', () => {
  beforeEach(() =>
    store.insertEdges([
      { time: t0, source: 'web', target: 'shop', target_type: 'service', error: 0, ...took(3) },
      { time: t0, source: 'web', target: 'shop', target_type: 'service', error: 1, ...took(1) },
      { time: t0, source: 'shop', target: 'redis', target_type: 'cache', error: 0, ...took(5) },
    ]),
  );

  test('are what Grafana’s service graph reads', async () => {
    const last = async (selector: string) =>
      (await select(selector, [10, 10])).map(([{ __name__, ...labels }, [sample]]) => [labels, sample?.[1]]);
    const redis = { client: 'shop', server: 'redis', connection_type: 'database' };
    const shop = { client: 'web', server: 'shop' };
    expect(await last('traces_service_graph_request_total')).toEqual([
      [redis, 5],
      [shop, 4],
    ]);
    expect(await last('traces_service_graph_request_failed_total')).toEqual([[shop, 1]]);
    expect(await last('traces_service_graph_request_server_seconds_sum')).toEqual([
      [redis, 0.005],
      [shop, 0.004],
    ]);
    expect(await last('traces_service_graph_request_client_seconds_count{server="shop"}')).toEqual([[shop, 4]]);
  });

  test('are listed as any series', async () => {
    const range = { fromMs: t0 * 1000, toMs: (t0 + 60) * 1000 };
    const { matchers } = parsePromql('{client="web"}') as VectorSelector;
    expect(await listLabelNames(store.context(), catalog(), [matchers], range)).toEqual([
      '__name__',
      'client',
      'le',
      'server',
    ]);
    expect(await listLabelValues(store.context(), catalog(), 'client', [], range)).toEqual(['shop', 'web']);
    expect(await listLabelValues(store.context(), catalog(), '__name__', [], range)).toEqual(
      [
        ...['request_total', 'request_failed_total'],
        ...['client', 'server'].flatMap((side) =>
          ['bucket', 'count', 'sum'].map((part) => `request_${side}_seconds_${part}`),
        ),
      ]
        .map((name) => `traces_service_graph_${name}`)
        .sort(),
    );
    const failed = parsePromql('traces_service_graph_request_failed_total') as VectorSelector;
    expect((await listSeries(store.context(), catalog(), [failed.matchers], range)).map(String)).toEqual([
      '{__name__="traces_service_graph_request_failed_total", client="web", server="shop"}',
    ]);
    const metadata = await listMetadata(store.context((t0 + 60) * 1000), catalog());
    expect(metadata.get('traces_service_graph_request_total')).toMatchObject([{ type: 'counter' }]);
    expect(metadata.has('traces_spanmetrics_latency')).toBe(false);
  });

  test('a stored metric of the name stands for itself', async () => {
    const name = 'traces_service_graph_request_total';
    await store.insertSeries([
      { time: BigInt(t0) * 1_000_000_000n, name, id: 1n, type: MetricType.Sum, temporality: 2, monotonic: 1 },
    ]);
    expect(await select(name, [0, 60])).toEqual([]);
    expect(await select('traces_service_graph_request_failed_total', [10, 10])).toHaveLength(1);
  });
});
