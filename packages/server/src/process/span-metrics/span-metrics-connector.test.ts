import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../config/config-error.ts';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { RecordSink } from '../../pipeline/testing/record-sink.ts';
import { type SpanInput, START_MS, spansOf } from '../testing/requests.ts';
import type { SpanMetricsConnector } from './span-metrics-connector.ts';
import { spanMetricsFactory } from './span-metrics-factory.ts';

function made(yaml = '{}') {
  const clock = { now: START_MS };
  const settings = settingsOf(yaml);
  const blueprint = spanMetricsFactory.configure(settings);
  settings.finish();
  const sink = new RecordSink();
  const connector = blueprint.create(testContext({ now: () => clock.now }), sink.consumers) as SpanMetricsConnector;
  return {
    clock,
    sink,
    send: (...spans: SpanInput[]) => connector.consume(spansOf(...spans)),
    /** The points of one flush, by the names of their metrics. */
    async flush() {
      sink.points.length = 0;
      await connector.flush();
      return (name: string) =>
        sink.points
          .filter(({ metric }) => metric.name === name)
          .map((point) => ({ ...point, attributes: Object.fromEntries(point.attributes) }));
    },
  };
}

// Names, dimensions and buckets as upstream's README has them.
describe('spanmetrics', () => {
  it('counts calls and durations by service, name, kind and status', async () => {
    const { send, flush } = made();
    await send(
      { name: '/cart', durationMs: 3 },
      { name: '/cart', durationMs: 20 },
      { name: '/cart', status: 2 },
      { kind: 3 },
    );
    const points = await flush();
    const calls = points('traces.span.metrics.calls');
    expect(calls).toHaveLength(3);
    expect(calls[0]).toMatchObject({
      metric: { type: 2, temporality: 2, monotonic: true },
      scope: { name: 'spanmetricsconnector' },
      resource: { service: 'shop' },
      value: 2n,
      attributes: {
        'service.name': 'shop',
        'span.name': '/cart',
        'span.kind': 'SPAN_KIND_SERVER',
        'status.code': 'STATUS_CODE_UNSET',
      },
    });
    expect(calls[1]?.attributes).toMatchObject({ 'status.code': 'STATUS_CODE_ERROR' });
    expect(calls[2]?.attributes).toMatchObject({ 'span.kind': 'SPAN_KIND_CLIENT' });
    const [duration] = points('traces.span.metrics.duration');
    expect(duration).toMatchObject({
      metric: { unit: 'ms', temporality: 2 },
      count: 2n,
      sum: 23,
      explicitBounds: [2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10000, 15000],
      bucketCounts: [0n, 1n, 0n, 0n, 0n, 1n, ...Array.from({ length: 11 }, () => 0n)],
    });
  });

  it('adds dimensions of spans and resources, with defaults, and leaves others out', async () => {
    const { send, flush } = made(`namespace: ''
dimensions: [{name: http.method, default: GET}, {name: host.name}, {name: absent}]
exclude_dimensions: [status.code]
`);
    const resource = { 'service.name': 'shop', 'host.name': 'h1' };
    await send({ resource, attributes: { 'http.method': 'POST' } }, { resource, status: 2 });
    expect((await flush())('calls').map(({ attributes }) => attributes)).toEqual([
      {
        'service.name': 'shop',
        'span.name': 'GET /',
        'span.kind': 'SPAN_KIND_SERVER',
        'http.method': 'POST',
        'host.name': 'h1',
      },
      {
        'service.name': 'shop',
        'span.name': 'GET /',
        'span.kind': 'SPAN_KIND_SERVER',
        'http.method': 'GET',
        'host.name': 'h1',
      },
    ]);
  });

  it('weighs spans that a head sampler let through', async () => {
    const { send, flush } = made();
    await send({ traceState: 'ot=th:c', durationMs: 3 }, { durationMs: 3 });
    const points = await flush();
    expect(points('traces.span.metrics.calls')).toEqual([expect.objectContaining({ value: 5n })]);
    expect(points('traces.span.metrics.duration')).toEqual([expect.objectContaining({ count: 5n, sum: 15 })]);
  });

  it('is cumulative: each flush repeats what came before, with the same start', async () => {
    const { send, flush, clock } = made();
    await send({});
    await flush();
    clock.now += 60_000;
    await send({});
    const [point] = (await flush())('traces.span.metrics.calls');
    expect(point).toMatchObject({
      value: 2n,
      startTime: BigInt(START_MS) * 1_000_000n,
      time: BigInt(START_MS + 60_000) * 1_000_000n,
    });
  });

  it('may be delta: each flush has what is new', async () => {
    const { send, flush, clock } = made('aggregation_temporality: AGGREGATION_TEMPORALITY_DELTA');
    await send({}, {});
    expect((await flush())('traces.span.metrics.calls')).toEqual([
      expect.objectContaining({ value: 2n, metric: expect.objectContaining({ temporality: 1 }) }),
    ]);
    clock.now += 60_000;
    expect((await flush())('traces.span.metrics.calls')).toEqual([]);
    await send({});
    const [point] = (await flush())('traces.span.metrics.calls');
    expect(point).toMatchObject({ value: 1n, startTime: BigInt(START_MS + 60_000) * 1_000_000n });
  });

  it('keeps deltas that nobody took for the next flush', async () => {
    const { send, flush, sink } = made('aggregation_temporality: AGGREGATION_TEMPORALITY_DELTA');
    await send({});
    sink.respond = () => {
      throw new Error('down');
    };
    await expect(flush()).rejects.toThrow('down');
    sink.respond = () => ({ rejected: 0, reason: '' });
    await send({}, {});
    expect((await flush())('traces.span.metrics.calls').map((point) => 'value' in point && point.value)).toEqual([
      1n,
      2n,
    ]);
  });

  it('has exemplars of the time since the last flush', async () => {
    const { send, flush } = made('exemplars: {enabled: true, max_per_data_point: 1}');
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    await send({ traceId, spanId: 'b7ad6b7169203331', durationMs: 3 }, { durationMs: 4 });
    expect((await flush())('traces.span.metrics.duration')[0]).toMatchObject({
      exemplars: [{ traceId, spanId: 'b7ad6b7169203331', value: 3, time: BigInt(START_MS + 3) * 1_000_000n }],
    });
    expect((await flush())('traces.span.metrics.duration')[0]).toMatchObject({ exemplars: [] });
  });

  it('may have exponential histograms, in seconds', async () => {
    const { send, flush } = made('histogram: {unit: s, exponential: {max_size: 4}}');
    await send(
      { durationMs: 1_000 },
      { durationMs: 2_000 },
      { durationMs: 4_000 },
      { durationMs: 16_000 },
      { durationMs: 0 },
    );
    const [point] = (await flush())('traces.span.metrics.duration');
    // 1 to 16 seconds take five buckets of scale 0, above which are (0.5, 1] to (8, 16]: three of scale -1, (0.25, 1], (1, 4], (4, 16].
    expect(point).toMatchObject({
      metric: { unit: 's', type: 4 },
      scale: -1,
      zeroCount: 1n,
      positiveOffset: -1,
      positiveCounts: [1n, 2n, 1n],
      count: 5n,
      sum: 23,
    });
  });

  it('counts events by their attributes', async () => {
    const { send, flush } = made('events: {enabled: true, dimensions: [{name: exception.type}]}');
    const event = (type: string) => ({ name: 'exception', attributes: { 'exception.type': type } });
    await send({ events: [event('TypeError'), event('TypeError'), event('RangeError')] });
    expect(
      (await flush())('traces.span.metrics.events').map((point) => [
        point.attributes['exception.type'],
        'value' in point && point.value,
      ]),
    ).toEqual([
      ['TypeError', 2n],
      ['RangeError', 1n],
    ]);
  });

  it('tells resources apart by the attributes that it is told, and forgets what is not used', async () => {
    const { send, flush, clock } = made(`resource_metrics_key_attributes: [service.name]
metrics_expiration: 5m
`);
    await send({ resource: { 'service.name': 'shop', pid: 1 } }, { resource: { 'service.name': 'shop', pid: 2 } });
    const [point] = (await flush())('traces.span.metrics.calls');
    expect(point).toMatchObject({ value: 2n, resource: { attributes: [['service.name', 'shop']] } });
    clock.now += 300_000;
    expect((await flush())('traces.span.metrics.calls')).toHaveLength(1);
    expect((await flush())('traces.span.metrics.calls')).toEqual([]);
  });

  it('bounds its series', async () => {
    const { send, flush } = made('{aggregation_cardinality_limit: 2, dimensions: [{name: user}]}');
    await send(...[1, 2, 3, 4].map((user) => ({ attributes: { user } })));
    const calls = (await flush())('traces.span.metrics.calls');
    expect(calls.map((point) => 'value' in point && point.value)).toEqual([1n, 1n, 2n]);
    expect(calls[2]?.attributes).toEqual({ 'otel.metric.overflow': true });
  });

  it.each([
    ['histogram: {unit: us}', '"us" is not one of ms, s'],
    ['histogram: {explicit: {buckets: [10ms, 2ms]}}', 'buckets must ascend'],
    ['events: {enabled: true}', 'needs dimensions'],
    ['dimensions: [{nam: a}]', '"name" is required'],
  ])('refuses %s', (yaml, message) => {
    expect(() => made(yaml)).toThrow(ConfigError);
    expect(() => made(yaml)).toThrow(message);
  });
});
