import { parsePromql, type VectorSelector } from '@signalbox/query-language';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawSeries } from '../promql/queryable.ts';
import { SeriesCatalog } from './series-catalog.ts';
import { StoreQueryable } from './store-queryable.ts';
import { keyValues, OtlpStore } from './testing/otlp-store.ts';
import { DEFAULT_TRANSLATION, type Translation } from './translation.ts';

/** Six hours of UTC begin here. */
const t0 = 1_760_054_400;
const limits = { maxCached: 1_000, maxSeries: 1_000 };
const nanos = (seconds: number): string => String(BigInt(Math.round((t0 + seconds) * 1000)) * 1_000_000n);
const web = { 'service.namespace': 'shop', 'service.name': 'web', 'service.instance.id': 'i1' };
const target = { instance: 'i1', job: 'shop/web' };

let otlp: OtlpStore;
beforeAll(async () => {
  otlp = await OtlpStore.open();
});
afterAll(() => otlp?.close());

type Point = [seconds: number, value: number | null, start?: number];
const numberPoints = (attributes: Record<string, unknown>, points: readonly Point[]): object[] =>
  points.map(([time, value, start]) => ({
    timeUnixNano: nanos(time),
    ...(start === undefined ? {} : { startTimeUnixNano: nanos(start) }),
    attributes: keyValues(attributes),
    ...(value === null ? { flags: 1 } : { asDouble: value }),
  }));
const gauge = (name: string, dataPoints: object[], unit = ''): object => ({ name, unit, gauge: { dataPoints } });
const sum = (name: string, dataPoints: object[], temporality = 2, isMonotonic = true): object => ({
  name,
  sum: { dataPoints, aggregationTemporality: temporality, isMonotonic },
});

