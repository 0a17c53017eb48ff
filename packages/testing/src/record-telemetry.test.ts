import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { metrics, SpanStatusCode, trace } from '@opentelemetry/api';
import { logs, SeverityNumber } from '@opentelemetry/api-logs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { assertLogInSpan, assertMetricValue, assertSameTrace, mustHaveSpan } from './assertions.ts';
import { metricCount, metricValue } from './metric-checks.ts';
import { recordTelemetry, type TelemetryRecorder } from './record-telemetry.ts';
import { traceText } from './trace-text.ts';

let recorder: TelemetryRecorder;

beforeAll(async () => {
  recorder = await recordTelemetry({ serviceName: 'shop', resourceAttributes: { team: 'checkout' } });
});

beforeEach(() => recorder.reset());

afterAll(() => recorder.stop());

test('a request through a real server is one trace of what every part did, with its logs and metrics', async () => {
  const tracer = trace.getTracer('shop');
  const server = createServer((_request, response) => {
    tracer.startActiveSpan('load cart', { attributes: { 'cart.items': 3, 'cart.weights': [1.5, 2] } }, (span) => {
      logs.getLogger('shop').emit({
        body: 'cart is full',
        severityNumber: SeverityNumber.WARN,
        severityText: 'WARN',
        attributes: { items: 3 },
      });
      span.setStatus({ code: SpanStatusCode.ERROR, message: 'too many' });
      span.end();
    });
    response.writeHead(503).end('busy');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/cart?token=secret`);
  await answer.text();
  server.close();
  await once(server, 'close');

  const recording = await recorder.collect();
  expect(recording.traces).toHaveLength(1);
  expect(traceText(recording.traces[0] as never)).toBe(
    ['GET (client, error)', '  GET (server, error)', '    load cart (internal, error)'].join('\n'),
  );
  const cart = mustHaveSpan(recording, 'load cart');
  expect(cart).toMatchObject({
    attributes: { 'cart.items': 3, 'cart.weights': [1.5, 2] },
    status: { code: 'error', message: 'too many' },
    scope: { name: 'shop' },
    resource: { 'service.name': 'shop', team: 'checkout' },
  });
  expect(cart.durationMillis).toBeGreaterThan(0);
  assertSameTrace(...recording.spans);
  assertLogInSpan(recording, cart, { body: /full/, severityText: 'WARN', attributes: { items: 3 } });
  expect(
    metricCount(recording, 'http.server.request.duration', {
      'http.request.method': 'GET',
      'http.response.status_code': 503,
    }),
  ).toBe(1);
});

test('metrics are those of the real provider: sums are added, gauges replaced, histograms have their buckets', async () => {
  const meter = metrics.getMeter('shop');
  const orders = meter.createCounter('orders', { unit: '{order}', description: 'Orders.' });
  const open = meter.createUpDownCounter('orders.open');
  const temperature = meter.createGauge('temperature');
  const amount = meter.createHistogram('amount', { advice: { explicitBucketBoundaries: [1, 10] } });
  orders.add(2, { kind: 'book' });
  orders.add(1, { kind: 'music' });
  open.add(1);
  open.add(-1);
  temperature.record(20);
  temperature.record(21.5);
  for (const value of [0.5, 5, 7, 70]) amount.record(value);
  await recorder.collect();
  orders.add(4, { kind: 'book' });

  const recording = await recorder.collect();
  expect(recording.metric('orders')).toMatchObject({
    unit: '{order}',
    description: 'Orders.',
    type: 'sum',
    temporality: 'cumulative',
    monotonic: true,
  });
  assertMetricValue(recording, 'orders', 7);
  assertMetricValue(recording, 'orders', 6, { kind: 'book' });
  assertMetricValue(recording, 'orders.open', 0);
  assertMetricValue(recording, 'temperature', 21.5);
  expect(metricValue(recording, 'amount')).toBeUndefined();
  expect(recording.metric('amount')?.series).toEqual([
    expect.objectContaining({ count: 4, sum: 82.5, bounds: [1, 10], bucketCounts: [1, 2, 1] }),
  ]);
});

test('what was recorded before a reset is gone, what is recorded after it is there', async () => {
  const tracer = trace.getTracer('shop');
  tracer.startSpan('before').end();
  await recorder.reset();
  tracer.startSpan('after').end();
  expect((await recorder.collect()).spans.map(({ name }) => name)).toEqual(['after']);
});

test('a second recorder is refused while telemetry runs, and telemetry goes on', async () => {
  await expect(recordTelemetry()).rejects.toThrow('telemetry was started before');
  trace.getTracer('shop').startSpan('still here').end();
  mustHaveSpan(await recorder.collect(), 'still here');
});

test('a switched off SDK is said, not recorded as silence', async () => {
  process.env.OTEL_SDK_DISABLED = 'true';
  try {
    await expect(recordTelemetry()).rejects.toThrow('OTEL_SDK_DISABLED');
  } finally {
    delete process.env.OTEL_SDK_DISABLED;
  }
});
