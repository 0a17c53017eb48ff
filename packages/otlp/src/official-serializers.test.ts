import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace, ValueType } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  AggregationType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it } from 'vitest';
import { decodeAny, type Signal } from './testing/decode-any.ts';

const resource = resourceFromAttributes({ 'service.name': 'shop', 'process.pid': 42 });

function bothEncodings<Request>(
  signal: Signal,
  request: Request,
  protobuf: { serializeRequest(request: Request): Uint8Array | undefined },
  json: { serializeRequest(request: Request): Uint8Array | undefined },
) {
  const decoded = [protobuf, json].map((serializer, i) => {
    const bytes = serializer.serializeRequest(request);
    expect(bytes).toBeDefined();
    const { rows, rejected } = decodeAny(signal, bytes as Uint8Array, i === 0 ? 'protobuf' : 'json');
    expect(rejected).toBeNull();
    return rows;
  });
  return decoded;
}

/** Hrtime to nanoseconds. */
const nanoseconds = ([seconds, nanos]: [number, number]) => BigInt(seconds) * 1_000_000_000n + BigInt(nanos);

describe('what the official JavaScript serializers write', () => {
  it('of spans', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const tracer = provider.getTracer('lib', '1.2.3');
    const parent = tracer.startSpan('parent', { kind: SpanKind.SERVER });
    const linked = {
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
      traceFlags: TraceFlags.SAMPLED,
    };
    const child = tracer.startSpan(
      'child é',
      {
        kind: SpanKind.CLIENT,
        attributes: { text: 'é', flag: true, int: 7, double: 1.5, list: ['a', 'b'], numbers: [1, 2.5] },
        links: [{ context: linked, attributes: { why: 'retry' } }],
      },
      trace.setSpan(ROOT_CONTEXT, parent),
    );
    child.recordException(new TypeError('no'));
    child.setStatus({ code: SpanStatusCode.ERROR, message: 'failed' });
    child.end();
    parent.end();
    const [finishedChild, finishedParent] = exporter.getFinishedSpans();
    for (const rows of bothEncodings(
      'traces',
      [finishedChild, finishedParent],
      ProtobufTraceSerializer,
      JsonTraceSerializer,
    )) {
      expect(rows).toMatchObject([
        {
          resource: {
            service: 'shop',
            attributes: [
              ['service.name', 'shop'],
              ['process.pid', 42n],
            ],
          },
          scope: { name: 'lib', version: '1.2.3' },
          traceId: child.spanContext().traceId,
          spanId: child.spanContext().spanId,
          parentSpanId: parent.spanContext().spanId,
          name: 'child é',
          kind: 3,
          startTime: nanoseconds(finishedChild.startTime),
          endTime: nanoseconds(finishedChild.endTime),
          attributes: [
            ['text', 'é'],
            ['flag', true],
            ['int', 7n],
            ['double', 1.5],
            ['list', ['a', 'b']],
            ['numbers', [1n, 2.5]],
          ],
          events: [
            {
              name: 'exception',
              attributes: expect.arrayContaining([
                ['exception.type', 'TypeError'],
                ['exception.message', 'no'],
              ]),
            },
          ],
          links: [{ traceId: linked.traceId, spanId: linked.spanId, attributes: [['why', 'retry']] }],
          statusCode: 2,
          statusMessage: 'failed',
        },
        { name: 'parent', kind: 2, parentSpanId: '0'.repeat(16), statusCode: 0 },
      ]);
    }
    await provider.shutdown();
  });

  it('of log records', async () => {
    const exporter = new InMemoryLogRecordExporter();
    const provider = new LoggerProvider({ resource, processors: [new SimpleLogRecordProcessor({ exporter })] });
    const spanContext = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', traceFlags: 1 };
    provider.getLogger('lib').emit({
      body: { message: 'hello', list: [1, 'two'] },
      severityNumber: SeverityNumber.WARN,
      severityText: 'WARN',
      timestamp: [1_760_000_000, 5],
      attributes: { user: 'u1', bytes: new Uint8Array([1, 2]) },
      eventName: 'greeting',
      context: trace.setSpanContext(context.active(), spanContext),
    });
    const records = exporter.getFinishedLogRecords();
    for (const rows of bothEncodings('logs', records, ProtobufLogsSerializer, JsonLogsSerializer)) {
      expect(rows).toMatchObject([
        {
          resource: { service: 'shop' },
          scope: { name: 'lib' },
          time: 1_760_000_000_000_000_005n,
          severityNumber: 13,
          severityText: 'WARN',
          body: {
            entries: [
              ['message', 'hello'],
              ['list', [1n, 'two']],
            ],
          },
          attributes: [
            ['user', 'u1'],
            ['bytes', new Uint8Array([1, 2])],
          ],
          eventName: 'greeting',
          traceId: spanContext.traceId,
          spanId: spanContext.spanId,
          flags: 1,
        },
      ]);
    }
    await provider.shutdown();
  });

  it('of metrics', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const provider = new MeterProvider({
      resource,
      readers: [reader],
      views: [{ instrumentName: 'exponential', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
    });
    const meter = provider.getMeter('lib');
    meter.createCounter('counter', { unit: '1', description: 'd', valueType: ValueType.INT }).add(3, { a: 'b' });
    meter.createGauge('gauge').record(1.5);
    const histogram = meter.createHistogram('histogram', { advice: { explicitBucketBoundaries: [1, 10] } });
    const exponential = meter.createHistogram('exponential');
    for (const value of [0.5, 5, 50]) {
      histogram.record(value);
      exponential.record(value);
    }
    await reader.forceFlush();
    const [metrics] = exporter.getMetrics();
    for (const rows of bothEncodings('metrics', metrics, ProtobufMetricsSerializer, JsonMetricsSerializer)) {
      expect(rows).toMatchObject([
        {
          metric: { name: 'counter', unit: '1', description: 'd', type: 2, temporality: 2, monotonic: true },
          value: 3n,
          attributes: [['a', 'b']],
        },
        { metric: { name: 'gauge', type: 1 }, value: 1.5 },
        {
          metric: { name: 'histogram', type: 3, temporality: 2 },
          count: 3n,
          sum: 55.5,
          min: 0.5,
          max: 50,
          bucketCounts: [1n, 1n, 1n],
          explicitBounds: [1, 10],
        },
        { metric: { name: 'exponential', type: 4 }, count: 3n, sum: 55.5, zeroCount: 0n },
      ]);
      const total = (rows[3] as { positiveCounts: bigint[] }).positiveCounts.reduce((a, b) => a + b, 0n);
      expect(total).toBe(3n);
    }
    await provider.shutdown();
  });
});
