import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { log2Bucket, log2Quantile } from '../../query/traceql/metrics/series-collector.ts';
import { QueryRegistry } from '../query-registry.ts';
import { TraceStore } from '../testing/trace-store.ts';
import type { QueryInstantResponse, QueryRangeResponse } from './metrics-response.ts';
import { createTempoApi } from './tempo-api.ts';

const bugs: unknown[] = [];
afterEach(() => expect(bugs.splice(0)).toEqual([]));

/** A whole minute, seconds since 1970. */
const start = Math.floor(Date.now() / 60_000 - 30) * 60;

interface TestSpan {
  trace: number;
  id: number;
  parent?: number;
  /** Seconds after `start`. */
  at: number;
  ms: number;
  service: string;
  status?: number;
  attributes?: object[];
}

const kb = (value: number): object => ({ key: 'kb', value: { intValue: `${value}` } });
const route = (value: string): object => ({ key: 'route', value: { stringValue: value } });

/** Steps are of 60 s and right-closed: a span at exactly 60 belongs to the first. */
const spans: TestSpan[] = [
  { trace: 1, id: 1, at: 1, ms: 100, service: 'shop', attributes: [kb(4), route('/a')] },
  { trace: 1, id: 2, parent: 1, at: 2, ms: 50, service: 'db', attributes: [kb(8)] },
  { trace: 2, id: 3, at: 60, ms: 300, service: 'shop', status: 2, attributes: [kb(16), route('/b')] },
  { trace: 3, id: 4, at: 61, ms: 1000, service: 'shop', attributes: [route('/a')] },
  { trace: 3, id: 5, parent: 4, at: 170, ms: 2, service: 'db', attributes: [kb(1)] },
];

function request(): object {
  return {
    resourceSpans: spans.map(({ trace, id, parent, at, ms, service, status = 0, attributes = [] }) => ({
      resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId: `${trace}`.padStart(32, '0'),
              spanId: `${id}`.padStart(16, '0'),
              parentSpanId: parent === undefined ? '' : `${parent}`.padStart(16, '0'),
              name: `span ${id}`,
              startTimeUnixNano: `${start + at}000000000`,
              endTimeUnixNano: String(BigInt(start + at) * 1_000_000_000n + BigInt(ms) * 1_000_000n),
              attributes,
              status: { code: status },
            },
          ],
        },
      ],
    })),
  };
}

