import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { decodeExposition } from '@signalbox/protocols';
import { MetricType } from '@signalbox/records';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Labels } from '../../query/promql/labels.ts';
import { featureOptions } from '../../query/promql/promql-features.ts';
import { parseSeriesDescription } from '../../query/promql/series-description.ts';
import { SeriesCatalog } from '../../query/promql-store/series-catalog.ts';
import { StoreStorage, untranslated } from '../../query/promql-store/testing/store-storage.ts';
import type { RuleGroupState } from '../../query/rule-states.ts';
import type { ScrapeTargets } from '../../query/scrape-targets.ts';
import { TestStore } from '../../query/testing/test-store.ts';
import { QueryRegistry } from '../query-registry.ts';
import { createPrometheusApi, type PrometheusApiOptions } from './prometheus-api.ts';

const root = fileURLToPath(new URL('../../../../../', import.meta.url));
const file = join(
  process.env.SIGNALBOX_CONFORMANCE ?? join(root, '../shared/conformance'),
  'promql/http_api_cases.json',
);

/** Of Prometheus's own tests of its API: what their series are. */
const series = `
  test_metric1{foo="bar"} 0+100x100
  test_metric1{foo="boo"} 1+0x100
  test_metric2{foo="boo"} 1+0x100
  test_metric3{foo="bar", dup="1"} 1+0x100
  test_metric3{foo="boo", dup="1"} 1+0x100
  test_metric4{foo="bar", dup="1"} 1+0x100
  test_metric4{foo="boo", dup="1"} 1+0x100
  test_metric4{foo="boo"} 1+0x100
  test_metric5{"host.name"="localhost"} 1+0x100
  test_metric5{"junk\\n{},=:  chars"="bar"} 1+0x100`;

const labels = (pairs: Record<string, string>): Labels => Labels.from(Object.entries(pairs));
const evaluated = { health: 'ok', lastError: '', lastEvaluationMs: 1_500, evaluationMs: 2 } as const;
const groups: readonly RuleGroupState[] = [
  {
    name: 'grp',
    file: '/path/to/file',
    intervalMs: 1_000,
    limit: 0,
    lastEvaluationMs: 0,
    evaluationMs: 3,
    rules: [
      {
        ...evaluated,
        kind: 'alerting',
        name: 'HighLoad',
        query: 'up == 1',
        labels: labels({ severity: 'page' }),
        annotations: labels({ summary: 'high' }),
        state: 'firing',
        forMs: 60_000,
        keepFiringForMs: 0,
        alerts: [
          {
            labels: labels({ alertname: 'HighLoad' }),
            annotations: labels({ summary: 'high' }),
            state: 'firing',
            activeAtMs: 1_000,
            value: 1,
          },
        ],
      },
      { ...evaluated, kind: 'recording', name: 'job:up', query: 'sum by (job) (up)', labels: labels({}) },
    ],
  },
  {
    name: 'empty',
    file: '/path/to/file',
    intervalMs: 1_000,
    limit: 0,
    rules: [],
    lastEvaluationMs: 0,
    evaluationMs: 0,
  },
];

const now = Date.now();
const drops = {
  sourceLabels: ['__address__'],
  separator: ';',
  pattern: '.*',
  modulus: 0,
  targetLabel: '',
  replacement: '$1',
  action: 'drop',
};
const targets: ScrapeTargets = {
  pools: () => [
    { name: 'shop', yaml: 'job_name: shop\n', relabelSteps: () => [{ rule: drops, labels: labels({}), keep: false }] },
    { name: 'idle', yaml: '', relabelSteps: () => [] },
  ],
  active: () => [
    {
      pool: 'shop',
      url: 'http://a:1/metrics',
      discoveredLabels: labels({ __address__: 'a:1' }),
      labels: labels({ job: 'shop', instance: 'a:1' }),
      health: 'up',
      lastError: '',
      lastScrapeMs: now,
      lastScrapeDurationMs: 1,
      intervalMs: 15_000,
      timeoutMs: 10_000,
    },
  ],
  dropped: () => [],
};

let store: TestStore;
let storage: StoreStorage;
let server: Server;
let base: string;
const bugs: unknown[] = [];

/** A sample a minute from 1970 on. */
async function load(descriptions: string): Promise<void> {
  const described = descriptions
    .trim()
    .split('\n')
    .map((line) => parseSeriesDescription(line.trim()));
  await storage.add(
    described.map(({ labels: own, values }) => ({
      labels: own,
      samples: values.flatMap((value, index) =>
        value.kind === 'gap' || value.kind === 'stale' ? [] : [{ timeMs: index * 60_000, value: value.value }],
      ),
    })),
  );
}

