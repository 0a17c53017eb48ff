import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFilters } from '../filter/read-filters.ts';
import { type TestSeries, TestStore } from '../testing/test-store.ts';
import { listExemplars, planExemplars } from './list-exemplars.ts';
import { listMetricLabels, listMetricLabelValues, listMetrics, planMetrics } from './list-metrics.ts';
import { planExplicitBuckets, planExponentialBuckets } from './metric-quantiles.ts';
import { type MetricPlan, type MetricQueryRequest, planMetricType } from './metric-query-request.ts';
import { planMetricSeries } from './plan-metric-series.ts';
import { queryMetric } from './query-metric.ts';

/** A minute, in seconds since 1970. */
const t0 = 1_760_004_000;
const nanos = (seconds: number): bigint => BigInt(t0 * 1000 + Math.round(seconds * 1000)) * 1_000_000n;
const range = { from: nanos(0), to: nanos(180) };
const context = () => store.context((t0 + 86_400) * 1000);
const long = -86_400;
const gauge = { type: 1 };
const counter = { type: 2, temporality: 2, monotonic: 1 };

let store: TestStore;
let nextId = 1n;

/** A series with `[time, value]` or `[time, value, start]` points, seconds from t0; a null value: none recorded. */
async function numbers(
  series: Partial<TestSeries> & { name: string },
  points: [time: number, value: number | bigint | null, start?: number][],
): Promise<void> {
  const id = nextId++;
  await store.insertSeries([{ id, time: nanos(0), type: 2, ...series }]);
  await store.insert(
    'number_points',
    {
      metric_name: 'String',
      series_id: 'UInt64',
      time: 'Int64',
      start_time: 'Int64',
      value: 'Float64',
      int_value: 'Int64',
      value_type: 'UInt8',
      flags: 'UInt32',
    },
    points.map(([time, value, start = long]) => ({
      metric_name: series.name,
      series_id: id,
      time: nanos(time),
      start_time: start === Number.NEGATIVE_INFINITY ? 0n : nanos(start),
      value: Number(value ?? 0),
      int_value: typeof value === 'bigint' ? value : 0n,
      value_type: value === null ? 2 : typeof value === 'bigint' ? 1 : 0,
      flags: value === null ? 1 : 0,
    })),
    times,
  );
}

const times = {
  time: `fromUnixTimestamp64Nano(time, 'UTC')`,
  start_time: `fromUnixTimestamp64Nano(start_time, 'UTC')`,
};

async function histograms(
  series: Partial<TestSeries> & { name: string },
  bounds: number[],
  points: [time: number, counts: number[], sum: number, start?: number][],
): Promise<void> {
  const id = nextId++;
  await store.insertSeries([{ id, time: nanos(0), type: 3, temporality: 2, ...series }]);
  await store.insert(
    'histogram_points',
    {
      metric_name: 'String',
      series_id: 'UInt64',
      time: 'Int64',
      start_time: 'Int64',
      count: 'UInt64',
      sum: 'Float64',
      bucket_counts: 'Array(UInt64)',
      explicit_bounds: 'Array(Float64)',
    },
    points.map(([time, counts, sum, start = long]) => ({
      metric_name: series.name,
      series_id: id,
      time: nanos(time),
      start_time: nanos(start),
      count: counts.reduce((a, b) => a + b, 0),
      sum,
      bucket_counts: counts,
      explicit_bounds: bounds,
    })),
    times,
  );
}

interface ExponentialPoint {
  time: number;
  scale: number;
  zero?: number;
  positive?: [offset: number, counts: number[]];
  negative?: [offset: number, counts: number[]];
}