/** Labels and samples, times in seconds from t0; `stale` where the series ended. */
async function select(
  selector: string,
  [start, end]: readonly [number, number],
  translation: Translation = DEFAULT_TRANSLATION,
): Promise<[labels: Record<string, string>, samples: [number, unknown][]][]> {
  const queryable = new StoreQueryable(otlp.context(), new SeriesCatalog(translation, limits), { maxSamples: 100_000 });
  const { matchers } = parsePromql(selector) as VectorSelector;
  const series = await queryable.select({
    matchers,
    startMs: (t0 + start) * 1000,
    endMs: (t0 + end) * 1000,
    hints: { stepMs: 0, rangeMs: 0, function: '', histogramStats: false },
  });
  return series
    .map((one): [Record<string, string>, [number, unknown][]] => [
      Object.fromEntries(one.labels.entries()),
      samples(one),
    ])
    .sort(([a], [b]) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function samples({ times, values, stale, histograms }: RawSeries): [number, unknown][] {
  return Array.from(times, (time, index) => [
    (time - t0 * 1000) / 1000,
    stale?.[index] === 1 ? 'stale' : (histograms?.[index]?.toString() ?? values[index]),
  ]);
}

describe('names and labels', () => {
  it('translates metrics, attributes and the resource', async () => {
    await otlp.insert({ ...web, 'deployment.environment.name': 'prod', _x: 1 }, [
      sum(
        'http.requests',
        numberPoints({ 'http.method': 'GET', status: 200, ok: true, ratio: 0.5, '': 'x' }, [[10, 1]]),
      ),
    ]);
    const labels = { http_method: 'GET', ok: 'true', ratio: '0.5', status: '200', ...target };
    expect(await select('{__name__="http_requests_total"}', [0, 60])).toEqual([
      [{ __name__: 'http_requests_total', ...labels }, [[10, 1]]],
    ]);
    expect(
      await select('{"http.requests",status="200"}', [0, 60], { ...DEFAULT_TRANSLATION, strategy: 'NoTranslation' }),
    ).toEqual([
      [
        { __name__: 'http.requests', 'http.method': 'GET', ok: 'true', ratio: '0.5', status: '200', ...target },
        [[10, 1]],
      ],
    ]);
    const promoting = { ...DEFAULT_TRANSLATION, promoteResourceAttributes: ['deployment.environment.name'] };
    expect(await select('http_requests_total', [0, 60], promoting)).toEqual([
      [{ __name__: 'http_requests_total', deployment_environment_name: 'prod', ...labels }, [[10, 1]]],
    ]);
    expect(await select('target_info', [0, 60])).toEqual([
      [{ __name__: 'target_info', deployment_environment_name: 'prod', key_x: '1', ...target }, [[10, 1]]],
    ]);
  });

  it('joins the values of attributes whose names become the same', async () => {
    await otlp.insert({ 'service.name': 'c' }, [
      gauge('clash', numberPoints({ 'a.b': 'z', a_b: 'y', 'a-b': 'x' }, [[1, 2]])),
    ]);
    // In the order of the keys: '-' before '.' before '_'.
    expect(await select('clash', [0, 60])).toEqual([[{ __name__: 'clash', a_b: 'x;z;y', job: 'c' }, [[1, 2]]]]);
  });

  it('shows lists as JSON and drops what is empty', async () => {
    const list = { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '1' }] } };
    await otlp.insert({}, [gauge('list', numberPoints({ list, none: '' }, [[1, 2]]))]);
    expect(await select('list', [0, 60])).toEqual([[{ __name__: 'list', list: '["a",1]' }, [[1, 2]]]]);
  });

  it('adds the scope when asked to', async () => {
    await otlp.insert({ 'service.name': 's' }, [gauge('scoped', numberPoints({}, [[1, 2]]))], {
      name: 'lib',
      version: '1.2',
      attributes: keyValues({ 'my.key': 'v' }),
    });
    expect(await select('scoped', [0, 60], { ...DEFAULT_TRANSLATION, promoteScopeMetadata: true })).toEqual([
      [
        { __name__: 'scoped', job: 's', otel_scope_my_key: 'v', otel_scope_name: 'lib', otel_scope_version: '1.2' },
        [[1, 2]],
      ],
    ]);
    expect((await select('scoped', [0, 60]))[0]?.[0]).toEqual({ __name__: 'scoped', job: 's' });
  });

  it('matches as Prometheus does', async () => {
    for (const code of ['200', '404', '500']) {
      await otlp.insert({ 'service.name': 'm' }, [sum('matched', numberPoints({ code }, [[1, 1]]))]);
    }
    await otlp.insert({ 'service.name': 'm' }, [sum('matched', numberPoints({}, [[1, 1]]))]);
    const codes = async (selector: string): Promise<(string | undefined)[]> =>
      (await select(selector, [0, 60])).map(([{ code }]) => code).sort();
    expect(await codes('matched_total{code="404"}')).toEqual(['404']);
    expect(await codes('matched_total{code!="404"}')).toEqual(['200', '500', undefined]);
    expect(await codes('matched_total{code=~"[45].."}')).toEqual(['404', '500']);
    expect(await codes('matched_total{code=~"0"}')).toEqual([]);
    expect(await codes('matched_total{code!~"2..|"}')).toEqual(['404', '500']);
    expect(await codes('matched_total{code=""}')).toEqual([undefined]);
    expect(await codes('{__name__=~"match.*",job="m",code=~".+"}')).toEqual(['200', '404', '500']);
  });

  it('shows a restarted service as one series', async () => {
    await otlp.insert({ ...web, 'service.version': '1' }, [
      sum(
        'deployed',
        numberPoints({}, [
          [10, 5],
          [20, 6],
        ]),
      ),
    ]);
    await otlp.insert({ ...web, 'service.version': '2' }, [
      sum(
        'deployed',
        numberPoints({}, [
          [30, 1],
          [20, 6],
        ]),
      ),
    ]);
    expect(await select('deployed_total', [0, 60])).toEqual([
      [
        { __name__: 'deployed_total', ...target },
        [
          [10, 5],
          [20, 6],
          [30, 1],
        ],
      ],
    ]);
  });
});

