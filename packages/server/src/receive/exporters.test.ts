import { context, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter as LogGrpc } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as LogJson } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as LogProto } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as MetricGrpc } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as MetricJson } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as MetricProto } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as TraceGrpc } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as TraceJson } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as TraceProto } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, type LogRecordExporter, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { logObjects, type MetricPointObject, metricPointObjects, spanObjects } from '@signalbox/records';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Receivers, startReceivers } from './testing/receivers.ts';

const START = 1_760_000_000_123;
const nanos = (milliseconds: number) => BigInt(milliseconds) * 1_000_000n;
const resource = resourceFromAttributes({ 'service.name': 'shop', 'process.pid': 7 });
const ATTRIBUTES = { text: 'grün\n"x"', count: 3, ratio: 0.25, ok: true, list: ['a', 'b'] };
const ARRIVED = [
  ['text', 'grün\n"x"'],
  ['count', 3n],
  ['ratio', 0.25],
  ['ok', true],
  ['list', ['a', 'b']],
];

let receivers: Receivers;

beforeEach(async () => {
  receivers = await startReceivers();
});

afterEach(async () => {
  await receivers.stop();
  expect(receivers.internalErrors).toEqual([]);
});

interface Exporters {
  traces(): SpanExporter;
  metrics(): PushMetricExporter;
  logs(): LogRecordExporter;
}

const http = (path: string, compression: CompressionAlgorithm) => ({ url: `${receivers.url}${path}`, compression });
const grpc = (compression: CompressionAlgorithm) => ({ url: `http://${receivers.grpcAddress}`, compression });

type CompressionAlgorithm = NonNullable<NonNullable<ConstructorParameters<typeof TraceProto>[0]>['compression']>;
const COMPRESSIONS = ['none', 'gzip'] as CompressionAlgorithm[];

const EXPORTERS: [string, Exporters][] = COMPRESSIONS.flatMap((compression) => [
  [
    `http/protobuf, ${compression}`,
    {
      traces: () => new TraceProto(http('/v1/traces', compression)),
      metrics: () => new MetricProto(http('/v1/metrics', compression)),
      logs: () => new LogProto(http('/v1/logs', compression)),
    },
  ],
  [
    `http/json, ${compression}`,
    {
      traces: () => new TraceJson(http('/v1/traces', compression)),
      metrics: () => new MetricJson(http('/v1/metrics', compression)),
      logs: () => new LogJson(http('/v1/logs', compression)),
    },
  ],
  [
    `grpc, ${compression}`,
    {
      traces: () => new TraceGrpc(grpc(compression)),
      metrics: () => new MetricGrpc(grpc(compression)),
      logs: () => new LogGrpc(grpc(compression)),
    },
  ],
]);

/** What the points of all kinds say of their metric, by its name. */
function byName(points: MetricPointObject[]): Map<string, MetricPointObject> {
  return new Map(points.map((point) => [point.metric.name, point]));
}

