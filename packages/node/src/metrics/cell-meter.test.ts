import { type Context, ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  AggregationType,
  type Histogram,
  type MetricData,
  MetricReader,
  type ViewOptions,
} from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { CellMeters } from './cell-meter.ts';
import { overflowAttributes } from './cells.ts';
import { ExemplarMeterProvider } from './exemplar-meter-provider.ts';

class Reader extends MetricReader {
  constructor(temporality = AggregationTemporality.CUMULATIVE, aggregation = AggregationType.DEFAULT) {
    super({
      aggregationTemporalitySelector: () => temporality,
      aggregationSelector: () => ({ type: aggregation }) as { type: AggregationType.DEFAULT },
    });
  }
  async metric(name: string): Promise<MetricData | undefined> {
    const { resourceMetrics } = await this.collect();
    return resourceMetrics.scopeMetrics
      .flatMap(({ metrics }) => metrics)
      .find(({ descriptor }) => descriptor.name === name);
  }
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

function setUp({ readers = [new Reader()], views = [] as ViewOptions[], isOn = true, prefix = '' } = {}) {
  const warned: string[] = [];
  const provider = new ExemplarMeterProvider(
    { resource: resourceFromAttributes({}), readers, views },
    { filter: 'trace_based', exponentialHistograms: false },
  );
  const warn = (message: string): void => void warned.push(message);
  const meters = new CellMeters(provider);
  return { provider, warned, readers, meter: meters.create({ scope: 'test', prefix, isOn, warn }) };
}

function histogramOf(data: MetricData | undefined): Histogram {
  const value = data?.dataPoints[0]?.value;
  if (typeof value !== 'object' || !('buckets' in value)) throw new Error('no histogram point');
  return value as Histogram;
}

const seconds = { description: 'How long.', unit: 's', boundaries: [1, 5] };
const requests = { description: 'How many.', unit: '{request}' };
const methodAndStatus = (method: string, status: number) => ({ method, status });

function sampled(spanId: string): Context {
  return trace.setSpanContext(ROOT_CONTEXT, { traceId: 'a'.repeat(32), spanId, traceFlags: TraceFlags.SAMPLED });
}

test('values go to the bucket whose upper bound includes them, by series', async () => {
  const { meter, readers } = setUp();
  const duration = meter.histogram('duration', seconds, methodAndStatus);
  for (const value of [0.5, 1, 1.1, 5, 7]) duration('GET', 200).record(value);
  duration('GET', 500).record(2);
  duration('GET', 500).record(-1);
  duration('GET', 500).record(Number.NaN);
  const data = await readers[0]?.metric('duration');
  expect(data).toMatchObject({ descriptor: { name: 'duration', unit: 's', description: 'How long.' } });
  expect(data?.dataPoints.map(({ attributes, value }) => ({ attributes, value }))).toEqual([
    {
      attributes: { method: 'GET', status: 200 },
      value: { buckets: { boundaries: [1, 5], counts: [2, 2, 1] }, count: 5, sum: 14.6, min: 0.5, max: 7 },
    },
    {
      attributes: { method: 'GET', status: 500 },
      value: { buckets: { boundaries: [1, 5], counts: [0, 1, 0] }, count: 1, sum: 2, min: 2, max: 2 },
    },
  ]);
});

test('attributes are made once for each series', () => {
  const { meter } = setUp();
  let made = 0;
  const count = meter.counter('count', requests, (method: string) => {
    made += 1;
    return { method };
  });
  const first = count('GET');
  expect(count('GET')).toBe(first);
  expect(count('PUT')).not.toBe(first);
  expect(made).toBe(2);
});

test('a cumulative and a delta reader each see what is theirs', async () => {
  const [cumulative, delta] = [new Reader(), new Reader(AggregationTemporality.DELTA)];
  const { meter } = setUp({ readers: [cumulative, delta] });
  const duration = meter.histogram('duration', seconds, () => ({}));
  duration().record(3);
  await cumulative.metric('duration');
  const first = await delta.metric('duration');
  duration().record(9);
  const second = await delta.metric('duration');
  expect(await delta.metric('duration')).toBeUndefined();
  const counts = (data: MetricData | undefined) => histogramOf(data).buckets.counts;
  expect([counts(first), counts(second)]).toEqual([
    [0, 1, 0],
    [0, 0, 1],
  ]);
  expect(second?.dataPoints[0]?.value).toMatchObject({ count: 1, sum: 9, min: 9, max: 9 });
  expect(second?.dataPoints[0]?.startTime).toEqual(first?.dataPoints[0]?.endTime);
  expect(counts(await cumulative.metric('duration'))).toEqual([0, 1, 1]);
});

test('no series before its first use, and an in-flight count stays when it is back at 0', async () => {
  const { meter, readers } = setUp();
  const active = meter.upDownCounter('active', requests, (method: string) => ({ method }));
  const cell = active('GET');
  expect(await readers[0]?.metric('active')).toBeUndefined();
  cell.add(1);
  cell.add(-1);
  expect((await readers[0]?.metric('active'))?.dataPoints.map(({ value }) => value)).toEqual([0]);
});

test('a counter does not go down', async () => {
  const { meter, readers } = setUp();
  const count = meter.counter('count', requests, () => ({}));
  count().add(2);
  count().add(-1);
  expect(await readers[0]?.metric('count')).toMatchObject({ isMonotonic: true, dataPoints: [{ value: 2 }] });
});

test('a view is honoured', async () => {
  const views: ViewOptions[] = [
    {
      instrumentName: 'duration',
      aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [100] } },
    },
  ];
  const { meter, readers } = setUp({ views });
  meter.histogram('duration', seconds, methodAndStatus)('GET', 200).record(3);
  const data = await readers[0]?.metric('duration');
  expect(data?.dataPoints[0]?.attributes).toEqual({ method: 'GET', status: 200 });
  expect(histogramOf(data).buckets).toEqual({ boundaries: [100], counts: [1, 0] });
});