beforeAll(async () => {
  store = await TestStore.open();
  storage = await StoreStorage.create(store);
  await load(series);
  const options: PrometheusApiOptions = {
    connection: store.connection,
    registry: new QueryRegistry(),
    catalog: new SeriesCatalog(untranslated, { maxSeries: 1_000, maxCached: 1_000 }),
    engine: { maxSamples: 100_000 },
    maxExecutionMs: 20_000,
    status: { version: '1.2.3', startedAtMs: 1_000, settings: { port: '4319' }, retention: '7d' },
    rules: { groups: () => groups, alertmanagers: () => ['http://127.0.0.1:9093/api/v2/alerts'] },
    targets,
    allowedHosts: [],
    corsOrigins: ['https://grafana.example'],
    onError: (error) => bugs.push(error),
  };
  const plain = createPrometheusApi(options);
  const features = featureOptions(['promql-experimental-functions', 'promql-binop-fill-modifiers']);
  const experimental = createPrometheusApi({ ...options, engine: { ...options.engine, ...features } });
  server = createServer(async (request, response) => {
    const handle = request.headers['x-experimental'] === undefined ? plain : experimental;
    if (!(await handle(request, response))) response.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await store?.close();
  expect(bugs).toEqual([]);
});

interface Envelope {
  status: string;
  data: unknown;
  errorType?: string;
  error?: string;
  warnings?: string[];
  infos?: string[];
}

async function get(path: string, init?: RequestInit): Promise<[status: number, body: Envelope]> {
  const response = await fetch(`${base}/api/v1/${path}`, init);
  return [response.status, (await response.json()) as Envelope];
}

function form(path: string, fields: Record<string, string>): Promise<[number, Envelope]> {
  return get(path, { method: 'POST', body: new URLSearchParams(fields) });
}

const data = async (path: string): Promise<unknown> => (await get(path))[1].data;

test('what is experimental is refused unless it is on', async () => {
  const on = { headers: { 'x-experimental': '' } };
  const query = new URLSearchParams({ query: 'limitk(1, test_metric2) + on () fill (0) nope', time: '60' });
  for (const path of ['query', 'format_query', 'parse_query', 'query_exemplars']) {
    const [status, body] = await get(`${path}?${query}`);
    expect([path, status, body.error]).toEqual([path, 400, expect.stringMatching(/experimental/)]);
    expect([path, (await get(`${path}?${query}`, on))[0]]).toEqual([path, 200]);
  }
  expect((await get(`query?${query}`, on))[1].data).toEqual({
    resultType: 'vector',
    result: [{ metric: {}, value: [60, '1'] }],
  });
});

describe('what Grafana asks', () => {
  test('save and test', async () => {
    const [status, body] = await form('query', { query: '1+1', time: '1.5' });
    expect([status, body]).toEqual([200, { status: 'success', data: { resultType: 'scalar', result: [1.5, '2'] } }]);
    const info = (await data('status/buildinfo')) as Record<string, unknown>;
    expect(info).toMatchObject({ version: expect.stringMatching(/^3\./) as unknown });
    expect(info).not.toHaveProperty('features');
  });

  test('a graph', async () => {
    const fields = { query: 'test_metric1', start: '60.5', end: '121', step: '60' };
    const [, body] = await form('query_range', fields);
    expect(body.data).toEqual({
      resultType: 'matrix',
      result: [
        {
          metric: { __name__: 'test_metric1', foo: 'bar' },
          values: [
            [60.5, '100'],
            [120.5, '200'],
          ],
        },
        {
          metric: { __name__: 'test_metric1', foo: 'boo' },
          values: [
            [60.5, '1'],
            [120.5, '1'],
          ],
        },
      ],
    });
  });

  test('what there is', async () => {
    expect((await form('labels', { 'match[]': 'test_metric3', start: '0', end: '600' }))[1].data).toEqual([
      '__name__',
      'dup',
      'foo',
    ]);
    expect((await form('series', { 'match[]': 'test_metric2', start: '0', end: '600' }))[1].data).toEqual([
      { __name__: 'test_metric2', foo: 'boo' },
    ]);
    expect(await data('label/U__host_2e_name/values?start=0&end=600')).toEqual(['localhost']);
    expect(await data('label/host.name/values?start=0&end=600')).toEqual(['localhost']);
    expect(await data('metadata?metric=test_metric2')).toEqual({
      test_metric2: [{ type: 'gauge', help: '', unit: '' }],
    });
  });

  test('exemplars', async () => {
    const series = { name: 'exemplified', type: MetricType.Gauge, attributes: { route: '/a' }, time: 0n };
    await store.insertSeries([{ ...series, id: 77n }]);
    const columns = {
      metric_name: 'String',
      series_id: 'UInt64',
      time: 'Int64',
      value: 'Float64',
      trace_id: 'String',
      span_id: 'String',
      attributes: 'String',
    };
    const exemplar = { metric_name: 'exemplified', series_id: 77n, value: 0.25, attributes: '' };
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    await store.insert(
      'exemplars',
      columns,
      [
        { ...exemplar, time: 60_500_000_000n, trace_id: traceId, span_id: 'b7ad6b7169203331' },
        { ...exemplar, time: 700_000_000_000n, trace_id: traceId, span_id: 'b7ad6b7169203331' },
      ],
      {
        time: "fromUnixTimestamp64Nano(time, 'UTC')",
        trace_id: 'toFixedString(unhex(trace_id), 16)',
        span_id: 'toFixedString(unhex(span_id), 8)',
      },
    );
    const [, body] = await form('query_exemplars', { query: 'sum(rate(exemplified[5m]))', start: '60', end: '600.5' });
    expect(body).toEqual({
      status: 'success',
      data: [
        {
          seriesLabels: { __name__: 'exemplified', route: '/a' },
          exemplars: [{ labels: { span_id: 'b7ad6b7169203331', trace_id: traceId }, value: '0.25', timestamp: 60.5 }],
        },
      ],
    });
    expect(await data('query_exemplars?query=nope&start=0&end=600')).toEqual([]);
    await store.connection.command('ALTER TABLE series DELETE WHERE series_id = 77 SETTINGS mutations_sync = 1');
  });

  test('alerts', async () => {
    const alert = {
      labels: { alertname: 'HighLoad' },
      annotations: { summary: 'high' },
      state: 'firing',
      activeAt: '1970-01-01T00:00:01.000Z',
      value: '1e+00',
    };
    expect(await data('alerts')).toEqual({ alerts: [alert] });
    const common = { health: 'ok', evaluationTime: 0.002, lastEvaluation: '1970-01-01T00:00:01.500Z' };
    expect(await data('rules')).toEqual({
      groups: [
        {
          name: 'grp',
          file: '/path/to/file',
          interval: 1,
          limit: 0,
          evaluationTime: 0.003,
          lastEvaluation: '0001-01-01T00:00:00Z',
          rules: [
            {
              ...common,
              type: 'alerting',
              name: 'HighLoad',
              query: 'up == 1',
              state: 'firing',
              duration: 60,
              keepFiringFor: 0,
              labels: { severity: 'page' },
              annotations: { summary: 'high' },
              alerts: [alert],
            },
            { ...common, type: 'recording', name: 'job:up', query: 'sum by (job) (up)', labels: {} },
          ],
        },
      ],
    });
    const names = async (query: string): Promise<string[]> =>
      ((await data(`rules?${query}`)) as { groups: { rules: { name: string }[] }[] }).groups.flatMap(({ rules }) =>
        rules.map(({ name }) => name),
      );
    expect(await names('type=alert')).toEqual(['HighLoad']);
    expect(await names('rule_name[]=job:up')).toEqual(['job:up']);
    expect(await names('rule_group[]=other')).toEqual([]);
    expect(await names(`match[]=${encodeURIComponent('{severity="page"}')}`)).toEqual(['HighLoad']);
    expect(await data('alertmanagers')).toEqual({
      activeAlertmanagers: [{ url: 'http://127.0.0.1:9093/api/v2/alerts' }],
      droppedAlertmanagers: [],
    });
  });
});

test.each([
  ['1e-7', '1e-07'],
  ['1e21', '1e+21'],
  ['123456789012345680000', '123456789012345680000'],
  ['0.1+0.2', '0.30000000000000004'],
  ['1/0', '+Inf'],
  ['-1/0', '-Inf'],
  ['0/0', 'NaN'],
  ['-0', '-0'],
])('the number %s is %s', async (query, expected) => {
  expect(await data(`query?time=0.001&query=${encodeURIComponent(query)}`)).toEqual({
    resultType: 'scalar',
    result: [0.001, expected],
  });
});

describe('what is wrong is said in Prometheus’s words', () => {
  test.each([
    ['query?query=1%2B', 400, 'bad_data', 'invalid parameter "query": 1:3: parse error'],
    ['query?query=1&time=noon', 400, 'bad_data', `invalid parameter "time": invalid time value for 'time'`],
    ['query?query=1&limit=-1', 400, 'bad_data', 'invalid parameter "limit"'],
    ['query?query=1&timeout=1x', 400, 'bad_data', 'invalid parameter "timeout"'],
    ['query?query=1&timeout=-1.5', 400, 'bad_data', 'invalid parameter "timeout": timeout must be positive, got -1.5s'],
    ['query_range?query=1&start=0&end=1&step=1&timeout=0', 400, 'bad_data', 'timeout must be positive, got 0s'],
    ['query?query=1&timeout=1e30', 400, 'bad_data', 'cannot parse "1e30" to a valid duration. It overflows int64'],
    ['query?query=1&lookback_delta=NaN', 400, 'bad_data', 'cannot parse "NaN" to a valid duration. It overflows int64'],
    ['query?query=1&time=2024-02-30T00:00:00Z', 400, 'bad_data', 'cannot parse "2024-02-30T00:00:00Z" to a valid'],
    ['query?time=0&query=label_replace(test_metric1,"foo","","","")', 422, 'execution', 'same labelset'],
    ['query_range?query=1&end=1&step=1', 400, 'bad_data', 'invalid parameter "start"'],
    ['query_range?query=1&start=0&end=1&step=0', 400, 'bad_data', 'zero or negative query resolution'],
    ['query_range?query=1&start=2&end=1&step=1', 400, 'bad_data', 'end timestamp must not be before start time'],
    ['query_range?query=1&start=0&end=11001&step=1', 400, 'bad_data', 'exceeded maximum resolution of 11,000 points'],
    ['query_range?query=test_metric1[1m]&start=0&end=1&step=1', 400, 'bad_data', 'invalid expression type'],
    ['series', 400, 'bad_data', 'no match[] parameter provided'],
    ['series?match[]={foo=""}', 400, 'bad_data', 'must contain at least one non-empty matcher'],
    ['series?match[]=1%2B', 400, 'bad_data', 'invalid parameter "match[]": 1:1: parse error: unexpected number "1"'],
    ['labels?match[]={', 400, 'bad_data', '1:2: parse error: unexpected end of input inside braces'],
    ['labels?match[]=up[5m]', 400, 'bad_data', '1:3: parse error: unexpected "["'],
    ['labels?match[]={}', 400, 'bad_data', 'match[] must contain at least one non-empty matcher'],
    ['labels?limit=x', 400, 'bad_data', 'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax'],
    ['query?query=1&lookback_delta=x', 400, 'bad_data', 'error parsing lookback delta duration: cannot parse "x"'],
    ['rules?exclude_alerts=x', 400, 'bad_data', 'strconv.ParseBool: parsing "x": invalid syntax'],
    ['rules?group_limit=x', 400, 'bad_data', 'group_limit needs to be a valid number: strconv.ParseInt: parsing "x"'],
    ['query_exemplars?query=x&start=2&end=1', 400, 'bad_data', 'end timestamp must not be before start timestamp'],
    ['rules?group_limit=2147483648', 400, 'bad_data', 'parsing "2147483648": value out of range'],
    ['label/U__/values', 400, 'bad_data', 'invalid label name: ""'],
    ['rules?type=x', 400, 'bad_data', 'not supported value'],
    ['rules?group_next_token=x', 400, 'bad_data', 'group_limit needs to be present'],
    ['metadata?limit=x', 400, 'bad_data', 'limit must be a number'],
    ['status/tsdb?limit=0', 400, 'bad_data', 'limit must be a positive number'],
  ])('%s', async (path, status, errorType, message) => {
    const [answered, body] = await get(path);
    expect([answered, body.status, body.errorType]).toEqual([status, 'error', errorType]);
    expect(body.error).toContain(message);
  });
});

test('what can be read, is', async () => {
  const at = 'query?query=test_metric2&time=200';
  const found = {
    resultType: 'vector',
    result: [{ metric: { __name__: 'test_metric2', foo: 'boo' }, value: [200, '1'] }],
  };
  for (const lookback of ['0', '-1', '5m']) expect(await data(`${at}&lookback_delta=${lookback}`)).toEqual(found);
  expect(await data(`${at}&lookback_delta=10`)).toEqual({ resultType: 'vector', result: [] });
  expect((await get('status/tsdb?limit=%2B1'))[0]).toBe(200);
  expect(await data('query?query=time()&time=2024-02-29T23:59:59.5%2B01:00')).toEqual({
    resultType: 'scalar',
    result: [1709247599.5, '1709247599.5'],
  });
  const { result } = (await data('query_range?query=vector(1)&start=0&end=11000&step=1')) as {
    result: { values: unknown[] }[];
  };
  expect(result[0]?.values).toHaveLength(11_001);
});

test('a query may look at when counters began', async () => {
  const asked = (value: string) =>
    get('query?query=start_timestamp(test_metric2)&time=60', {
      headers: { 'X-Prometheus-Use-Start-Timestamps': value, 'x-experimental': '' },
    });
  const [status, { error }] = await asked('x');
  expect([status, error]).toEqual([
    400,
    'error parsing X-Prometheus-Use-Start-Timestamps header: strconv.ParseBool: parsing "x": invalid syntax',
  ]);
  expect((await asked('false'))[1].data).toMatchObject({ result: [] });
  expect((await asked('true'))[1].data).toMatchObject({ result: [{}] });
});

test('remarks come along, and cut lists say so', async () => {
  const [, cut] = await get('query?query=test_metric4&time=0&limit=2');
  expect((cut.data as { result: unknown[] }).result).toHaveLength(2);
  expect(cut.warnings).toEqual(['results truncated due to limit']);
  const [, info] = await get('query?query=rate(test_metric1[5m])&time=300');
  expect(info.infos).toEqual([expect.stringContaining('metric might not be a counter')]);
  expect(info).not.toHaveProperty('warnings');
});

test('printing and taking apart', async () => {
  expect(await data('format_query?query=foo%2Fbar')).toBe('foo / bar');
  expect(await data(`parse_query?query=${encodeURIComponent('sum by (a) (rate(x{b="c"}[5m] offset 1m))')}`)).toEqual({
    type: 'aggregation',
    op: 'sum',
    param: null,
    grouping: ['a'],
    without: false,
    expr: {
      type: 'call',
      func: { name: 'rate', argTypes: ['matrix'], variadic: 0, returnType: 'vector' },
      args: [
        {
          type: 'matrixSelector',
          name: 'x',
          range: 300_000,
          rangeExpr: null,
          offset: 60_000,
          offsetExpr: null,
          matchers: [
            { name: 'b', value: 'c', type: '=' },
            { name: '__name__', value: 'x', type: '=' },
          ],
          timestamp: null,
          startOrEnd: null,
          anchored: false,
          smoothed: false,
        },
      ],
    },
  });
});

test.each([
  ['1e-7', '0.0000001'],
  ['1e21', '1000000000000000000000'],
  ['-Inf', '-Inf'],
  ['5m', '300'],
])('a number taken apart has no exponent: %s', async (query, val) => {
  expect(await data(`parse_query?query=${query}`)).toMatchObject({ type: 'numberLiteral', val });
});

test('statistics, when asked for', async () => {
  const { stats } = (await data('query?query=test_metric2&time=0&stats=true')) as { stats: unknown };
  expect(stats).toEqual({
    timings: {
      evalTotalTime: expect.any(Number),
      resultSortTime: expect.any(Number),
      queryPreparationTime: expect.any(Number),
      innerEvalTime: expect.any(Number),
      execQueueTime: expect.any(Number),
      execTotalTime: expect.any(Number),
    },
    samples: { totalQueryableSamples: 1, samplesRead: 1, seriesTouched: 1, peakSamples: 1 },
  });
  expect(await data('query?query=test_metric2&time=0')).not.toHaveProperty('stats');
});

test('its features, by the names that Prometheus has for them', async () => {
  expect(await data('features')).toMatchObject({
    api: { exclude_alerts: true, admin: false },
    promql: { at_modifier: true, fill: false, unquoted_utf8_names: false },
    promql_functions: { rate: true, info: false },
    promql_operators: { '>=': true, atan2: true, sum: true, limitk: false },
  });
  const response = await fetch(`${base}/api/v1/features`, { headers: { 'x-experimental': '1' } });
  expect(((await response.json()) as { data: unknown }).data).toMatchObject({
    promql: { fill: true, anchored: true },
    promql_functions: { info: true },
    promql_operators: { limitk: true },
  });
  expect(await data('notifications')).toEqual([]);
});

test('its state', async () => {
  expect(await data('status/flags')).toEqual({ port: '4319' });
  expect(await data('status/config')).toEqual({ yaml: 'port: "4319"\n' });
  expect(await data('status/runtimeinfo')).toMatchObject({
    storageRetention: '7d',
    startTime: '1970-01-01T00:00:01.000Z',
  });
  expect(await data('status/tsdb')).toMatchObject({ headStats: { numSeries: 0 }, seriesCountByMetricName: [] });
  // Samples of 1970 and of no other time: a ULID of its beginning.
  const stats = { numSamples: 1_010, numFloatSamples: 1_010, numHistogramSamples: 0, numSeries: 10 };
  const ulid = '0'.repeat(26);
  expect(await data('status/tsdb/blocks')).toEqual({
    blocks: [
      {
        ulid,
        minTime: 0,
        maxTime: 21_600_000,
        stats,
        compaction: { level: expect.any(Number) as number, sources: [ulid] },
        version: 1,
      },
    ],
  });
  expect(await data('targets?scrapePool=none')).toEqual({
    activeTargets: [],
    droppedTargets: [],
    droppedTargetCounts: { idle: 0, shop: 0 },
  });
});

test('what is scraped, and what relabelling makes of it', async () => {
  const data = async (path: string) => (await get(path))[1].data;
  const problem = async (path: string) => (await get(path))[1].error;
  expect(await data('status/walreplay')).toEqual({ min: 0, max: 0, current: 0 });
  expect(await data('scrape_pools')).toEqual({ scrapePools: ['idle', 'shop'] });
  expect(await data('targets?state=dropped')).toMatchObject({ droppedTargetCounts: { idle: 0, shop: 0 } });
  const asked = (name: string, own: string) =>
    `targets/relabel_steps?scrapePool=${name}&labels=${encodeURIComponent(own)}`;
  // What Prometheus 3.16 answers.
  expect(await data(asked('shop', '{"__address__":"a"}'))).toEqual({
    steps: [
      {
        rule: { source_labels: ['__address__'], separator: ';', regex: '.*', replacement: '$1', action: 'drop' },
        output: {},
        keep: false,
      },
    ],
  });
  expect(await data('scrape_pools/config?scrapePool=shop')).toEqual({ yaml: 'job_name: shop\n' });
  expect(await problem('scrape_pools/config')).toBe('no scrapePool parameter provided');
  expect(await problem('scrape_pools/config?scrapePool=x')).toBe(
    'error retrieving scrape config: scrape pool "x" not found',
  );
  expect(await problem('targets/relabel_steps')).toBe('no scrapePool parameter provided');
  expect(await problem('targets/relabel_steps?scrapePool=shop')).toBe('no labels parameter provided');
  expect(await problem(asked('nope', '{}'))).toBe('error retrieving scrape config: scrape pool "nope" not found');
  for (const wrong of ['[', '[{}]', '{"a":1}', 'null']) {
    expect(await problem(asked('shop', wrong))).toMatch(/^error parsing labels: /);
  }
});

test('who may ask, how, and where', async () => {
  const answer = async (path: string, init?: RequestInit): Promise<[number, string | null]> => {
    const response = await fetch(`${base}${path}`, init);
    await response.arrayBuffer();
    return [response.status, response.headers.get('access-control-allow-origin')];
  };
  expect(await answer('/-/ready')).toEqual([200, null]);
  expect(await answer('/prometheus/-/healthy')).toEqual([200, null]);
  expect(await answer('/prometheus/api/v1/query?query=1')).toEqual([200, null]);
  expect(await answer('/api/v1/query?query=1', { method: 'DELETE' })).toEqual([405, null]);
  expect(await answer('/api/v1/write', { method: 'POST' })).toEqual([418, null]);
  expect(await answer('/api/v1/query?query=1', { headers: { origin: 'https://evil.example' } })).toEqual([400, null]);
  const grafana = { headers: { origin: 'https://grafana.example' } };
  expect(await answer('/api/v1/query?query=1', grafana)).toEqual([200, 'https://grafana.example']);
  expect(await answer('/api/v1/query', { method: 'OPTIONS', ...grafana })).toEqual([204, 'https://grafana.example']);
});

// What Prometheus 3.16 answers to the same.
test.each([
  ['DELETE', '/api/v1/query', 405, 'GET, OPTIONS, POST', 'Method Not Allowed\n'],
  ['HEAD', '/api/v1/query?query=1', 405, 'GET, OPTIONS, POST', ''],
  ['HEAD', '/api/v1/metadata', 405, 'GET, OPTIONS', ''],
  ['HEAD', '/federate', 405, 'GET, OPTIONS', ''],
  ['GET', '/api/v1/read', 405, 'OPTIONS, POST', 'Method Not Allowed\n'],
  ['HEAD', '/-/ready', 200, null, ''],
  ['POST', '/-/ready', 405, 'GET, HEAD, OPTIONS', 'Method Not Allowed\n'],
])('%s %s is answered with %i', async (method, path, status, allow, body) => {
  const response = await fetch(`${base}${path}`, { method });
  expect([response.status, response.headers.get('allow'), await response.text()]).toEqual([status, allow, body]);
});

describe('parameters are read as Go does', () => {
  const parts = (...fields: string[][]): RequestInit => {
    const body = new FormData();
    for (const [name = '', value = ''] of fields) body.append(name, value);
    return { method: 'POST', body };
  };
  const form = (body: string, type = 'application/x-www-form-urlencoded'): RequestInit => {
    return { method: 'POST', body, headers: { 'content-type': type } };
  };
  const file = new FormData();
  file.append('query', new Blob(['1']), 'f');
  const none = 'invalid parameter "query": unknown position: parse error: no expression found in input';
  const cut = '--x\r\ncontent-disposition: form-data; name="query"\r\n\r\n1\r\n';
  const strictly = 'error parsing form values: ';
  const tooMany = 'number of URL query parameters exceeded limit';

  // What Prometheus 3.16 answers to the same: values of scalars, or errors.
  test.each<[path: string, init: RequestInit | undefined, expected: string]>([
    ['query?query=1&x=%zz', undefined, '1'],
    ['query?query=1&%', undefined, '1'],
    ['query?query=%zz', undefined, none],
    ['query?query=1;time=0', undefined, none],
    ['query?query=1&a;b=0', undefined, '1'],
    ['query?query=1+%2B+1&;', undefined, '2'],
    ['query?x=%zz', form('query=1'), '1'],
    ['query?query=2', form('query=1'), '1'],
    ['query', form('query=1&x=%zz', 'application/x-www-form-urlencoded; charset=utf-8'), '1'],
    ['query', form('query=1;x'), none],
    ['query', parts(['query', '1']), '1'],
    ['query?query=2', parts(['query', '1']), '2'],
    ['query?query=1', form('{}', 'application/json'), '1'],
    ['query', { method: 'POST', body: file }, none],
    ['query', form('query=1', 'multipart/form-data'), none],
    ['query', form('query=1', 'multipart/form-data; boundary=x'), none],
    ['query', form(cut, 'multipart/form-data; boundary=x'), none],
    ['query', form(`${cut}--x--\r\n`, 'multipart/mixed; boundary=x'), none],
    ['series?match[]=up&x=%zz', undefined, `${strictly}invalid URL escape "%zz"`],
    ['series?match[]=up&%z=1', undefined, `${strictly}invalid URL escape "%z"`],
    ['series?match[]=up&x=%zz&y=;', undefined, `${strictly}invalid semicolon separator in query`],
    ['series?match[]=up&x=%z', undefined, `${strictly}invalid URL escape "%z"`],
    ['series?match[]=up&x;y=%zz', undefined, `${strictly}invalid semicolon separator in query`],
    ['series?x;y', form('match[]=up&x=%zz'), `${strictly}invalid URL escape "%zz"`],
    ['series', parts(['match[]', 'up']), 'no match[] parameter provided'],
    ['rules?x=%zz', undefined, `${strictly}invalid URL escape "%zz"`],
    ['labels?x=%zz', undefined, 'success'],
  ])('%s %o', async (path, init, expected) => {
    const response = await fetch(`${base}/api/v1/${path}`, init);
    const answer = (await response.json()) as { status: string; error?: string; data?: { result?: unknown[] } };
    expect(answer.error ?? answer.data?.result?.[1] ?? answer.status).toBe(expected);
  });

  const inParts = (count: number): string => {
    const part = (name: string): string => `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n1\r\n`;
    return `${part('query')}${part('a').repeat(count - 1)}--x--\r\n`;
  };

  // Go's limits: what is over one is left out whole.
  test.each<[what: string, path: string, init: RequestInit, expected: string]>([
    ['10,000 pairs, all but one empty', 'query', form(`query=1${'&'.repeat(9_999)}`), '1'],
    ['10,001', 'query?query=2', form(`query=1${'&'.repeat(10_000)}`), '2'],
    ['10,001, said', 'series', form(`match[]=up${'&'.repeat(10_000)}`), `${strictly}${tooMany}`],
    ['1,000 parts', 'query', form(inParts(1_000), 'Multipart/Form-Data ; a=b; boundary="x"'), '1'],
    ['1,001', 'query', form(inParts(1_001), 'multipart/form-data; boundary=x'), none],
  ])('%s', async (_, path, init, expected) => {
    const response = await fetch(`${base}/api/v1/${path}`, init);
    const answer = (await response.json()) as { error?: string; data?: { result?: unknown[] } };
    expect(answer.error ?? answer.data?.result?.[1]).toBe(expected);
  });

  test('/federate?match[]=up;x', async () => {
    const response = await fetch(`${base}/federate?match[]=up;x`);
    expect([response.status, await response.text()]).toEqual([
      400,
      `${strictly}invalid semicolon separator in query\n`,
    ]);
  });
});

test('large answers are streamed, and compressed for those who take that', async () => {
  const path = `${base}/api/v1/query_range?query=vector(1)&start=0&end=10999&step=1`;
  for (const encoding of ['identity', 'gzip']) {
    // Raw bytes: fetch would undo the compression.
    const { request } = await import('node:http');
    const [headers, body] = await new Promise<[Record<string, unknown>, Buffer]>((resolve, reject) => {
      request(path, { headers: { 'accept-encoding': encoding } }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve([response.headers, Buffer.concat(chunks)]));
      })
        .on('error', reject)
        .end();
    });
    expect(headers['content-encoding']).toBe(encoding === 'gzip' ? 'gzip' : undefined);
    const text = (encoding === 'gzip' ? gunzipSync(body) : body).toString();
    const parsed = JSON.parse(text) as { data: { result: { values: unknown[] }[] } };
    expect(parsed.data.result[0]?.values).toHaveLength(11_000);
  }
});

