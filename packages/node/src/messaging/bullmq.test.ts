import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';
import { outage } from '../testing/outage.ts';
import { hasProgram, type PeerServer, startRedis } from '../testing/peer-server.ts';

const hasRedis = hasProgram('redis-server');
const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';
const [producer, consumer] = [4, 5];

const body = `
const tracer = trace.getTracer('app');
const connection = { host: '127.0.0.1', port: Number(process.env.REDIS), maxRetriesPerRequest: null };
const step = (name, run) => tracer.startActiveSpan(name, async (span) => { try { return await run(span); } finally { span.end(); } });
const run = async () => {
  const queue = new Queue('mails', { connection });
  const done = new Set();
  let all;
  const finished = new Promise((resolve) => { all = resolve; });
  const note = (name) => { done.add(name); if (done.size === 5) all(); };
  const worker = new Worker('mails', async (job, token) => {
    tracer.startSpan('handling ' + job.name).end();
    if (job.name === 'fails') throw new Error('no such address');
    if (job.name === 'later' && job.attemptsStarted === 1) {
      await job.moveToDelayed(Date.now() + 10, token);
      throw new DelayedError();
    }
  }, { connection });
  worker.on('completed', (job) => note(job.name));
  worker.on('failed', (job) => note(job.name));
  await step('order', () => queue.add('one', { to: 'secret' }, { jobId: 'order-1' }));
  await step('failing', () => queue.add('fails', { to: 'secret' }));
  await step('delaying', () => queue.add('later', { to: 'secret' }));
  await step('many', () => queue.addBulk([{ name: 'first', data: {} }, { name: 'second', data: {} }]));
  await finished;
  await worker.close();
  await queue.close();
};
run();
`;

const variants = [
  {
    file: 'app.mjs',
    source: `import { DelayedError, Queue, Worker } from 'bullmq'; import { trace } from '@opentelemetry/api';${body}`,
  },
  {
    file: 'app.cjs',
    source: `const { DelayedError, Queue, Worker } = require('bullmq'); const { trace } = require('@opentelemetry/api');${body}`,
  },
] as const;

beforeAll(buildPackage, 120_000);

describe.skipIf(!hasRedis).each(variants)(
  'BullMQ and a real Redis, which needs redis-server ($file)',
  ({ file, source }) => {
    const sink = new OtlpSink();
    let server: PeerServer;

    beforeAll(async () => {
      await sink.listen();
      server = await startRedis();
      const app = new App({ file, source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, REDIS: String(server.port) } });
      expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    }, 60_000);
    afterAll(async () => {
      await server.stop();
      await sink.close();
    });

    const childrenOf = (parent: SinkSpan, kind: number): SinkSpan[] =>
      sink.spans.filter((span) => span.parentSpanId === parent.spanId && span.kind === kind);
    const only = (spans: SinkSpan[]): SinkSpan => {
      const [span] = spans;
      if (span === undefined || spans.length > 1) throw new Error(`${spans.length} spans instead of one`);
      return span;
    };

    test('a job is one trace from where it is added to where it is handled', () => {
      const published = only(childrenOf(sink.span('order'), producer));
      expect(published).toMatchObject({
        name: 'publish mails',
        attributes: {
          'messaging.system': 'bullmq',
          'messaging.destination.name': 'mails',
          'messaging.operation': 'publish',
          'messaging.message.id': 'order-1',
        },
      });
      const processed = only(childrenOf(published, consumer));
      expect(processed).toMatchObject({
        name: 'process mails',
        status: { code: 0 },
        attributes: { 'messaging.operation': 'process', 'messaging.message.id': 'order-1' },
      });
      expect(childrenOf(processed, 1).map(({ name }) => name)).toEqual(['handling one']);
      expect(published.traceId).toBe(sink.span('order').traceId);
    });

    test('a job that fails is an error; one that is put back is handled twice, and is none', () => {
      const failed = only(childrenOf(only(childrenOf(sink.span('failing'), producer)), consumer));
      expect(failed.status).toEqual({ code: 2, message: 'no such address' });
      const delayed = childrenOf(only(childrenOf(sink.span('delaying'), producer)), consumer);
      expect(delayed.map(({ status }) => status.code)).toEqual([0, 0]);
    });

    test('jobs added together share a producer', () => {
      const published = only(childrenOf(sink.span('many'), producer));
      expect(published.attributes['messaging.batch.message_count']).toBe(2);
      const processed = childrenOf(published, consumer);
      expect(processed.flatMap((span) => childrenOf(span, 1).map(({ name }) => name)).sort()).toEqual([
        'handling first',
        'handling second',
      ]);
    });

    test('jobs are counted by what became of them, and timed', () => {
      const value = (result: string): number => sink.point('queue_messages_total', { queue: 'mails', result }).value;
      expect([value('ack'), value('nack')]).toEqual([4, 2]);
      expect(sink.point('queue_process_duration_seconds', { queue: 'mails', result: 'ack' })).toMatchObject({
        unit: 's',
        count: 4,
      });
      expect(sink.point('queue_in_flight', { queue: 'mails' }).value).toBe(0);
      expect(JSON.stringify(sink.spans.map(({ attributes }) => attributes))).not.toContain('secret');
    });
  },
);