test('a reader that wants exponential histograms gets them', async () => {
  const reader = new Reader(AggregationTemporality.CUMULATIVE, AggregationType.EXPONENTIAL_HISTOGRAM);
  const { meter } = setUp({ readers: [reader] });
  meter
    .histogram('duration', seconds, () => ({}))()
    .record(3);
  expect((await reader.metric('duration'))?.dataPoints[0]?.value).toHaveProperty('scale');
});

test('one exemplar of a sampled span for each bucket, once', async () => {
  const { meter, readers, provider } = setUp();
  const cell = meter.histogram('duration', seconds, () => ({}))();
  cell.record(0.5, sampled('1'.repeat(16)));
  cell.record(9, sampled('2'.repeat(16)));
  cell.record(
    3,
    trace.setSpanContext(ROOT_CONTEXT, { traceId: 'b'.repeat(32), spanId: '3'.repeat(16), traceFlags: 0 }),
  );
  const collect = async () => provider.exemplarsOf((await readers[0]?.metric('duration'))?.dataPoints[0] ?? {});
  expect((await collect())?.map(({ value, traceId, spanId }) => [value, traceId, spanId])).toEqual([
    [0.5, 'a'.repeat(32), '1'.repeat(16)],
    [9, 'a'.repeat(32), '2'.repeat(16)],
  ]);
  expect(await collect()).toBeUndefined();
});

test('a second kind under one name is refused with a warning, the same kind is shared', async () => {
  const { meter, readers, warned } = setUp();
  meter
    .counter('things', requests, () => ({}))()
    .add(1);
  meter
    .counter('things', requests, () => ({}))()
    .add(1);
  meter
    .histogram('things', seconds, () => ({}))()
    .record(1);
  expect(warned).toEqual([expect.stringMatching(/things is a counter in \{request\}; a histogram in s /)]);
  expect((await readers[0]?.collect())?.resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)).toHaveLength(2);
});

test('series are bounded: the rest is counted together, and a line says so', async () => {
  const { meter, readers, warned } = setUp();
  const count = meter.counter('count', requests, (url: string, status: number) => ({ url, status }));
  for (let index = 0; index < 2100; index += 1) count(`/${index}`, 200).add(1);
  count('/0', 200).add(1);
  const points = (await readers[0]?.metric('count'))?.dataPoints ?? [];
  expect(points).toHaveLength(2001);
  expect(points.at(-1)).toMatchObject({ attributes: overflowAttributes, value: 100 });
  expect(points[0]).toMatchObject({ attributes: { url: '/0', status: 200 }, value: 2 });
  expect(warned).toEqual([expect.stringMatching(/count has more than 2000 series/)]);
});

test('a prefix for names of our own, and nothing at all when switched off', async () => {
  const { meter, readers } = setUp({ prefix: 'wippy_' });
  meter
    .counter('sql_ops_total', { ...requests, prefixed: true }, () => ({}))()
    .add(1);
  meter
    .counter('http.client.requests', requests, () => ({}))()
    .add(1);
  expect(await readers[0]?.metric('wippy_sql_ops_total')).toBeDefined();
  expect(await readers[0]?.metric('http.client.requests')).toBeDefined();
  const off = setUp({ isOn: false });
  off.meter
    .counter('count', requests, () => ({}))()
    .add(1);
  expect(await off.readers[0]?.metric('count')).toBeUndefined();
});