interface HttpCase {
  endpoint: string;
  source: string;
  query?: Record<string, string[]>;
  path_params?: { name: string };
  response?: unknown;
  response_json?: unknown;
  responseLen?: number;
  error_type?: string;
  warningsCount?: number;
}

const paths: Readonly<Record<string, string>> = {
  query: 'query',
  queryRange: 'query_range',
  series: 'series',
  labelNames: 'labels',
  labelValues: 'label',
  alerts: 'alerts',
  rules: 'rules',
  queryExemplars: 'query_exemplars',
};

describe.skipIf(!existsSync(file))('cases of Prometheus’s own tests', () => {
  const { cases, error_types: errorTypes } = (
    existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { cases: [], error_types: {} }
  ) as { cases: HttpCase[]; error_types: Record<string, string> };
  // The others need targets, rules, metadata or exemplars that only their own test has.
  const runnable = cases.filter(
    ({ endpoint, response_json, response, responseLen, error_type, path_params, query }) =>
      ['query', 'queryRange', 'series', 'labelNames', 'labelValues'].includes(endpoint) &&
      typeof (path_params?.name ?? '') === 'string' &&
      (error_type !== undefined ||
        response_json !== undefined ||
        Array.isArray(response) ||
        responseLen !== undefined) &&
      !JSON.stringify(query ?? {}).includes('$'),
  );
  test('are there', () => expect(runnable.length).toBeGreaterThan(20));

  test.each(
    runnable.map((one) => [`${one.endpoint} ${JSON.stringify(one.query ?? {})} (${one.source})`, one] as const),
  )('%s', async (_, one) => {
    const parameters = new URLSearchParams();
    for (const [name, values] of Object.entries(one.query ?? {}))
      for (const value of values) parameters.append(name, value);
    const path = one.path_params === undefined ? '' : `/${encodeURIComponent(one.path_params.name)}/values`;
    const [, body] = await get(`${paths[one.endpoint]}${path}?${parameters}`);
    if (one.error_type !== undefined) {
      expect(body.errorType).toBe(errorTypes[one.error_type]);
      return;
    }
    expect(body.status).toBe('success');
    if (one.response_json !== undefined) expect(body.data).toEqual(one.response_json);
    if (Array.isArray(one.response)) expect(body.data).toEqual(one.response);
    if (one.responseLen !== undefined) expect(body.data).toHaveLength(one.responseLen);
    if (one.warningsCount !== undefined) expect(body.warnings ?? []).toHaveLength(one.warningsCount);
  });
});

