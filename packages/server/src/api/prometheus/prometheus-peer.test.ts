import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyValues } from '../../query/promql-store/testing/otlp-store.ts';
import { BesidePrometheus } from './testing/beside-prometheus.ts';
import { PeerPrometheus, prometheusProgram } from './testing/peer-prometheus.ts';

const durationSeconds = 1_800;
const t0 = Math.floor(Date.now() / 1000) - durationSeconds;
const nanos = (seconds: number): string => String(BigInt(t0 + seconds) * 1_000_000_000n);

const resources: readonly Record<string, unknown>[] = [
  {
    'service.name': 'web',
    'service.namespace': 'shop',
    'service.instance.id': 'a',
    'host.name': 'h1',
    'a.b': 'x',
    a_b: 'y',
  },
  { 'service.name': 'web', 'service.namespace': 'shop', 'service.instance.id': 'b', 'k8s.pod/name': 'p' },
  { 'service.name': 'solo' },
  { 'host.name': 'nojob' },
];
const list = { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '2' }, { doubleValue: 1.5 }] } };
const attributes = { code: 200, ok: true, ratio: 0.25, _x: 'u', __y: 'v', '3d': 'q', größe: 'g', list, empty: '' };

/** What a resource sends at a time. */
function metricsAt(t: number, i: number): object[] {
  const at = { startTimeUnixNano: nanos(0), timeUnixNano: nanos(t) };
  const sum = (isMonotonic: boolean, dataPoints: object[]): object => ({
    aggregationTemporality: 2,
    isMonotonic,
    dataPoints,
  });
  const requests = ['GET', 'POST'].map((method, k) => ({
    ...at,
    asInt: String(t * (k + 1 + i * 3)),
    attributes: keyValues({ 'http.method': method, ...attributes }),
  }));
  const ended = t > 900 && t < 1_100 ? { flags: 1 } : {};
  return [
    { name: 'http.server.requests', unit: '{request}', sum: sum(true, requests) },
    { name: 'queue.size', unit: '1', gauge: { dataPoints: [{ ...at, asDouble: Math.sin(t / 100 + i) }] } },
    { name: 'temp', unit: 'Cel', gauge: { dataPoints: [{ ...at, asDouble: 20 + i, ...ended }] } },
    { name: 'mem.used', unit: 'By', sum: sum(false, [{ ...at, asInt: String(1_000 + t) }]) },
    { name: 'io.rate', unit: 'By/s', gauge: { dataPoints: [{ ...at, asDouble: 1e-7 * t }] } },
    {
      name: 'latency',
      unit: 's',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          {
            ...at,
            count: String(10 * t + 6),
            sum: t * 1.5,
            bucketCounts: [3 * t + 1, 2 * t, 4 * t + 2, t + 3].map(String),
            explicitBounds: [0.005, 0.1, 2.5],
          },
        ],
      },
    },
    {
      name: 'expo',
      unit: 'ms',
      exponentialHistogram: {
        aggregationTemporality: 2,
        dataPoints: [
          {
            ...at,
            count: String(6 * t + 3),
            sum: t * 2,
            scale: i === 1 ? 10 : 2,
            zeroCount: String(t),
            positive: { offset: -2, bucketCounts: [t + 1, 0, 2 * t + 1].map(String) },
            negative: { offset: 1, bucketCounts: [String(2 * t + 1)] },
          },
        ],
      },
    },
    {
      name: 'pause',
      unit: 's',
      summary: {
        dataPoints: [{ ...at, count: String(t), sum: t * 3, quantileValues: [{ quantile: 0.5, value: 0.2 }] }],
      },
    },
  ];
}