describe.skipIf(!hasRedis || !isFull)(
  'BullMQ and a Redis that is slow, goes away and comes back (long tier; needs redis-server)',
  () => {
    const sink = new OtlpSink();
    let server: PeerServer;
    let statuses: readonly number[];

    beforeAll(async () => {
      await sink.listen();
      server = await startRedis();
      const source = `
        import http from 'node:http';
        import { Queue, Worker } from 'bullmq';
        import Redis from 'ioredis';
        const connection = { host: '127.0.0.1', port: Number(process.env.REDIS), retryStrategy: () => 50 };
        const queue = new Queue('mails', { connection: { ...connection, enableOfflineQueue: false } });
        const worker = new Worker('mails', async () => {}, { connection: { ...connection, maxRetriesPerRequest: null } });
        for (const each of [queue, worker]) each.on('error', () => {});
        await queue.waitUntilReady();
        await worker.waitUntilReady();
        const add = async (name) => {
          const processed = new Promise((resolve) => worker.once('completed', resolve));
          await queue.add(name, {});
          await processed;
        };
        const pausing = new Redis(connection);
        await pausing.call('CLIENT', 'PAUSE', '3000', 'ALL');
        await add('slow');
        pausing.disconnect();
        http.createServer(async (request, response) => {
          try { await add('mail'); response.end(); }
          catch (error) { response.writeHead(503).end(error.message); }
        }).listen(0, '127.0.0.1', function () { console.log('port=' + this.address().port); });`;
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, REDIS: String(server.port) };
      const app = new App({ file: 'app.mjs', source, env });
      statuses = await outage(app, server);
      await app.stop();
    }, 240_000);
    afterAll(async () => {
      await server.remove();
      await sink.close();
    });

    test('is an error while it is away, and not before or after', () => {
      expect(statuses).toEqual([200, 503, 200]);
      const sent = sink.spans.filter(({ name }) => name === 'publish mails');
      expect(sent[1]?.status.code).toBe(0);
      expect(sent.some(({ status }) => status.code === 2)).toBe(true);
      expect(sent.at(-1)?.status.code).toBe(0);
      for (const each of [sent[1], sent.at(-1)])
        expect(
          sink.spans.filter(({ parentSpanId, kind }) => parentSpanId === each?.spanId && kind === consumer),
        ).toMatchObject([{ name: 'process mails', status: { code: 0 } }]);
      expect(sink.point('queue_in_flight').value).toBe(0);
    });

    test('is waited for while it is slow, and the span is as long as that', () => {
      const slow = sink.spans.find(({ name }) => name === 'publish mails');
      expect(slow?.status.code).toBe(0);
      expect(Number((slow?.end ?? 0n) - (slow?.start ?? 0n))).toBeGreaterThan(500e6);
    });
  },
);