// The cases above count what there is: whatever adds to it comes behind them.
test('what is known of the metrics of each target', async () => {
  await storage.add([
    { labels: labels({ __name__: 'known_one', job: 'shop', instance: 'a:1' }), samples: [{ timeMs: now, value: 1 }] },
    { labels: labels({ __name__: 'known_two', job: 'shop', instance: 'b:1' }), samples: [{ timeMs: now, value: 1 }] },
  ]);
  const data = async (parameters: string) => (await get(`targets/metadata${parameters}`))[1].data;
  const target = { job: 'shop', instance: 'a:1' };
  expect(await data('')).toEqual([{ target, metric: 'known_one', type: 'gauge', help: '', unit: '' }]);
  expect(await data('?metric=known_one')).toEqual([{ target, type: 'gauge', help: '', unit: '' }]);
  for (const none of ['?limit=0', '?metric=known_two', '?match_target={job!="shop"}'])
    expect(await data(none)).toEqual([]);
  expect((await get('targets/metadata?limit=x'))[1].error).toBe('limit must be a number');
  expect((await get('targets/metadata?match_target=x{'))[1].error).toBe(
    'invalid parameter "match_target": 1:3: parse error: unexpected end of input inside braces',
  );
});

test('/federate gives the newest samples, errors as text', async () => {
  await storage.add([
    {
      labels: labels({ __name__: 'fed', job: 'a' }),
      samples: [now - 400_000, now - 5_000].map((timeMs) => ({ timeMs, value: timeMs })),
    },
    { labels: labels({ __name__: 'fed', job: 'old' }), samples: [{ timeMs: now - 400_000, value: 1 }] },
  ]);
  const ask = async (search: string, method = 'GET') => {
    const response = await fetch(`${base}/federate${search}`, { method });
    return [response.status, response.headers.get('content-type'), await response.text()];
  };
  const type = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';
  const time = now - 5_000;
  const line = `fed{job="a",instance=""} ${(time / 1e12).toString()}e+12 ${time}`;
  expect(await ask('?match[]=fed&match[]={job="a"}')).toEqual([200, type, `# TYPE fed untyped\n${line}\n`]);
  expect(await ask('')).toEqual([200, type, '']);
  expect(await ask('?match[]={')).toEqual([
    400,
    'text/plain; charset=utf-8',
    '1:2: parse error: unexpected end of input inside braces\n',
  ]);
  expect((await ask('', 'POST'))[0]).toBe(405);
  const prefixed = await fetch(`${base}/prometheus/federate?match[]=fed`);
  expect(await prefixed.text()).toContain(line);
});

