import { expect, onTestFinished, test, vi } from 'vitest';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { settingsOf, type TestContext, testContext } from '../../pipeline/testing/component-context.ts';
import { logsOf, pointsOf, RecordSink, spansOf } from '../../pipeline/testing/record-sink.ts';
import { batchFactory } from './batch-factory.ts';

const spans = (...names: string[]) =>
  spansOf({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: names.join() } }] },
        scopeSpans: [
          {
            spans: names.map((name) => ({
              traceId: '5b8efff798038103d269b633813fc60c',
              spanId: 'eee19b7ec3c1b174',
              name,
            })),
          },
        ],
      },
    ],
  });

async function batch(yaml: string, context: TestContext = testContext({ id: 'batch' })) {
  const sink = new RecordSink();
  const settings = settingsOf(yaml);
  const { traces } = sink.consumers;
  const component = batchFactory.configure(settings).create(context, { traces });
  settings.finish();
  await component.start();
  let stopped = false;
  const stop = async (deadlineMs = 1_000) => {
    stopped = true;
    await component.shutdown(deadlineMs);
  };
  onTestFinished(async () => {
    if (!stopped) await stop(10);
  });
  return { sink, context, stop, send: (...names: string[]) => component.consumers.traces?.consume(spans(...names)) };
}

const NEVER = 'timeout: 1h\n';

test('gathers until a batch is large enough, with each record at its resource', async () => {
  const { sink, send, context } = await batch(`${NEVER}send_batch_size: 3\n`);
  await send('a');
  await send('b');
  expect(sink.spans).toEqual([]);
  await send('c', 'd');
  await vi.waitFor(() => expect(sink.batchSizes).toEqual([4]));
  expect(sink.spans.map(({ name, resource }) => [name, resource.service])).toEqual([
    ['a', 'a'],
    ['b', 'b'],
    ['c', 'c,d'],
    ['d', 'c,d'],
  ]);
  expect(context.recorded('otelcol_processor_batch_batch_send_size', { processor: 'batch' })).toEqual([4]);
  expect(context.counted('otelcol_processor_batch_batch_size_trigger_send')).toBe(1);
});

test('sends what has waited long enough', async () => {
  const { sink, send, context } = await batch('timeout: 5ms\n');
  await send('a');
  await vi.waitFor(() => expect(sink.batchSizes).toEqual([1]));
  expect(context.counted('otelcol_processor_batch_timeout_trigger_send')).toBe(1);
});

test('splits what is larger than a batch may be', async () => {
  const { sink, send } = await batch(`${NEVER}send_batch_size: 2\nsend_batch_max_size: 2\n`);
  await send('a', 'b', 'c', 'd', 'e');
  await vi.waitFor(() => expect(sink.batchSizes).toEqual([2, 2, 1]));
});

test('what is gathered is sent when the program stops', async () => {
  const { sink, send, stop } = await batch(NEVER);
  await send('a');
  await stop();
  expect(sink.spans.map(({ name }) => name)).toEqual(['a']);
});

test('tries again what the next stage refuses for now, drops what it will never take', async () => {
  const { sink, send, context } = await batch('timeout: 0s\n');
  let attempts = 0;
  sink.respond = ({ rowCount }) => {
    if (rowCount === 2) throw new SignalboxError('invalid_argument', 'no pairs');
    if (++attempts === 1) throw new SignalboxError('unavailable', 'later');
    return { rejected: 0, reason: '' };
  };
  await send('a');
  await vi.waitFor(() => expect(sink.batchSizes).toEqual([1]));
  await send('b', 'c');
  await vi.waitFor(() => expect(context.logged.join()).toContain('no pairs'));
  await send('d');
  await vi.waitFor(() => expect(sink.batchSizes).toEqual([1, 1]));
});

test('what was acknowledged and not sent is there after a restart', async () => {
  const folder = testContext().folder();
  const first = await batch(NEVER, testContext({ id: 'batch', folder }));
  first.sink.respond = () => {
    throw new SignalboxError('unavailable', 'down');
  };
  await first.send('a');
  await first.stop(20);
  expect(first.context.logged.join()).toContain('stay in the queue until the next start');
  const second = await batch(NEVER, testContext({ id: 'batch', folder }));
  await second.stop();
  expect(second.sink.spans.map(({ name }) => name)).toEqual(['a']);
});

test('a full queue refuses for its pipeline alone, and says when to come back', async () => {
  const { send } = await batch(`${NEVER}max_size: 200\ndurable: false\n`);
  await send('a');
  await expect(send('x'.repeat(200))).rejects.toMatchObject({
    code: 'resource_exhausted',
    retryable: true,
    isolated: true,
  });
});

test('says at the start what a crash would lose', async () => {
  const { context } = await batch('durable: false\n');
  expect(context.logged.join()).toContain('a crash loses what was acknowledged');
});

test('metrics and logs are gathered alike', async () => {
  const sink = new RecordSink();
  const { metrics, logs } = sink.consumers;
  const make = () => batchFactory.configure(settingsOf(NEVER));
  const ofMetrics = make().create(testContext(), { metrics });
  const ofLogs = make().create(testContext(), { logs });
  await Promise.all([ofMetrics.start(), ofLogs.start()]);
  const point = { name: 'm', gauge: { dataPoints: [{ asInt: '7' }] } };
  await ofMetrics.consumers.metrics?.consume(pointsOf({ resourceMetrics: [{ scopeMetrics: [{ metrics: [point] }] }] }));
  await ofLogs.consumers.logs?.consume(
    logsOf({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'hi' } }] }] }] }),
  );
  await Promise.all([ofMetrics.shutdown(1_000), ofLogs.shutdown(1_000)]);
  expect(sink.points.map((entry) => 'value' in entry && entry.value)).toEqual([7n]);
  expect(sink.logs.map(({ body }) => body)).toEqual(['hi']);
});

test.each([
  ['send_batch_size: 10\nsend_batch_max_size: 5', /it must be at least send_batch_size/],
  ['metadata_keys: [tenant]', /batching by metadata is not supported/],
])('%j is refused', (yaml, message) => {
  expect(() => batchFactory.configure(settingsOf(yaml))).toThrow(message);
});