async function exponentials(series: Partial<TestSeries> & { name: string }, points: ExponentialPoint[]): Promise<void> {
  const id = nextId++;
  await store.insertSeries([{ id, time: nanos(0), type: 4, temporality: 2, ...series }]);
  await store.insert(
    'exponential_histogram_points',
    {
      metric_name: 'String',
      series_id: 'UInt64',
      time: 'Int64',
      start_time: 'Int64',
      count: 'UInt64',
      scale: 'Int32',
      zero_count: 'UInt64',
      positive_offset: 'Int32',
      positive_counts: 'Array(UInt64)',
      negative_offset: 'Int32',
      negative_counts: 'Array(UInt64)',
    },
    points.map(({ time, scale, zero = 0, positive = [0, []], negative = [0, []] }) => ({
      metric_name: series.name,
      series_id: id,
      time: nanos(time),
      start_time: nanos(long),
      count: [zero, ...positive[1], ...negative[1]].reduce((a, b) => a + b, 0),
      scale,
      zero_count: zero,
      positive_offset: positive[0],
      positive_counts: positive[1],
      negative_offset: negative[0],
      negative_counts: negative[1],
    })),
    times,
  );
}

async function query(name: string, part: Partial<MetricQueryRequest> & { filter?: string[] } = {}) {
  const { filter = [], ...rest } = part;
  const request = { name, groupBy: [], filters: readFilters(filter), range, stepMs: 60_000, limit: 50, ...rest };
  return queryMetric(context(), request);
}

const values = async (...args: Parameters<typeof query>) =>
  (await query(...args)).series.map((series) => series.values);

beforeAll(async () => {
  store = await TestStore.open();
});

afterAll(() => store.close());

