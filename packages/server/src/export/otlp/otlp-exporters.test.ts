import { logObjects, metricPointObjects, type SpanBatch, spanObjects } from '@signalbox/records';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ComponentFactory, ExporterFactory } from '../../pipeline/component-factory.ts';
import { ALL_ACCEPTED } from '../../pipeline/consumer.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { settingsOf, type TestContext, testContext } from '../../pipeline/testing/component-context.ts';
import { logsOf, pointsOf, spansOf } from '../../pipeline/testing/record-sink.ts';
import { startReceivers } from '../../receive/testing/receivers.ts';
import { otlpGrpcExporterFactory } from './otlp-grpc-exporter.ts';
import { otlpHttpExporterFactory } from './otlp-http-exporter.ts';

const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
const spanNamed = (name: string) => ({ traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name });
const spans = (...names: string[]) =>
  spansOf({ resourceSpans: [{ resource, scopeSpans: [{ spans: names.map(spanNamed) }] }] });
const points = () =>
  pointsOf({
    resourceMetrics: [
      {
        resource,
        scopeMetrics: [{ metrics: [{ name: 'm', gauge: { dataPoints: [{ asInt: '7', timeUnixNano: '1' }] } }] }],
      },
    ],
  });
const logs = () =>
  logsOf({
    resourceLogs: [{ resource, scopeLogs: [{ logRecords: [{ body: { stringValue: 'é' }, severityNumber: 9 }] }] }],
  });

async function receivers() {
  const started = await startReceivers();
  onTestFinished(() => started.stop());
  return started;
}

async function exporter(
  factory: ExporterFactory,
  yaml: string,
  context: TestContext = testContext({ id: 'otlp/peer' }),
) {
  const settings = settingsOf(yaml);
  const blueprint = factory.configure(settings);
  settings.finish();
  const component = blueprint.create(context);
  await component.start();
  let stopped = false;
  const stop = async (deadlineMs = 2_000) => {
    stopped = true;
    await component.shutdown(deadlineMs);
  };
  onTestFinished(async () => {
    if (!stopped) await stop(100);
  });
  return { component, context, stop, send: (batch: SpanBatch) => component.consumers.traces?.consume(batch) };
}

/** Retries at once. */
const FAST = 'retry_on_failure: {initial_interval: 1ms, max_interval: 5ms}\n';
const grpc = (address: string, more = '') => `endpoint: ${address}\ntls: {insecure: true}\n${FAST}${more}`;
const http = (url: string, more = '') => `endpoint: ${url}\n${FAST}${more}`;

describe('every signal arrives whole', () => {
  test.each([
    ['otlp', ''],
    ['otlp', 'compression: none\n'],
    ['otlp', 'sending_queue: {enabled: false}\n'],
    ['otlp', 'sending_queue: {durable: false}\n'],
    ['otlphttp', ''],
    ['otlphttp', 'compression: none\n'],
    ['otlphttp', 'encoding: json\n'],
  ])('over %s with %j', async (type, more) => {
    const { url, grpcAddress, consumers } = await receivers();
    const { component, context, stop } =
      type === 'otlp'
        ? await exporter(otlpGrpcExporterFactory, grpc(grpcAddress, more))
        : await exporter(otlpHttpExporterFactory, http(url, more));
    await component.consumers.traces?.consume(spans('a', 'b'));
    await component.consumers.metrics?.consume(points());
    await component.consumers.logs?.consume(logs());
    await stop();
    expect(consumers.traces.batches.flatMap(spanObjects)).toEqual(spanObjects(spans('a', 'b')));
    expect(consumers.metrics.batches.flatMap(metricPointObjects)).toEqual(metricPointObjects(points()));
    expect(consumers.logs.batches.flatMap(logObjects)).toEqual(logObjects(logs()));
    expect(context.counted('otelcol_exporter_sent_spans')).toBe(2);
    expect(context.counted('otelcol_exporter_sent_log_records')).toBe(1);
    expect(context.gauged('otelcol_exporter_queue_size', { exporter: 'otlp/peer' })).toBe(
      more.includes('enabled: false') ? undefined : 0,
    );
  });
});