describe('TraceQL metrics over the store', () => {
  let store: TraceStore;

  /** Values by the text of the labels; null: there is no sample. */
  async function range(q: string, parameters: Record<string, string> = {}): Promise<Record<string, (number | null)[]>> {
    const response = await rangeResponse(q, parameters);
    return Object.fromEntries(
      response.series.map(({ labels, samples }) => [
        labels.map(({ key, value }) => `${key}=${Object.values(value)[0]}`).join(','),
        [60, 120, 180].map(
          (at) => samples.find(({ timestampMs }) => timestampMs === `${start + at}000`)?.value ?? null,
        ),
      ]),
    );
  }

  async function rangeResponse(q: string, parameters: Record<string, string> = {}): Promise<QueryRangeResponse> {
    const search = new URLSearchParams({ q, start: `${start}`, end: `${start + 180}`, step: '60s', ...parameters });
    return (await store.json(`/api/metrics/query_range?${search}`)) as QueryRangeResponse;
  }

  beforeAll(async () => {
    store = await TraceStore.open(({ connection }) =>
      createTempoApi({
        connection,
        registry: new QueryRegistry(),
        maxExecutionMs: 20_000,
        allowedHosts: [],
        version: 'test',
        onError: (error) => bugs.push(error),
      }),
    );
    await store.insert(request());
  });
  afterAll(() => store.close());

  const cases: [string, Record<string, (number | null)[]>][] = [
    ['{} | count_over_time()', { '__name__=count_over_time': [3, 1, 1] }],
    ['{} | rate()', { '__name__=rate': [3 / 60, 1 / 60, 1 / 60] }],
    ['{ false } | count_over_time()', { '__name__=count_over_time': [0, 0, 0] }],
    [
      '{} | count_over_time() by (resource.service.name)',
      { 'resource.service.name=shop': [2, 1, 0], 'resource.service.name=db': [1, 0, 1] },
    ],
    [
      '{} | count_over_time() by (span.route)',
      { 'span.route=/a': [1, 1, 0], 'span.route=/b': [1, 0, 0], 'span.route=nil': [1, 0, 1] },
    ],
    ['{ status = error } | count_over_time() by (status)', { 'status=error': [1, 0, 0] }],
    ['{} | min_over_time(duration)', { '__name__=min_over_time': [0.05, 1, 0.002] }],
    ['{} | max_over_time(span.kb)', { '__name__=max_over_time': [16, null, 1] }],
    ['{} | sum_over_time(span.kb)', { '__name__=sum_over_time': [28, null, 1] }],
    [
      '{} | avg_over_time(span.kb) by (resource.service.name)',
      { 'resource.service.name=shop': [10, null, null], 'resource.service.name=db': [8, null, 1] },
    ],
    // Buckets are powers of two: 4 → 4, 8 → 8, 16 → 16, and 1 has none.
    [
      '{} | histogram_over_time(span.kb)',
      { '__bucket=4': [1, 0, 0], '__bucket=8': [1, 0, 0], '__bucket=16': [1, 0, 0] },
    ],
    ['{} | quantile_over_time(span.kb, 0.5, 1)', { 'p=0.5': [8, 0, 0], 'p=1': [16, 0, 0] }],
    [
      '{} | count_over_time() by (resource.service.name) | topk(1)',
      { 'resource.service.name=shop': [2, 1, null], 'resource.service.name=db': [null, null, 1] },
    ],
    // Of equal ones, topk takes the first name and bottomk the last.
    [
      '{} | count_over_time() by (name) | topk(1)',
      { 'name=span 1': [1, null, null], 'name=span 4': [null, 1, null], 'name=span 5': [null, null, 1] },
    ],
    ['{} | count_over_time() by (name) | bottomk(1)', { 'name=span 5': [0, 0, null], 'name=span 4': [null, null, 0] }],
    ['{} | count_over_time() by (resource.service.name) > 1', { 'resource.service.name=shop': [2, null, null] }],
    ['({} | max_over_time(duration)) > 500ms', { '__name__=max_over_time': [null, 1, null] }],
    [
      '({ status = error } | count_over_time()) / ({} | count_over_time()) * 100',
      { '__name__=(count_over_time / count_over_time)': [100 / 3, 0, 0] },
    ],
    ['100 - ({} | count_over_time())', { '__name__=count_over_time': [97, 99, 99] }],
    // Only what a single row can't tell:
    ['{ resource.service.name = "shop" } > { } | count_over_time()', { '__name__=count_over_time': [1, 0, 1] }],
    [
      '{ rootServiceName = "shop" && kind = unspecified } | count_over_time() by (rootName)',
      { 'rootName=span 1': [2, 0, 0], 'rootName=span 3': [1, 0, 0], 'rootName=span 4': [0, 1, 1] },
    ],
    ['{} | count() > 1 | count_over_time()', { '__name__=count_over_time': [2, 1, 1] }],
  ];

  test.each(cases)('%s', async (q, expected) => {
    const series = await range(q);
    expect(Object.keys(series).sort()).toEqual(Object.keys(expected).sort());
    for (const [labels, values] of Object.entries(expected)) {
      for (const [step, value] of values.entries()) {
        if (value === null) expect(series[labels]?.[step]).toBeNull();
        else expect(series[labels]?.[step]).toBeCloseTo(value, 9);
      }
    }
  });

  // The engine counts rows, or every span is looked at: both must say the same.
  test.each(cases.filter(([q]) => q.startsWith('{} | ') && !q.includes('count()')))('span by span: %s', async (q) => {
    expect(await range(q.replace('{} | ', '({} || {}) | '))).toEqual(await range(q));
  });

  test('buckets and quantiles of durations are in seconds', async () => {
    const { series } = await rangeResponse('{} | quantile_over_time(duration, 1)');
    const at = (seconds: number): number | undefined =>
      series[0]?.samples.find(({ timestampMs }) => timestampMs === `${start + seconds}000`)?.value;
    expect(at(60)).toBeCloseTo(2 ** 29 / 1e9, 9);
    expect(at(180)).toBeCloseTo(2 ** 21 / 1e9, 9);
  });

  test('a range of which only the end is given begins `since` before it', async () => {
    const search = new URLSearchParams({ q: '{} | rate()', end: `${start + 180}`, since: '2m', step: '60s' });
    const { series } = (await store.json(`/api/metrics/query_range?${search}`)) as QueryRangeResponse;
    expect(series[0]?.samples.map(({ timestampMs }) => Number(timestampMs) / 1000 - start)).toEqual([120, 180]);
  });

  test('exemplars name traces, have a value, and are as many as asked for', async () => {
    const { series } = await rangeResponse('{ status = error } | max_over_time(duration)', { exemplars: '10' });
    expect(series[0]?.exemplars).toEqual([
      {
        labels: [
          { key: 'trace:id', value: { stringValue: '2'.padStart(32, '0') } },
          { key: 'span:id', value: { stringValue: '3'.padStart(16, '0') } },
        ],
        value: 0.3,
        timestampMs: `${start + 60}000`,
      },
    ]);
    expect((await rangeResponse('{} | rate()')).series[0]?.exemplars).toBeUndefined();
    const hinted = await rangeResponse('{} | count_over_time() with(exemplars=true)');
    expect(hinted.series[0]?.exemplars?.map(({ value }) => value)).toEqual([3, 1, 1]);
  });

  test('an instant query is one value of the whole range', async () => {
    const search = new URLSearchParams({
      q: '{} | count_over_time() by (resource.service.name)',
      start: `${start}`,
      end: `${start + 180}`,
    });
    const { series } = (await store.json(`/api/metrics/query?${search}`)) as QueryInstantResponse;
    expect(series).toEqual([
      { labels: [{ key: 'resource.service.name', value: { stringValue: 'db' } }], value: 2 },
      { labels: [{ key: 'resource.service.name', value: { stringValue: 'shop' } }], value: 3 },
    ]);
  });

  test('compare() counts values of the selection and of the rest', async () => {
    const series = await range('{} | compare({ status = error })');
    expect(series).toMatchObject({
      '__meta_type=selection,span.route=/b': [1, 0, 0],
      '__meta_type=selection,resource.service.name=shop': [1, 0, 0],
      '__meta_type=baseline,resource.service.name=shop': [1, 1, 0],
      '__meta_type=baseline,resource.service.name=db': [1, 0, 1],
      '__meta_type=baseline,span.route=/a': [1, 1, 0],
      '__meta_type=baseline_total,span.route=nil': [1, 1, 0],
      '__meta_type=selection_total,resource.service.name=nil': [1, 0, 0],
    });
  });

  test('what is asked wrongly is 400 and says what to do', async () => {
    const ask = async (parameters: Record<string, string>): Promise<[number, string]> => {
      const search = new URLSearchParams({ start: `${start}`, end: `${start + 180}`, ...parameters });
      const response = await store.fetch(`/api/metrics/query_range?${search}`);
      return [response.status, await response.text()];
    };
    expect(await ask({ q: '{}' })).toEqual([400, expect.stringContaining('put a metrics function behind it')]);
    expect(await ask({ q: '{} | rate()', step: '1ms' })).toEqual([
      400,
      expect.stringContaining('choose a larger step'),
    ]);
    expect(await ask({ q: '{} | rate()', step: 'x' })).toEqual([400, expect.stringContaining('no duration')]);
    expect(await ask({ q: '{} | rate() by (name' })).toEqual([400, expect.stringContaining('parse error at line 1')]);
  });
});

describe('buckets of powers of two', () => {
  test.each([
    [1, undefined],
    [2, 2],
    [3, 4],
    [4, 4],
    [5, 8],
    [2 ** 40, 2 ** 40],
    [2 ** 40 + 1, 2 ** 41],
    [2 ** 50 - 1, 2 ** 50],
  ])('%d', (value, bucket) => {
    expect(log2Bucket(value)).toBe(bucket);
  });

  test('quantiles grow exponentially within a bucket', () => {
    // Half of ten values between 4 and 8: 4 · 2^0.5.
    expect(log2Quantile(0.5, [[8, 10]])).toBeCloseTo(4 * Math.SQRT2);
    expect(
      log2Quantile(0.9, [
        [8, 5],
        [16, 5],
      ]),
    ).toBeCloseTo(8 * 2 ** 0.8);
    expect(log2Quantile(0.5, [])).toBe(0);
  });
});