describe('counters', () => {
  test('cumulative, with a fall', async () => {
    await numbers({ name: 'fall', unit: '{request}', ...counter }, [
      [-30, 100],
      [0, 110],
      [30, 130],
      [60, 150],
      [90, 150],
      [120, 10],
      [150, 40],
    ]);
    expect(await query('fall', { function: 'increase' })).toEqual({
      times: [0, 60, 120].map((time) => (t0 + time) * 1000),
      stepMs: 60_000,
      unit: '{request}',
      type: 'sum',
      function: 'increase',
      aggregation: 'sum',
      series: [{ labels: {}, values: [40, 10, 30] }],
      total: 1,
    });
    // Only half of the last step is covered: 30 in 30 s.
    expect(await values('fall')).toEqual([[40 / 60, 10 / 60, 1]]);
  });

  test('a process that starts again', async () => {
    // Counting starts anew 80 s in: although 800 > 560, the 800 were counted since.
    await numbers({ name: 'restart', ...counter }, [
      [0, 500, -1000],
      [60, 560, -1000],
      [120, 800, 80],
      [180, 812, 80],
    ]);
    expect(await values('restart', { function: 'increase' })).toEqual([[60, 800, 12]]);
    expect(await values('restart')).toEqual([[1, 800 / 40, 0.2]]);
  });

  test('a start time that is rewritten without a restart is none', async () => {
    await numbers({ name: 'rewritten', ...counter }, [
      [0, 500, -1000],
      [60, 560, -900],
      [120, 620, 30],
    ]);
    expect(await values('rewritten', { function: 'increase' })).toEqual([[60, 60, null]]);
  });

  test('a new process counts from its start', async () => {
    await numbers({ name: 'new', ...counter }, [
      [60, 25, 10],
      [120, 31, 10],
    ]);
    expect(await values('new', { function: 'increase' })).toEqual([[25, 6, null]]);
    expect(await values('new')).toEqual([[25 / 50, 0.1, null]]);
  });

  test('an unknown start gives nothing to count from', async () => {
    await numbers({ name: 'unknown', ...counter }, [
      [60, 1_000, 60],
      [120, 1_006, 60],
    ]);
    await numbers({ name: 'none', ...counter }, [
      [60, 1_000, Number.NEGATIVE_INFINITY],
      [120, 1_006, Number.NEGATIVE_INFINITY],
    ]);
    expect(await values('unknown', { function: 'increase' })).toEqual([[null, 6, null]]);
    expect(await values('none', { function: 'increase' })).toEqual([[null, 6, null]]);
  });

  test('steps shorter than the time between points share its increase', async () => {
    await numbers({ name: 'sparse', ...counter }, [
      [0, 0],
      [60, 60],
      [120, 60],
    ]);
    expect(await values('sparse', { function: 'increase', stepMs: 20_000 })).toEqual([
      [20, 20, 20, 0, 0, 0, null, null, null],
    ]);
    // Points between the edges of steps: nothing is lost.
    await numbers({ name: 'askew', ...counter }, [
      [-45, 0],
      [15, 60],
      [75, 120],
    ]);
    expect(await values('askew', { function: 'increase' })).toEqual([[60, 15, null]]);
  });

  test('delta', async () => {
    await numbers({ name: 'delta', type: 2, temporality: 1, monotonic: 1 }, [
      [-30, 99, -60],
      [30, 30, -30],
      [60, 6, 30],
      [120, 12, 60],
      // Sent twice.
      [120, 12, 60],
    ]);
    expect(await values('delta', { function: 'increase' })).toEqual([[15 + 6, 12, null]]);
    expect(await values('delta')).toEqual([[21 / 60, 0.2, null]]);
  });

  test('delta without start times covers the time from the point before', async () => {
    const none = Number.NEGATIVE_INFINITY;
    await numbers({ name: 'bare', type: 2, temporality: 1, monotonic: 1 }, [
      [30, 3, none],
      [90, 60, none],
    ]);
    // The first has no length: it counts where it stands. 30 of 60 s of the second lie in each step.
    expect(await values('bare', { function: 'increase' })).toEqual([[3 + 30, 30, null]]);
  });

  test('points that say "nothing recorded" count for nothing', async () => {
    await numbers({ name: 'hole', ...counter }, [
      [0, 10],
      [60, null],
      [120, 22],
    ]);
    expect(await values('hole', { function: 'increase' })).toEqual([[6, 6, null]]);
  });

  test('groups, filters, aggregations and the limit', async () => {
    const name = 'grouped';
    const resource = { id: 7n, attributes: { zone: 'b' } };
    await numbers({ name, ...counter, service: 'web', attributes: { route: '/a', code: 200n }, resource }, [
      [0, 0],
      [60, 60],
    ]);
    await numbers({ name, ...counter, service: 'web', attributes: { route: '/b', code: 500n } }, [
      [0, 0],
      [60, 6],
    ]);
    await numbers({ name, ...counter, service: '', attributes: { route: '/a', code: 503n } }, [
      [0, 0],
      [60, 120],
    ]);
    const increases = async (part: Parameters<typeof query>[1]) => {
      const { series, total } = await query(name, { function: 'increase', ...part });
      return [total, ...series.map(({ labels, values: [first] }) => [Object.values(labels).join(), first])];
    };
    expect(await increases({})).toEqual([1, ['', 186]]);
    expect(await increases({ groupBy: ['route'] })).toEqual([2, ['/a', 180], ['/b', 6]]);
    expect(await increases({ groupBy: ['service.name', 'code'] })).toEqual([
      3,
      ['unknown_service,503', 120],
      ['web,200', 60],
      ['web,500', 6],
    ]);
    expect(await increases({ groupBy: ['route'], limit: 1 })).toEqual([2, ['/a', 180]]);
    expect(await increases({ groupBy: ['nothing', '__proto__'] })).toEqual([1, [',', 186]]);
    expect(await increases({ aggregation: 'avg' })).toEqual([1, ['', 62]]);
    expect(await increases({ aggregation: 'max' })).toEqual([1, ['', 120]]);
    expect(await increases({ aggregation: 'min' })).toEqual([1, ['', 6]]);
    expect(await increases({ aggregation: 'count' })).toEqual([1, ['', 3]]);
    expect(await increases({ filter: ['code >= 500'] })).toEqual([1, ['', 126]]);
    expect(await increases({ filter: ['resource.zone = b'] })).toEqual([1, ['', 60]]);
    expect(await increases({ groupBy: ["'; DROP TABLE series; --\n\n"] })).toEqual([1, ['', 186]]);
  });
});