describe.each([
  ['otlp', otlpGrpcExporterFactory],
  ['otlphttp', otlpHttpExporterFactory],
] as const)('%s', (type, factory) => {
  const yamlFor = ({ url, grpcAddress }: Awaited<ReturnType<typeof receivers>>, more = '') =>
    type === 'otlp' ? grpc(grpcAddress, more) : http(url, more);

  test('tries again what may pass, no sooner than the destination asks, and sends it once', async () => {
    const peer = await receivers();
    let attempts = 0;
    peer.consumers.traces.respond = () => {
      if (++attempts < 3)
        throw new SignalboxError('unavailable', 'later', { retryAfterMs: attempts === 1 ? 1_000 : 0 });
      return ALL_ACCEPTED;
    };
    const { send, context } = await exporter(factory, yamlFor(peer));
    await send(spans('a'));
    await vi.waitFor(() => expect(peer.consumers.traces.batches).toHaveLength(1), { timeout: 10_000 });
    await vi.waitFor(() => expect(context.counted('otelcol_exporter_sent_spans')).toBe(1));
    expect(attempts).toBe(3);
    const pauses = context.logged.map((line) => Number(/"pause_ms":(\d+)/.exec(line)?.[1]));
    expect(pauses[0]).toBeGreaterThanOrEqual(1_000);
    expect(context.counted('otelcol_exporter_send_failed_spans')).toBe(0);
  });

  test('never tries a partial success again, and counts it', async () => {
    const peer = await receivers();
    peer.consumers.traces.respond = () => ({ rejected: 1, reason: 'too old' });
    const { send, context, stop } = await exporter(factory, yamlFor(peer));
    await send(spans('a', 'b', 'c'));
    await stop();
    expect(peer.consumers.traces.batches).toHaveLength(1);
    expect(context.counted('otelcol_exporter_sent_spans')).toBe(2);
    expect(context.counted('otelcol_exporter_send_failed_spans')).toBe(1);
    expect(context.logged.join()).toContain('too old');
  });

  test('drops what the destination will never take, counts it, and goes on', async () => {
    const peer = await receivers();
    peer.consumers.traces.respond = (batch) => {
      if (batch.rowCount === 2) throw new SignalboxError('invalid_argument', 'no pairs here');
      return ALL_ACCEPTED;
    };
    const { send, context, stop } = await exporter(factory, yamlFor(peer));
    await send(spans('a', 'b'));
    await send(spans('c'));
    await stop();
    expect(peer.consumers.traces.batches.map(({ rowCount }) => rowCount)).toEqual([1]);
    expect(context.counted('otelcol_exporter_send_failed_spans')).toBe(2);
    expect(context.logged.join()).toContain('no pairs here');
  });

  test('keeps what a dead destination does not take across a restart', async () => {
    const peer = await receivers();
    const folder = testContext().folder();
    peer.consumers.traces.respond = () => {
      throw new SignalboxError('unavailable', 'down');
    };
    const first = await exporter(factory, yamlFor(peer), testContext({ id: 'otlp/peer', folder }));
    await first.send(spans('a'));
    await first.send(spans('b'));
    await first.stop(200);
    expect(first.context.logged.join()).toContain('stay in the queue until the next start');
    expect(peer.consumers.traces.batches).toHaveLength(0);
    peer.consumers.traces.respond = () => ALL_ACCEPTED;
    const second = await exporter(factory, yamlFor(peer), testContext({ id: 'otlp/peer', folder }));
    await second.stop();
    const names = peer.consumers.traces.batches.flatMap((batch) => spanObjects(batch).map(({ name }) => name));
    // An attempt that the stop cut off may have arrived: at least once.
    expect([...new Set(names)].sort()).toEqual(['a', 'b']);
  });

  test('refuses for itself alone when its queue is full', async () => {
    const peer = await receivers();
    peer.consumers.traces.respond = () => {
      throw new SignalboxError('unavailable', 'down');
    };
    const { send, context } = await exporter(factory, yamlFor(peer, 'sending_queue: {queue_size: 2}\n'));
    await send(spans('a'));
    await send(spans('b'));
    await expect(send(spans('c', 'd'))).rejects.toMatchObject({
      code: 'resource_exhausted',
      isolated: true,
      retryable: true,
      message: 'otlp/peer: the queue is full',
    });
    expect(context.counted('otelcol_exporter_enqueue_failed_spans')).toBe(2);
  });

  test('without a queue the sender hears what the destination says', async () => {
    const peer = await receivers();
    const more = 'sending_queue: {enabled: false}\n';
    const { send } = await exporter(
      factory,
      yamlFor(peer, more).replace('initial_interval', 'enabled: false, initial_interval'),
    );
    peer.consumers.traces.respond = () => ({ rejected: 1, reason: 'too old' });
    expect(await send(spans('a', 'b'))).toEqual({ rejected: 1, reason: 'too old' });
    peer.consumers.traces.respond = () => {
      throw new SignalboxError('unavailable', 'down');
    };
    await expect(send(spans('a'))).rejects.toMatchObject({ retryable: true, isolated: false });
  });

  test('says at the start what a crash would lose', async () => {
    const peer = await receivers();
    const { context } = await exporter(factory, yamlFor(peer, 'sending_queue: {durable: false}\n'));
    expect(context.logged.join()).toContain('a crash loses what was acknowledged and not sent yet');
  });
});

test.each([
  [otlpGrpcExporterFactory, '{}', /"endpoint" is required/],
  [otlpGrpcExporterFactory, 'endpoint: tempo', /endpoint: it is not an address/],
  [otlpGrpcExporterFactory, 'endpoint: tempo:4317\ncompression: snappy', /"snappy" is not one of gzip, none/],
  [otlpGrpcExporterFactory, 'endpoint: tempo:4317\ntls: {cert_file: a}', /cert_file and key_file belong together/],
  [otlpHttpExporterFactory, '{}', /endpoint or traces_endpoint is required/],
  [otlpHttpExporterFactory, 'endpoint: tempo:4318', /"tempo:4318" is not an http:\/\/ or https:\/\/ address/],
] as [ComponentFactory, string, RegExp][])('settings that can not work are refused: %#', (factory, yaml, message) => {
  expect(() => factory.configure(settingsOf(yaml))).toThrow(message);
});