describe.each(EXPORTERS)('the official exporters over %s', (_name, exporters) => {
  it('bring spans as they were made', async () => {
    const provider = new BasicTracerProvider({
      resource,
      spanProcessors: [new SimpleSpanProcessor(exporters.traces())],
    });
    const tracer = provider.getTracer('shop-tracer', '1.2.3');
    const parent = {
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
      traceFlags: TraceFlags.SAMPLED,
    };
    const span = tracer.startSpan(
      'GET /cart',
      {
        kind: SpanKind.SERVER,
        startTime: START,
        attributes: ATTRIBUTES,
        links: [{ context: { ...parent, spanId: 'aaaaaaaaaaaaaaaa' }, attributes: { why: 'batch' } }],
      },
      trace.setSpanContext(context.active(), parent),
    );
    span.addEvent('cache miss', { key: 'cart:7' }, START + 2);
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'no such cart' });
    span.end(START + 5);
    await provider.shutdown();
    const spans = receivers.consumers.traces.batches.flatMap(spanObjects);
    expect(spans).toHaveLength(1);
    expect(spans[0]).toMatchObject({
      traceId: parent.traceId,
      parentSpanId: parent.spanId,
      spanId: span.spanContext().spanId,
      name: 'GET /cart',
      kind: 2,
      startTime: nanos(START),
      endTime: nanos(START + 5),
      attributes: ARRIVED,
      events: [{ name: 'cache miss', time: nanos(START + 2), attributes: [['key', 'cart:7']] }],
      links: [{ traceId: parent.traceId, spanId: 'aaaaaaaaaaaaaaaa', attributes: [['why', 'batch']] }],
      statusCode: 2,
      statusMessage: 'no such cart',
      scope: { name: 'shop-tracer', version: '1.2.3' },
      resource: {
        service: 'shop',
        attributes: [
          ['service.name', 'shop'],
          ['process.pid', 7n],
        ],
      },
    });
    expect(receivers.service.received.traces).toEqual({ accepted: 1, rejected: 0, refusedRequests: 0 });
  });

  it('bring log records as they were made', async () => {
    const provider = new LoggerProvider({
      resource,
      processors: [new SimpleLogRecordProcessor({ exporter: exporters.logs() })],
    });
    const spanContext = {
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
      traceFlags: TraceFlags.SAMPLED,
    };
    provider.getLogger('shop-logger').emit({
      timestamp: START,
      observedTimestamp: START + 1,
      severityNumber: SeverityNumber.WARN,
      severityText: 'WARN',
      body: { message: '\n\nDROP TABLE spans', tries: 3 },
      eventName: 'cart.lost',
      attributes: ATTRIBUTES,
      context: trace.setSpanContext(context.active(), spanContext),
    });
    await provider.forceFlush();
    await provider.shutdown();
    const logs = receivers.consumers.logs.batches.flatMap(logObjects);
    expect(logs).toHaveLength(1);
    expect(logs[0]).toMatchObject({
      time: nanos(START),
      observedTime: nanos(START + 1),
      severityNumber: 13,
      severityText: 'WARN',
      body: {
        entries: [
          ['message', '\n\nDROP TABLE spans'],
          ['tries', 3n],
        ],
      },
      eventName: 'cart.lost',
      traceId: spanContext.traceId,
      spanId: spanContext.spanId,
      flags: 1,
      attributes: ARRIVED,
      scope: { name: 'shop-logger' },
      resource: { service: 'shop' },
    });
  });

  it('bring metrics as they were made', async () => {
    const reader = new PeriodicExportingMetricReader({ exporter: exporters.metrics(), exportIntervalMillis: 60_000 });
    const provider = new MeterProvider({
      resource,
      readers: [reader],
      views: [
        {
          instrumentName: 'size',
          aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 40 } },
        },
      ],
    });
    const meter = provider.getMeter('shop-meter');
    meter.createCounter('orders', { unit: '{order}', description: 'Orders taken' }).add(3, { room: 'a' });
    meter.createUpDownCounter('open').add(-2);
    meter.createGauge('temperature', { unit: 'Cel' }).record(21.5);
    const duration = meter.createHistogram('duration', { advice: { explicitBucketBoundaries: [1, 10] } });
    for (const value of [0.5, 5, 50]) duration.record(value);
    const size = meter.createHistogram('size');
    for (const value of [1, 2, 4, 0]) size.record(value);
    await provider.shutdown();
    const points = byName(receivers.consumers.metrics.batches.flatMap(metricPointObjects));
    expect(points.get('orders')).toMatchObject({
      metric: { unit: '{order}', description: 'Orders taken', type: 2, temporality: 2, monotonic: true },
      attributes: [['room', 'a']],
      scope: { name: 'shop-meter' },
      resource: { service: 'shop' },
    });
    const numberOf = (name: string) => Number((points.get(name) as { value?: bigint | number } | undefined)?.value);
    expect([numberOf('orders'), numberOf('open'), numberOf('temperature')]).toEqual([3, -2, 21.5]);
    expect(points.get('open')?.metric).toMatchObject({ type: 2, monotonic: false });
    expect(points.get('temperature')?.metric).toMatchObject({ type: 1, unit: 'Cel' });
    expect(points.get('duration')).toMatchObject({
      metric: { type: 3, temporality: 2 },
      count: 3n,
      sum: 55.5,
      min: 0.5,
      max: 50,
      bucketCounts: [1n, 1n, 1n],
      explicitBounds: [1, 10],
    });
    expect(points.get('size')).toMatchObject({ metric: { type: 4 }, count: 4n, sum: 7, zeroCount: 1n });
  });
});
