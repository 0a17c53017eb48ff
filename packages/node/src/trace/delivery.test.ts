import { context, propagation, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StartOptions } from '../options.ts';
import { alwaysOff } from '../sampling/simple-samplers.ts';
import { start, type Telemetry } from '../start.ts';
import { OtlpSink } from '../testing/otlp-sink.ts';
import { registry, violations } from '../testing/registry.ts';

let sink: OtlpSink;
let telemetry: Telemetry | undefined;

beforeEach(async () => {
  sink = await new OtlpSink().listen();
});
afterEach(async () => {
  await telemetry?.shutdown();
  telemetry = undefined;
  await sink.close();
});

function begin(options: StartOptions = {}): Telemetry {
  // How long a busy machine takes is not what is tested.
  const patience = { shutdownTimeoutMillis: 50_000 };
  telemetry = start({ endpoint: sink.url, handleExit: false, instrumentations: [], ...patience, ...options });
  return telemetry;
}

function emit(count: number): void {
  const tracer = trace.getTracer('app', '1.0');
  for (let index = 0; index < count; index += 1) tracer.startSpan(`span ${index}`, { attributes: { index } }).end();
}

test('a collector that takes 100 ms for each request loses nothing of 20,000 spans in one turn of the event loop', async () => {
  let most = 0;
  let open = 0;
  sink.answer = (_request, response, decode) => {
    decode();
    open += 1;
    most = Math.max(most, open);
    setTimeout(() => {
      open -= 1;
      response.end();
    }, 100);
  };
  const { flush } = begin();
  emit(20_000);
  expect(await flush()).toMatchObject({ flushed: { spans: 20_000 }, dropped: { spans: 0 }, errors: [] });
  expect(new Set(sink.spans.map(({ name }) => name)).size).toBe(20_000);
  expect(sink.spans.find(({ name }) => name === 'span 7')).toMatchObject({ scope: 'app', attributes: { index: 7 } });
  expect(most).toBeGreaterThan(1);
});

test.each([
  ['records', { maxQueueSize: 600 }],
  ['bytes', { maxQueueBytes: 64 * 1024 }],
])('a queue that is full drops, counts and says so (%s)', async (_, traces) => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  sink.answer = (_request, response, decode) => {
    decode();
    void held.then(() => response.end());
  };
  const { flush } = begin({ traces });
  emit(20_000);
  release();
  const { flushed, dropped } = await flush();
  expect(dropped.spans).toBeGreaterThan(0);
  expect(flushed.spans + dropped.spans).toBe(20_000);
  expect(sink.spans).toHaveLength(flushed.spans);
  sink.answer = (_request, response, decode) => {
    decode();
    response.end();
  };
  await flush();
  expect(sink.point('otel.sdk.processor.span.processed', { 'error.type': 'queue_full' }).value).toBe(dropped.spans);
});

test('the SDK tells what it does, in the words of the conventions', async () => {
  const { flush } = begin();
  emit(3);
  const open = trace.getTracer('app').startSpan('open');
  const remote = propagation.extract(ROOT_CONTEXT, { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` });
  trace.getTracer('app').startSpan('child of another service', {}, remote).end();
  await flush();
  await flush();
  const sampled = { 'otel.span.sampling_result': 'RECORD_AND_SAMPLE' };
  expect(sink.point('otel.sdk.span.started', { ...sampled, 'otel.span.parent.origin': 'none' }).value).toBe(4);
  expect(sink.point('otel.sdk.span.started', { ...sampled, 'otel.span.parent.origin': 'remote' }).value).toBe(1);
  expect(sink.point('otel.sdk.span.live', sampled).value).toBe(1);
  expect(sink.point('otel.sdk.processor.span.queue.size').value).toBe(0);
  expect(sink.point('otel.sdk.processor.span.queue.capacity').value).toBe(65_536);
  expect(sink.point('otel.sdk.processor.span.processed').value).toBe(4);
  expect(sink.point('otel.sdk.exporter.span.exported').value).toBe(4);
  expect(sink.point('otel.sdk.exporter.metric_data_point.exported').value).toBeGreaterThan(0);
  open.end();
  if (registry === undefined) return;
  for (const { metric, unit, attributes } of sink.points.filter((point) => point.metric.startsWith('otel.'))) {
    expect(registry.metrics[metric]?.unit, metric).toBe(unit);
    expect(violations(attributes, registry), metric).toEqual([]);
  }
});

test('with a processor of the official kind spans are the official ones, and reach both', async () => {
  const seen: ReadableSpan[] = [];
  const processor: SpanProcessor = {
    onStart(span) {
      span.setAttribute('by.processor', true);
    },
    onEnd: (span) => void seen.push(span),
    forceFlush: async () => {
      throw new Error('its own trouble');
    },
    shutdown: async () => {},
  };
  const { flush } = begin({ traces: { spanProcessors: [processor] } });
  emit(2);
  const { flushed, errors } = await flush();
  expect(flushed.spans).toBe(2);
  expect(errors).toHaveLength(1);
  expect(seen.map(({ name }) => name)).toEqual(['span 0', 'span 1']);
  expect(sink.span('span 0').attributes).toEqual({ index: 0, 'by.processor': true });
});

test('errors and slow traces are kept whole although nothing is sampled', async () => {
  const { flush } = begin({ sampler: alwaysOff, sampling: { keepErrors: true, keepSlowerThanMillis: 60_000 } });
  const tracer = trace.getTracer('app');
  const request = (name: string, fails: boolean, start = Date.now()): void =>
    tracer.startActiveSpan(name, { startTime: start }, (root) => {
      const carrier: Record<string, string> = {};
      propagation.inject(context.active(), carrier);
      expect(carrier.traceparent).toMatch(/-00$/);
      const child = tracer.startSpan(`child of ${name}`);
      if (fails) child.setStatus({ code: SpanStatusCode.ERROR });
      child.end();
      root.end();
    });
  request('fine', false);
  request('failing', true);
  request('slow', false, Date.now() - 61_000);
  await flush();
  expect(sink.spans.map(({ name }) => name).sort()).toEqual(['child of failing', 'child of slow', 'failing', 'slow']);
  expect(sink.span('child of failing').parentSpanId).toBe(sink.span('failing').spanId);
});

test('rate, errors and duration come from all spans, sampled or not', async () => {
  const { flush } = begin({ sampler: alwaysOff, metrics: { spanMetrics: true } });
  const tracer = trace.getTracer('app');
  for (let index = 0; index < 5; index += 1) tracer.startSpan('job').end();
  tracer.startSpan('job').setStatus({ code: SpanStatusCode.ERROR }).end();
  await flush();
  expect(sink.spans).toEqual([]);
  const unset = { 'span.name': 'job', 'span.kind': 'SPAN_KIND_INTERNAL', 'status.code': 'STATUS_CODE_UNSET' };
  expect(sink.point('traces.span.metrics.calls', unset).value).toBe(5);
  expect(sink.point('traces.span.metrics.duration', unset).count).toBe(5);
  expect(sink.point('traces.span.metrics.calls', { ...unset, 'status.code': 'STATUS_CODE_ERROR' }).value).toBe(1);
});