describe('points', () => {
  it('gives those of the time, both ends included, and the ends of series', async () => {
    await otlp.insert(web, [
      gauge(
        'edges',
        numberPoints({}, [
          [10, 1],
          [20, 2],
          [30, null],
          [40, 4],
        ]),
        '1',
      ),
    ]);
    expect((await select('edges_ratio', [10, 30]))[0]?.[1]).toEqual([
      [10, 1],
      [20, 2],
      [30, 'stale'],
    ]);
    expect(await select('edges_ratio', [41, 60])).toEqual([]);
  });

  it('turns deltas into a counter that begins at zero, and anew every six hours', async () => {
    await otlp.insert(web, [
      sum(
        'delta',
        numberPoints({}, [
          [-30, 4, -60],
          [0, 1, -30],
          [30, 5, 0],
          [60, 7, 30],
          [60, 7, 30],
          [90, 2, 70],
        ]),
        1,
      ),
    ]);
    expect(await select('delta_total', [-60, 90])).toEqual([
      [
        { __name__: 'delta_total', ...target },
        [
          [-60, 0],
          [-30, 4],
          [0, 5],
          [0.001, 0],
          [30, 5],
          [60, 12],
          [90, 14],
        ],
      ],
    ]);
    // The same, whoever asks.
    expect((await select('delta_total', [60, 90]))[0]?.[1]).toEqual([
      [60, 12],
      [90, 14],
    ]);
  });

  it('shows histograms as buckets, sum and count', async () => {
    const point = (
      time: number,
      bucketCounts: string[],
      total: number | undefined,
      explicitBounds = [0.5, 1e-7, 10],
    ): object => ({
      timeUnixNano: nanos(time),
      count: String(bucketCounts.reduce((all, count) => all + Number(count), 0)),
      ...(total === undefined ? {} : { sum: total }),
      bucketCounts,
      explicitBounds: [...explicitBounds].sort((a, b) => a - b),
    });
    await otlp.insert(web, [
      {
        name: 'latency',
        unit: 's',
        histogram: {
          aggregationTemporality: 2,
          dataPoints: [
            point(10, ['1', '2', '3', '4'], 5),
            point(20, ['2', '2', '3', '4'], undefined),
            point(30, ['1', '1'], 3, [2]),
            { timeUnixNano: nanos(40), flags: 1 },
          ],
        },
      },
    ]);
    const family = await select('{__name__=~"latency_seconds.*"}', [0, 60]);
    const named = (name: string, le?: string): unknown =>
      family.find(([labels]) => labels.__name__ === name && labels.le === le)?.[1];
    expect(named('latency_seconds_count')).toEqual([
      [10, 10],
      [20, 11],
      [30, 2],
      [40, 'stale'],
    ]);
    expect(named('latency_seconds_sum')).toEqual([
      [10, 5],
      [30, 3],
      [40, 'stale'],
    ]);
    expect(named('latency_seconds_bucket', '0.0000001')).toEqual([
      [10, 1],
      [20, 2],
      [40, 'stale'],
    ]);
    expect(named('latency_seconds_bucket', '0.5')).toEqual([
      [10, 3],
      [20, 4],
      [40, 'stale'],
    ]);
    expect(named('latency_seconds_bucket', '10')).toEqual([
      [10, 6],
      [20, 7],
      [40, 'stale'],
    ]);
    expect(named('latency_seconds_bucket', '2')).toEqual([
      [30, 1],
      [40, 'stale'],
    ]);
    expect(named('latency_seconds_bucket', '+Inf')).toEqual([
      [10, 10],
      [20, 11],
      [30, 2],
      [40, 'stale'],
    ]);
    expect(family).toHaveLength(7);
    expect((await select('latency_seconds_bucket{le=~"0.5|.Inf"}', [0, 60])).map(([{ le }]) => le)).toEqual([
      '+Inf',
      '0.5',
    ]);
  });

  it('adds up histograms of deltas', async () => {
    const point = (time: number, counts: string[]): object => ({
      timeUnixNano: nanos(time),
      startTimeUnixNano: nanos(time - 10),
      count: String(counts.reduce((all, count) => all + Number(count), 0)),
      sum: 1,
      bucketCounts: counts,
      explicitBounds: [1],
    });
    const dataPoints = [point(10, ['1', '2']), point(20, ['3', '0'])];
    await otlp.insert(web, [{ name: 'delta.size', histogram: { aggregationTemporality: 1, dataPoints } }]);
    expect((await select('delta_size_bucket', [1, 60])).map(([{ le }, points]) => [le, points])).toEqual([
      [
        '+Inf',
        [
          [10, 3],
          [20, 6],
        ],
      ],
      [
        '1',
        [
          [10, 1],
          [20, 4],
        ],
      ],
    ]);
    expect((await select('delta_size_sum', [0, 60]))[0]?.[1]).toEqual([
      [0, 0],
      [10, 1],
      [20, 2],
    ]);
  });

  it('shows summaries as quantiles, sum and count', async () => {
    const quantileValues = [
      { quantile: 0.5, value: 2 },
      { quantile: 0.99, value: 3 },
    ];
    await otlp.insert(web, [
      { name: 'pause', summary: { dataPoints: [{ timeUnixNano: nanos(10), count: '4', sum: 9, quantileValues }] } },
    ]);
    expect((await select('pause', [0, 60])).map(([{ quantile }, points]) => [quantile, points])).toEqual([
      ['0.5', [[10, 2]]],
      ['0.99', [[10, 3]]],
    ]);
    expect((await select('pause_sum', [0, 60]))[0]?.[1]).toEqual([[10, 9]]);
    expect((await select('pause_count', [0, 60]))[0]?.[1]).toEqual([[10, 4]]);
  });

  it('shows exponential histograms as native histograms', async () => {
    const point = (time: number, scale: number, offset: number, bucketCounts: string[]): object => ({
      timeUnixNano: nanos(time),
      startTimeUnixNano: nanos(time - 10),
      count: '6',
      sum: 7,
      scale,
      zeroCount: '1',
      zeroThreshold: 0.25,
      positive: { offset, bucketCounts },
      negative: { offset: 0, bucketCounts: ['1'] },
    });
    const dataPoints = [point(10, 0, 0, ['1', '0', '3']), { timeUnixNano: nanos(20), flags: 1 }];
    await otlp.insert(web, [
      { name: 'native', exponentialHistogram: { aggregationTemporality: 2, dataPoints } },
      {
        name: 'native.delta',
        exponentialHistogram: {
          aggregationTemporality: 1,
          dataPoints: [point(10, 1, 0, ['2', '2']), point(20, 0, 0, ['4'])],
        },
      },
    ]);
    expect((await select('native', [0, 60]))[0]?.[1]).toEqual([
      [10, '{count:6, sum:7, [-2,-1):1, [-0.25,0.25]:1, (1,2]:1, (4,8]:3}'],
      [20, 'stale'],
    ]);
    expect((await select('native_delta', [1, 60]))[0]?.[1]).toEqual([
      [10, expect.stringContaining('count:6, sum:7')],
      // Reduced to the coarser scale, buckets added.
      [20, '{count:12, sum:14, [-2,-1):2, [-0.25,0.25]:2, (1,2]:8}'],
    ]);
  });

  it('ends target_info when the resource falls silent', async () => {
    const quiet = { 'service.name': 'quiet', 'host.name': 'h' };
    await otlp.insert(quiet, [
      gauge(
        'alive',
        numberPoints({}, [
          [10, 1],
          [20, 1],
        ]),
      ),
      gauge('other', numberPoints({}, [[30, 1]])),
    ]);
    expect(await select('target_info{job="quiet"}', [0, 60])).toEqual([
      [
        { __name__: 'target_info', host_name: 'h', job: 'quiet' },
        [
          [10, 1],
          [20, 1],
          [30, 1],
        ],
      ],
    ]);
    expect(await select('target_info{job="quiet"}', [31, 60])).toEqual([]);
  });

  it('says what to do about too much', async () => {
    const dataPoints = numberPoints(
      {},
      Array.from({ length: 20 }, (_, index): Point => [index, 1]),
    );
    await otlp.insert(web, [gauge('many', dataPoints)]);
    const queryable = new StoreQueryable(otlp.context(), new SeriesCatalog(DEFAULT_TRANSLATION, limits), {
      maxSamples: 10,
    });
    const { matchers } = parsePromql('many') as VectorSelector;
    const hints = { stepMs: 0, rangeMs: 0, function: '', histogramStats: false };
    await expect(
      queryable.select({ matchers, startMs: t0 * 1000, endMs: (t0 + 60) * 1000, hints }),
    ).rejects.toMatchObject({
      kind: 'execution',
      message: expect.stringMatching(/too many samples .* promql-max-samples/s) as unknown,
    });
    const twice = new StoreQueryable(otlp.context(), new SeriesCatalog(DEFAULT_TRANSLATION, limits), {
      maxSamples: 30,
    });
    const asked = { matchers, startMs: t0 * 1000, endMs: (t0 + 60) * 1000, hints };
    expect(await twice.select(asked)).toHaveLength(1);
    await expect(twice.select(asked)).rejects.toMatchObject({ kind: 'execution' });
  });

  it('has types and units as labels when asked to', async () => {
    const [point] = numberPoints({}, [[1, 1]]);
    await otlp.insert(web, [
      {
        name: 'typed.requests',
        unit: 'By',
        sum: { dataPoints: [point], aggregationTemporality: 2, isMonotonic: true },
      },
      { name: 'typed.size', unit: '', gauge: { dataPoints: [point] } },
    ]);
    const catalog = new SeriesCatalog({ ...DEFAULT_TRANSLATION, typeAndUnitLabels: true }, limits);
    const queryable = new StoreQueryable(otlp.context(), catalog, { maxSamples: 100 });
    const { matchers } = parsePromql('{__name__=~"typed_.*"}') as VectorSelector;
    const hints = { stepMs: 0, rangeMs: 0, function: '', histogramStats: false };
    const found = await queryable.select({ matchers, startMs: t0 * 1000, endMs: (t0 + 60) * 1000, hints });
    expect(
      found.map(({ labels }) => ['__name__', '__type__', '__unit__'].map((name) => labels.get(name))).sort(),
    ).toEqual([
      ['typed_requests_bytes_total', 'counter', 'bytes'],
      ['typed_size', 'gauge', ''],
    ]);
  });

  it('gives start times when asked to', async () => {
    const at = (second: number): string => `${t0 + second}000000000`;
    const dataPoints = [
      { asDouble: 5, timeUnixNano: at(10), startTimeUnixNano: at(3) },
      { asDouble: 6, timeUnixNano: at(20) },
    ];
    await otlp.insert(web, [{ name: 'begun', sum: { dataPoints, aggregationTemporality: 2, isMonotonic: true } }]);
    const { matchers } = parsePromql('begun_total') as VectorSelector;
    const hints = { stepMs: 0, rangeMs: 0, function: '', histogramStats: false };
    const select = async (usesStartTimes: boolean) => {
      const catalog = new SeriesCatalog(DEFAULT_TRANSLATION, limits);
      const queryable = new StoreQueryable(otlp.context(), catalog, { maxSamples: 100, usesStartTimes });
      return await queryable.select({ matchers, startMs: t0 * 1000, endMs: (t0 + 60) * 1000, hints });
    };
    const [plain] = await select(false);
    expect(plain).not.toHaveProperty('startTimes');
    const [begun] = await select(true);
    expect(begun?.startTimes).toEqual(Float64Array.of((t0 + 3) * 1000, 0));
  });

  it('reads what may be much in parts', async () => {
    const routes = Array.from({ length: 60 }, (_, index) => `/r${index}`);
    const points: Point[] = [0, 899, 900, 40_000, 86_400].map((second) => [second, second + 1]);
    const dataPoints = routes.flatMap((route) => numberPoints({ route }, points));
    await otlp.insert(web, [gauge('scattered', dataPoints)]);
    const queryable = new StoreQueryable(otlp.context(), new SeriesCatalog(DEFAULT_TRANSLATION, limits), {
      maxSamples: 1_000,
    });
    const { matchers } = parsePromql('scattered') as VectorSelector;
    const hints = { stepMs: 0, rangeMs: 0, function: '', histogramStats: false };
    const range = { startMs: t0 * 1000, endMs: (t0 + 86_400) * 1000 };
    const series = await queryable.select({ matchers, ...range, hints });
    expect(series).toHaveLength(60);
    for (const { times, values } of series) {
      expect(Array.from(times, (time) => time / 1000 - t0)).toEqual([0, 899, 900, 40_000, 86_400]);
      expect([...values]).toEqual([1, 900, 901, 40_001, 86_401]);
    }
    const little = new StoreQueryable(otlp.context(), new SeriesCatalog(DEFAULT_TRANSLATION, limits), {
      maxSamples: 200,
    });
    await expect(little.select({ matchers, ...range, hints })).rejects.toMatchObject({ kind: 'execution' });
  });

  it('finds series that came since it was asked last', async () => {
    const catalog = new SeriesCatalog(DEFAULT_TRANSLATION, limits);
    const { matchers } = parsePromql('arriving') as VectorSelector;
    const hints = { stepMs: 0, rangeMs: 0, function: '', histogramStats: false };
    const found = async () => {
      const queryable = new StoreQueryable(otlp.context(), catalog, { maxSamples: 100 });
      const series = await queryable.select({ matchers, startMs: t0 * 1000, endMs: (t0 + 60) * 1000, hints });
      return series.map(({ labels }) => labels.get('route')).sort();
    };
    expect(await found()).toEqual([]);
    await otlp.insert(web, [gauge('arriving', numberPoints({ route: '/a' }, [[1, 1]]))]);
    expect(await found()).toEqual(['/a']);
    expect(await found()).toEqual(['/a']);
    await otlp.insert(web, [gauge('arriving', numberPoints({ route: '/b' }, [[2, 1]]))]);
    expect(await found()).toEqual(['/a', '/b']);
  });

  it('asks again for what was chosen only when series of those metrics came', async () => {
    const catalog = new SeriesCatalog(DEFAULT_TRANSLATION, limits);
    const hints = { stepMs: 0, rangeMs: 0, function: '', histogramStats: false };
    const { connection } = otlp.store;
    const statements: string[] = [];
    const watched = Object.assign(Object.create(connection) as typeof connection, {
      query: ((sql, options) => {
        statements.push(sql);
        return connection.query(sql, options);
      }) as typeof connection.query,
      queryColumns: ((sql, options) => {
        statements.push(sql);
        return connection.queryColumns(sql, options);
      }) as typeof connection.queryColumns,
      ...Object.fromEntries(
        (['version', 'changedSince', 'metricsSince', 'recentPoints'] as const).map((name) => [
          name,
          (...rest: never[]) => (connection[name] as (...all: never[]) => unknown)(...rest),
        ]),
      ),
    });
    /** What is found, and whether anything was asked of the table of series. */
    const found = async (selector: string) => {
      statements.length = 0;
      const context = { ...otlp.context(), connection: watched };
      const queryable = new StoreQueryable(context, catalog, { maxSamples: 100 });
      const { matchers } = parsePromql(selector) as VectorSelector;
      const series = await queryable.select({ matchers, startMs: t0 * 1000, endMs: (t0 + 60) * 1000, hints });
      const names = series.map(({ labels }) => `${labels.get('__name__')} ${labels.get('route')}`).sort();
      return { names, asks: statements.some((sql) => sql.includes('FROM series')) };
    };
    const insert = (name: string, route: string, unit = '') =>
      otlp.insert(web, [gauge(name, numberPoints({ route }, [[1, 1]]), unit)]);

    await insert('kept', '/a');
    await insert('other', '/a');
    expect(await found('kept')).toEqual({ names: ['kept /a'], asks: true });
    expect(await found('{__name__=~"kept.*"}')).toEqual({ names: ['kept /a'], asks: false });
    expect(await found('kept')).toEqual({ names: ['kept /a'], asks: false });

    await insert('other', '/b');
    expect(await found('kept')).toEqual({ names: ['kept /a'], asks: false });
    expect(await found('{__name__=~"kept.*"}')).toEqual({ names: ['kept /a'], asks: false });

    // A new metric may fulfil a pattern, also under the name of another one in another unit.
    await insert('kept', '/a', 's');
    expect(await found('{__name__=~"kept.*"}')).toEqual({ names: ['kept /a', 'kept_seconds /a'], asks: true });
    expect((await found('kept')).names).toEqual(['kept /a']);

    await insert('kept', '/b');
    expect(await found('kept')).toEqual({ names: ['kept /a', 'kept /b'], asks: true });
  });
});