test('/federate gives protobuf, with histograms of all kinds, to those who want it most', async () => {
  await storage.add(
    ['{{schema:1 count:7 sum:5 z_bucket:1 z_bucket_w:0.5 buckets:[1 0 2] n_buckets:[3]}}', '2'].map((value, index) => {
      const [sample] = parseSeriesDescription(`fed_${index} ${value}`).values;
      return {
        labels: labels({ __name__: `fed_${index}`, 'a.b': 'ä' }),
        samples: sample !== undefined && 'value' in sample ? [{ timeMs: now - 1_000, value: sample.value }] : [],
      };
    }),
  );
  const ask = async (weight: number, escaping = '') => {
    const accept = `text/plain;q=0.5, application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited${escaping};q=${weight}`;
    const response = await fetch(`${base}/federate?match[]={"a.b"="ä"}`, { headers: { accept } });
    return [response.headers.get('content-type') ?? '', new Uint8Array(await response.arrayBuffer())] as const;
  };
  const [type, bytes] = await ask(0.6, ';escaping=allow-utf-8');
  expect(type).toBe(
    'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=allow-utf-8',
  );
  const common = { timeMs: now - 1_000, startMs: null, exemplars: [] };
  const own = [
    ['a.b', 'ä'],
    ['instance', ''],
  ];
  const histogram = {
    schema: 1,
    count: 7,
    sum: 5,
    zeroCount: 1,
    zeroThreshold: 0.5,
    customValues: [],
    negative: { spans: [{ offset: 0, length: 1 }], deltas: [], counts: [3] },
  };
  expect(decodeExposition(bytes, { native: true, classicToo: false }).samples).toEqual([
    { ...common, name: 'fed_0', labels: own, value: expect.objectContaining(histogram) as unknown },
    { ...common, name: 'fed_1', labels: own, value: 2 },
  ]);
  const escaped = decodeExposition((await ask(0.6))[1], { native: true, classicToo: false }).samples;
  expect(escaped.map(({ labels: [first] }) => first)).toEqual([
    ['a_b', 'ä'],
    ['a_b', 'ä'],
  ]);
  const [text, lines] = await ask(0.4);
  expect(text).toMatch(/^text\/plain/);
  expect(Buffer.from(lines).toString()).not.toContain('fed_0');
});

test('a histogram', async () => {
  await load('native {{schema:0 count:4 sum:5 z_bucket:1 z_bucket_w:0.5 buckets:[1 0 2]}}');
  const histogram = {
    count: '4',
    sum: '5',
    buckets: [
      [3, '-0.5', '0.5', '1'],
      [0, '0.5', '1', '1'],
      [0, '2', '4', '2'],
    ],
  };
  expect(await data('query?query=native&time=0')).toEqual({
    resultType: 'vector',
    result: [{ metric: { __name__: 'native' }, histogram: [0, histogram] }],
  });
  expect(await data('query?query=native[1m]&time=0')).toEqual({
    resultType: 'matrix',
    result: [{ metric: { __name__: 'native' }, histograms: [[0, histogram]] }],
  });
});