describe('values', () => {
  test('the last of a step, carried for five minutes, and never past one that says "nothing recorded"', async () => {
    await numbers({ name: 'level', ...gauge }, [
      [-400, 7],
      [-70, 5],
      [10, 1.5],
      [50, 2],
      [100, null],
      [150, 3],
    ]);
    expect(await values('level')).toEqual([[2, null, 3]]);
    expect(await values('level', { range: { from: nanos(-60), to: nanos(60) } })).toEqual([[5, 2]]);
    await numbers({ name: 'once', ...gauge }, [[30, 4]]);
    const carried = await values('once', { range: { from: nanos(-60), to: nanos(480) } });
    expect(carried).toEqual([[null, 4, 4, 4, 4, 4, 4, null, null]]);
  });

  test('series that report at different moments add up', async () => {
    await numbers({ name: 'two', ...gauge, attributes: { n: 'a' } }, [
      [0, 1],
      [60, 1],
      [120, 1],
    ]);
    await numbers({ name: 'two', ...gauge, attributes: { n: 'b' } }, [
      [30, 2],
      [90, 2],
      [150, 2],
    ]);
    expect(
      await values('two', { aggregation: 'sum', stepMs: 30_000, range: { from: nanos(30), to: nanos(150) } }),
    ).toEqual([[3, 3, 3, 3]]);
    expect(await values('two')).toEqual([[1.5, 1.5, 1.5]]);
  });

  test('none from the future', async () => {
    await numbers({ name: 'now', ...gauge }, [[10, 1]]);
    const request = { name: 'now', groupBy: [], filters: [], range, stepMs: 60_000, limit: 50 };
    const { series } = await queryMetric(store.context((t0 + 70) * 1000), request);
    expect(series[0]?.values).toEqual([1, 1, null]);
  });

  test('a function that means nothing is refused', async () => {
    await numbers({ name: 'refused', ...gauge }, [[10, 1]]);
    await expect(query('refused', { function: 'rate' })).rejects.toMatchObject({
      parameter: 'function',
      hint: 'There are value.',
    });
    await expect(query('not there')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('histograms', () => {
  test('quantiles, rate, increase and mean of a step', async () => {
    const name = 'latency';
    await histograms(
      { name, unit: 's', attributes: { a: '1' } },
      [1, 2, 4],
      [
        [0, [5, 5, 5, 5], 100],
        [60, [15, 15, 5, 5], 125],
        [120, [15, 15, 5, 6], 135],
      ],
    );
    // Counting starts anew at 60: the point at 120 is all since then.
    await histograms(
      { name, unit: 's', attributes: { a: '2' } },
      [1, 2, 4],
      [
        [0, [9, 9, 9, 9], 900, -60],
        [60, [9, 9, 9, 9], 900, -60],
        [120, [0, 0, 2, 0], 6, 60],
      ],
    );
    // 20 observations in step 0, evenly in (0, 1] and (1, 2]: rank 19 lies 9/10 into the second bucket.
    expect(await values(name, { function: 'p95' })).toEqual([[1.9, 4, null]]);
    expect(await values(name, { function: 'p50' })).toEqual([[1, 2 + (2 * 1.5) / 2, null]]);
    expect(await values(name, { function: 'increase' })).toEqual([[20, 3, null]]);
    expect(await values(name, { function: 'rate' })).toEqual([[20 / 60, 3 / 60, null]]);
    expect(await values(name, { function: 'mean' })).toEqual([[1.25, 16 / 3, null]]);
    expect(await values(name, { function: 'mean', aggregation: 'max' })).toEqual([[1.25, 10, null]]);
    const { series, total, aggregation } = await query(name, { function: 'p50', groupBy: ['a'], limit: 1 });
    expect([total, aggregation, series]).toEqual([2, 'sum', [{ labels: { a: '2' }, values: [null, 3, null] }]]);
    expect((await query(name)).function).toBe('p95');
  });

  test('other bounds are another histogram, and both are one together', async () => {
    const name = 'bounds';
    await histograms(
      { name },
      [1, 2],
      [
        [0, [0, 0, 0], 0],
        [60, [2, 2, 0], 4],
      ],
    );
    await histograms(
      { name, attributes: { b: '1' } },
      [2, 4],
      [
        [0, [0, 0, 0], 0],
        [60, [4, 0, 0], 4],
      ],
    );
    // Up to 1: 2 + 2 of the 4 below 2. Up to 2: 8. Rank 4 is the end of the first bucket, rank 7.2 lies 3.2/4 into the second.
    expect(await values(name, { function: 'p50' })).toEqual([[1, null, null]]);
    expect((await values(name, { function: 'p90' }))[0]?.[0]).toBeCloseTo(1.8, 12);
  });

  test('exponential, at different scales', async () => {
    const name = 'exponential';
    await exponentials({ name }, [
      { time: 0, scale: 1, positive: [0, [1]] },
      // Became coarser meanwhile: (1, 2] had one before.
      { time: 60, scale: 0, positive: [0, [5]] },
    ]);
    await exponentials({ name, attributes: { b: '1' } }, [
      { time: 0, scale: 1 },
      { time: 60, scale: 1, positive: [0, [2, 2]] },
      { time: 120, scale: 1, zero: 1, positive: [0, [2, 2]], negative: [-2, [1]] },
    ]);
    // 8 in (1, 2]: the median is half of it on the logarithmic scale.
    expect((await values(name, { function: 'p50' }))[0]?.[0]).toBeCloseTo(2 ** 0.5, 12);
    expect((await values(name, { function: 'p99' }))[0]?.[0]).toBeCloseTo(2 ** 0.99, 12);
    // Step 1: one in [-1, -0.5) (scale 1, index -2 is (0.5, 0.707], at scale 0 index -1), one zero. Rank 1 ends the negative bucket.
    expect((await values(name, { function: 'p50' }))[0]?.[1]).toBeCloseTo(-0.5, 12);
    expect(await values(name, { function: 'increase' })).toEqual([[8, 2, null]]);
  });

  test('summaries have a mean', async () => {
    const id = nextId++;
    await store.insertSeries([{ id, name: 'summary', time: nanos(0), type: 5, temporality: 2 }]);
    await store.insert(
      'summary_points',
      {
        metric_name: 'String',
        series_id: 'UInt64',
        time: 'Int64',
        start_time: 'Int64',
        count: 'UInt64',
        sum: 'Float64',
      },
      [
        { metric_name: 'summary', series_id: id, time: nanos(0), start_time: nanos(long), count: 10, sum: 100 },
        { metric_name: 'summary', series_id: id, time: nanos(60), start_time: nanos(long), count: 14, sum: 110 },
      ],
      times,
    );
    expect(await values('summary')).toEqual([[2.5, null, null]]);
  });
});

test('names, labels and values', async () => {
  const name = 'Listed.Metric';
  await numbers(
    { name, ...counter, unit: 'By', description: 'bytes', service: 'web', attributes: { b: 'x', a: 1n } },
    [],
  );
  await numbers({ name, ...gauge, service: '', attributes: { b: 'y' } }, []);
  const { metrics } = await listMetrics(context(), range, 'listed.m');
  const common = { name, unit: '', description: '' };
  expect(metrics).toEqual([
    { ...common, type: 'gauge', temporality: null, monotonic: false, services: ['unknown_service'] },
    {
      name,
      unit: 'By',
      description: 'bytes',
      type: 'sum',
      temporality: 'cumulative',
      monotonic: true,
      services: ['web'],
    },
  ]);
  expect(await listMetricLabels(context(), name, range)).toEqual({ labels: ['service.name', 'a', 'b'] });
  expect(await listMetricLabelValues(context(), name, 'b', range)).toEqual({ values: ['x', 'y'] });
  expect(await listMetricLabelValues(context(), name, 'a', range)).toEqual({ values: ['1'] });
  expect(await listMetricLabelValues(context(), name, 'service.name', range)).toEqual({
    values: ['unknown_service', 'web'],
  });
  expect((await query(name, { type: 'gauge' })).type).toBe('gauge');
});

test('exemplars', async () => {
  const name = 'with-exemplars';
  const id = nextId;
  await numbers({ name, ...counter, service: 'web', attributes: { route: '/a', n: 3n } }, []);
  const exemplar = { metric_name: name, series_id: id, span_id: 'cd'.repeat(8) };
  await store.insert(
    'exemplars',
    {
      metric_name: 'String',
      series_id: 'UInt64',
      time: 'Int64',
      value: 'Float64',
      trace_id: 'String',
      span_id: 'String',
      attributes: 'String',
    },
    [
      {
        ...exemplar,
        time: nanos(1),
        value: 0.5,
        trace_id: 'ab'.repeat(16),
        attributes: '[{"key":"u","value":{"intValue":"9"}}]',
      },
      {
        ...exemplar,
        time: nanos(1),
        value: 0.5,
        trace_id: 'ab'.repeat(16),
        attributes: '[{"key":"u","value":{"intValue":"9"}}]',
      },
      { ...exemplar, time: nanos(2), value: 2, trace_id: '', span_id: '', attributes: '' },
      { ...exemplar, time: nanos(-1), value: 3, trace_id: '', span_id: '', attributes: '' },
    ],
    { ...times, trace_id: 'unhex(trace_id)', span_id: 'unhex(span_id)' },
  );
  const labels = { route: '/a', n: '3', 'service.name': 'web' };
  const request = { name, filters: readFilters(['route = /a']), range, limit: 10 };
  expect((await listExemplars(context(), request)).exemplars).toEqual([
    { timeUnixNano: String(nanos(2)), value: 2, traceId: '', spanId: '', labels, filteredAttributes: [] },
    {
      timeUnixNano: String(nanos(1)),
      value: 0.5,
      traceId: 'ab'.repeat(16),
      spanId: 'cd'.repeat(8),
      labels,
      filteredAttributes: [{ key: 'u', value: { intValue: '9' } }],
    },
  ]);
  expect((await listExemplars(context(), { ...request, filters: readFilters(['route = /b']) })).exemplars).toEqual([]);
  expect(planExemplars(request)).toMatchSnapshot();
});

test('a busy second does not hide the exemplars of the rest of the range', async () => {
  const name = 'busy-exemplars';
  const id = nextId;
  await numbers({ name, ...counter, service: 'web', attributes: {} }, []);
  const of = (ns: bigint, value: number) => ({
    metric_name: name,
    series_id: id,
    time: ns,
    value,
    trace_id: '',
    span_id: '',
    attributes: '',
  });
  const busy = Array.from({ length: 40 }, (_, index) => of(nanos(170) + BigInt(index), index));
  await store.insert(
    'exemplars',
    {
      metric_name: 'String',
      series_id: 'UInt64',
      time: 'Int64',
      value: 'Float64',
      trace_id: 'String',
      span_id: 'String',
      attributes: 'String',
    },
    [of(nanos(0), 7), ...busy],
    { ...times, trace_id: 'unhex(trace_id)', span_id: 'unhex(span_id)' },
  );
  const request = { name, filters: [], range, limit: 2 };
  const values = (await listExemplars(context(), request)).exemplars.map(({ value }) => value);
  expect(values).toHaveLength(2);
  expect(values).toContain(7);
  expect(values).toContain(39);
});

test('the SQL', () => {
  const plan: MetricPlan = {
    name: 'm',
    type: 'sum',
    unit: '',
    function: 'rate',
    aggregation: 'sum',
    groupBy: ['route', 'service.name'],
    filters: readFilters(['code >= 500']),
    steps: { stepMs: 60_000, firstMs: t0 * 1000, count: 3 },
    limit: 50,
    horizonMs: (t0 + 180) * 1000,
  };
  expect(planMetricSeries(plan)).toMatchSnapshot();
  expect(planMetricSeries({ ...plan, function: 'value' })).toMatchSnapshot();
  expect(planMetricSeries({ ...plan, type: 'histogram', function: 'mean' })).toMatchSnapshot();
  expect(planExplicitBuckets({ ...plan, type: 'histogram' })).toMatchSnapshot();
  expect(planExponentialBuckets({ ...plan, type: 'exponential_histogram' })).toMatchSnapshot();
  expect(planMetrics(range, 'x')).toMatchSnapshot();
  expect(planMetricType({ name: 'm', groupBy: [], filters: [], range, limit: 1 })).toMatchSnapshot();
});