const selectors = [
  'http_server_requests_total',
  'queue_size_ratio',
  'temp_celsius',
  'mem_used_bytes',
  'io_rate_bytes_per_second',
  'latency_seconds_bucket',
  'latency_seconds_sum',
  'latency_seconds_count',
  'expo_milliseconds',
  'pause_seconds',
  'pause_seconds_sum',
  'target_info',
  '{job="shop/web"}',
  '{__name__=~"latency.*",le!=""}',
  '{job!~"s.*",__name__=~"m.+"}',
  'http_server_requests_total{http_method=~"G.T|X",code="200"}',
];
const range = { start: String(t0), end: String(t0 + durationSeconds), step: '37' };
const at = (seconds: number): { time: string } => ({ time: String(t0 + seconds) });
const requests: [path: string, parameters: Record<string, string>][] = [
  ['series', { 'match[]': '{__name__=~".+"}', start: range.start, end: range.end }],
  ['labels', { start: range.start, end: range.end }],
  ...['__name__', 'le', 'quantile', 'job', 'instance', 'key_x', 'host_name'].map(
    (name): [string, Record<string, string>] => [`label/${name}/values`, { start: range.start, end: range.end }],
  ),
  ...selectors.flatMap((query): [string, Record<string, string>][] => [
    ['query_range', { query, ...range }],
    ['query', { query, ...at(950) }],
    ['query', { query, ...at(1_799) }],
    ['query', { query: `${query}[2m]`, ...at(700) }],
    ['query_range', { query: `sum by (job, le) (rate(${query}[3m]))`, ...range }],
    ['query_range', { query: `max_over_time(${query}[4m])`, ...range }],
  ]),
  ...[
    'histogram_quantile(0.9, sum by (le, job) (rate(latency_seconds_bucket[5m])))',
    'histogram_quantile(0.5, rate(expo_milliseconds[5m]))',
    'rate(http_server_requests_total[5m]) * on (job, instance) group_left (host_name) target_info',
    'absent(nope)',
  ].map((query): [string, Record<string, string>] => ['query_range', { query, ...range }]),
  ['query', { query: '1 +' }],
  ['query', { query: '1', time: 'x' }],
  ['query_range', { query: '1', start: '0', end: '1', step: '0' }],
  ['query_range', { query: '1', start: '0', end: '99999999', step: '1' }],
  ['query_range', { query: '1', start: '0', end: '11000', step: '1' }],
  ['query_range', { query: '1', start: '0', end: '11001', step: '1' }],
  ['query_range', { query: '1', start: '0', end: '1', step: 'NaN' }],
  ...['0', '-1', '-61.5', '1e30', 'x', '1m'].map((timeout): [string, Record<string, string>] => [
    'query',
    { query: '1', timeout, ...at(0) },
  ]),
  ...['0', '-5s', '1e30', 'x', '1m'].map((lookback_delta): [string, Record<string, string>] => [
    'query',
    { query: 'queue_size_ratio', lookback_delta, ...at(950) },
  ]),
  ...['2024-02-30T00:00:00Z', '2024-02-29T24:00:00Z', '2024-02-29T00:00:00.1234567+02:00', '-1.5'].map(
    (time): [string, Record<string, string>] => ['query', { query: 'time()', time }],
  ),
  ['query', { query: 'queue_size_ratio', ...at(950), limit: '99999999999999999999' }],
  ['labels', { ...range, limit: '2' }],
  ['label/U__/values', {}],
  ['query_exemplars', { query: 'up', start: 'x' }],
  ['query_exemplars', { query: 'a b' }],
  ['format_query', { query: 'sum by(a)(rate(b[5m]))' }],
  ['parse_query', { query: 'sum by(a)(rate(b[5m])) > bool on (c) group_left (d) -1' }],
  ['targets', { state: 'dropped' }],
  ['scrape_pools', {}],
  ['status/walreplay', {}],
  ['status/tsdb', { limit: '10001' }],
  ['series', {}],
  ['series', { 'match[]': '{a=""}' }],
  ['query_exemplars', { query: '1', start: '3', end: '1' }],
  ['rules', { type: 'x' }],
  ['rules', { group_limit: '2147483648' }],
  ['rules', { exclude_alerts: 'TRUE' }],
  ['rules', { exclude_alerts: 'yes' }],
];

/** Sends the same OTLP to both, and compares what they answer. */
describe.skipIf(prometheusProgram === undefined)('beside the Prometheus that SIGNALBOX_PROMETHEUS names', () => {
  let both: BesidePrometheus;

  beforeAll(async () => {
    both = await BesidePrometheus.start(prometheusProgram ?? '');
    // One time after the other, since Prometheus makes target_info of each request as a whole.
    for (let t = 0; t <= durationSeconds; t += 15) {
      for (const [i, resource] of resources.entries()) await both.send(resource, metricsAt(t, i));
    }
  }, 300_000);

  afterAll(() => both?.stop());

  test.each(requests)('%s %o', async (path, parameters) => {
    const [own, theirs] = await both.ask(path, parameters);
    expect(own).toEqual(theirs);
  });

  describe('and one that reads from us', () => {
    let reader: PeerPrometheus;

    beforeAll(async () => {
      const [own] = both.bases();
      const configuration = `remote_read: [{ url: ${own}/api/v1/read, read_recent: true }]\n`;
      reader = await PeerPrometheus.start(prometheusProgram ?? '', configuration);
    }, 30_000);

    afterAll(() => reader?.stop());

    test.each(
      requests.filter(
        ([path, { query = '' }]) => path.startsWith('query') && selectors.some((one) => query.includes(one)),
      ),
    )('%s %o', async (path, parameters) => {
      const [own, theirs] = await both.ask(path, parameters, reader);
      expect(own).toEqual(theirs);
    });

    test('has read chunks', async () => {
      const told = await (await fetch(`${reader.base}/metrics`)).text();
      const counts = [...told.matchAll(/^prometheus_remote_read_client_queries_total\{(.*)\} (\d+)$/gm)];
      expect(counts).not.toEqual([]);
      for (const [, labels] of counts) expect(labels).toMatch(/code="200".*response_type="chunked"/);
    });
  });

  test.each([
    ['allow-utf-8', ['{__name__=~".+"}']],
    ['underscores', ['expo_milliseconds', 'latency_seconds_bucket', 'target_info']],
    ['underscores', ['nothing']],
  ])('/federate in protobuf with %s: %o', async (escaping, selectors) => {
    const accept = `text/plain;q=0.4,application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=${escaping};q=0.6`;
    const [own, theirs] = await both.federateProtobuf(selectors, accept);
    expect(own).toEqual(theirs);
  });

  test.each([
    [['{__name__=~".+"}'], 'text/plain;version=0.0.4;escaping=allow-utf-8;q=0.5,*/*;q=0.1'],
    [['latency_seconds_bucket{le="0.1"}', '{job="shop/web"}', 'target_info'], '*/*'],
    [['{x=""}'], ''],
    [['nothing'], ''],
    [[], ''],
    [['up{'], ''],
  ])('/federate %o, for those who take %s', async (selectors, accept) => {
    const [own, theirs] = await both.federate(selectors, accept);
    expect(own).toEqual(theirs);
  });
});
