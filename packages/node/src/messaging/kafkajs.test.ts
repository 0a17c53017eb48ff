import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';
import { outage } from '../testing/outage.ts';
import { freePort, kafkaJars, type PeerServer, startKafka } from '../testing/peer-server.ts';
import { askSlowly, SlowPort } from '../testing/slow-port.ts';

const canRun = process.env.SIGNALBOX_TEST_TIER === 'full' && kafkaJars() !== undefined;
const [producer, consumer] = [4, 5];

const body = `
const tracer = trace.getTracer('app');
const step = (name, run) => tracer.startActiveSpan(name, async (span) => { try { return await run(span); } finally { span.end(); } });
const handling = (what) => tracer.startSpan('handling ' + what).end();
const run = async () => {
  const kafka = new Kafka({ brokers: ['127.0.0.1:' + process.env.KAFKA], logLevel: 0, retry: { initialRetryTime: 50 } });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: ['orders', 'batches', 'other'].map((topic) => ({ topic, numPartitions: 1 })), waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  const message = { key: 'secret', value: 'secret one', headers: { own: 'kept' } };
  await step('one', () => producer.send({ topic: 'orders', messages: [message] }));
  await step('failing', () => producer.send({ topic: 'orders', messages: [{ value: 'fails' }] }));
  await step('several', () => producer.send({ topic: 'batches', messages: [{ value: 'a' }, { value: 'b' }] }));
  await step('topics', () => producer.sendBatch({ topicMessages: [{ topic: 'batches', messages: [{ value: 'c' }] }, { topic: 'other', messages: [{ value: 'd' }] }] }));
  await step('refused', () => producer.send({ topic: 'orders', messages: [{}] }).catch((error) => console.log('send=' + error.name)));
  const transactional = kafka.producer({ transactionalId: 't', idempotent: true, maxInFlightRequests: 1 });
  await transactional.connect();
  await step('in a transaction', async () => {
    const transaction = await transactional.transaction();
    await transaction.send({ topic: 'orders', messages: [{ value: 'bound' }] });
    await transaction.commit();
  });
  console.log('message=' + JSON.stringify(message));
  const ones = kafka.consumer({ groupId: 'ones' });
  await ones.connect();
  await ones.subscribe({ topic: 'orders', fromBeginning: true });
  let tries = 0;
  await new Promise((resolve) => ones.run({ eachMessage: async ({ message }) => {
    const text = String(message.value);
    await new Promise((resolve) => setTimeout(resolve, 2));
    handling(text);
    if (text === 'secret one') console.log('headers=' + Object.keys(message.headers).sort());
    if (text === 'fails' && tries++ === 0) throw new Error('no such address');
    if (text === 'bound') setTimeout(resolve);
  } }));
  await ones.disconnect();
  const batches = kafka.consumer({ groupId: 'batches' });
  await batches.connect();
  await batches.subscribe({ topic: 'batches', fromBeginning: true });
  let count = 0;
  await new Promise((resolve) => batches.run({ eachBatch: async ({ batch }) => {
    handling('batch');
    count += batch.messages.length;
    if (count === 3) setTimeout(resolve);
  } }));
  await batches.disconnect();
  await producer.disconnect();
  await transactional.disconnect();
};
run();
`;

const variants = [
  { file: 'app.mjs', source: `import { Kafka } from 'kafkajs'; import { trace } from '@opentelemetry/api';${body}` },
  {
    file: 'app.cjs',
    source: `const { Kafka } = require('kafkajs'); const { trace } = require('@opentelemetry/api');${body}`,
  },
] as const;

describe.skipIf(!canRun)(
  'KafkaJS and a real Kafka (long tier; SIGNALBOX_TEST_KAFKA names the folder of its jars)',
  () => {
    beforeAll(buildPackage, 120_000);

    describe.each(variants)('$file', ({ file, source }) => {
      const sink = new OtlpSink();
      let server: PeerServer;
      let app: App;

      beforeAll(async () => {
        server = await startKafka();
        await sink.listen();
        app = new App({ file, source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, KAFKA: String(server.port) } });
        expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
      }, 400_000);
      afterAll(async () => {
        await server.remove();
        await sink.close();
      });

      const childrenOf = (parent: SinkSpan, kind: number): SinkSpan[] =>
        sink.spans.filter((span) => span.parentSpanId === parent.spanId && span.kind === kind);
      const only = (spans: SinkSpan[]): SinkSpan => {
        const [span] = spans;
        if (span === undefined || spans.length > 1) throw new Error(`${spans.length} spans instead of one`);
        return span;
      };
      const published = (name: string): SinkSpan => only(childrenOf(sink.span(name), producer));

      test('a message is one trace from its sender to its handler', () => {
        expect(published('one')).toMatchObject({
          name: 'publish orders',
          attributes: {
            'messaging.system': 'kafka',
            'messaging.destination.name': 'orders',
            'messaging.operation': 'publish',
            'messaging.message.id': '0:0',
          },
        });
        const received = only(childrenOf(published('one'), consumer));
        expect(received).toMatchObject({
          name: 'process orders',
          status: { code: 0 },
          attributes: {
            'messaging.operation': 'process',
            'messaging.message.id': '0:0',
            'messaging.destination.partition.id': '0',
            'messaging.kafka.offset': 0,
            'messaging.consumer.group.name': 'ones',
          },
        });
        expect(childrenOf(received, 1).map(({ name }) => name)).toEqual(['handling secret one']);
        const bound = only(childrenOf(published('in a transaction'), consumer));
        expect(childrenOf(bound, 1).map(({ name }) => name)).toEqual(['handling bound']);
      });

      test('a handler that fails is an error, and the message comes again', () => {
        const received = childrenOf(published('failing'), consumer);
        expect(received.map(({ status }) => status)).toEqual([
          { code: 2, message: 'no such address' },
          { code: 0, message: '' },
        ]);
      });

      test('messages that are sent together have one span for each topic, and a batch has links to all of its senders', () => {
        expect(published('several').attributes['messaging.batch.message_count']).toBe(2);
        const topics = childrenOf(sink.span('topics'), producer);
        expect(topics.map(({ name }) => name)).toEqual(['publish batches', 'publish other']);
        const batches = sink.spans.filter(({ name }) => name === 'process batches');
        expect(batches.map(({ parentSpanId }) => parentSpanId)).toEqual(batches.map(() => ''));
        const linked = batches.flatMap(({ links }) => links.map(({ spanId }) => spanId));
        const [several, [first]] = [published('several'), topics];
        expect(linked).toEqual([several.spanId, several.spanId, first?.spanId]);
        for (const batch of batches) expect(childrenOf(batch, 1).map(({ name }) => name)).toEqual(['handling batch']);
      });

      test('messages are counted, timed and no longer in flight; keys and values are not recorded', () => {
        const value = (queue: string, result: string): number =>
          sink.point('queue_messages_total', { queue, result }).value;
        expect([value('orders', 'ack'), value('orders', 'nack'), value('batches', 'ack')]).toEqual([3, 1, 3]);
        expect(sink.point('queue_process_duration_seconds', { queue: 'orders', result: 'ack' })).toMatchObject({
          unit: 's',
          count: 3,
        });
        for (const { value } of sink.points.filter(({ metric }) => metric === 'queue_in_flight')) expect(value).toBe(0);
        expect(JSON.stringify(sink.spans.map(({ attributes }) => attributes))).not.toContain('secret');
        expect(published('refused').status.code).toBe(2);
        expect(app.stdout).toContain('send=KafkaJSNonRetriableError');
        expect(app.stdout).toContain('message={"key":"secret","value":"secret one","headers":{"own":"kept"}}');
        expect(app.stdout).toContain('headers=own,traceparent');
        expect(app.stderr).not.toContain('signalbox');
      });
    });

    describe('that is slow, goes away and comes back', () => {
      const sink = new OtlpSink();
      let server: PeerServer;
      let port: SlowPort;
      let statuses: readonly number[];
      let slowStatus: number;

      beforeAll(async () => {
        // Clients go where the broker says that it is.
        const own = await freePort();
        port = await SlowPort.before(own);
        server = await startKafka({ own, told: port.port });
        await sink.listen();
        const source = `
        import http from 'node:http';
        import { Kafka } from 'kafkajs';
        const kafka = new Kafka({ brokers: ['127.0.0.1:' + process.env.KAFKA], logLevel: 0, requestTimeout: 2000, retry: { initialRetryTime: 50, retries: 2 } });
        const admin = kafka.admin();
        await admin.connect();
        await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 1 }], waitForLeaders: true });
        await admin.disconnect();
        const producer = kafka.producer();
        await producer.connect();
        const consumer = kafka.consumer({ groupId: 'g', retry: { retries: 100 } });
        await consumer.connect();
        await consumer.subscribe({ topic: 'orders', fromBeginning: true });
        await consumer.run({ eachMessage: async ({ message }) => console.log('handled=' + message.offset) });
        http.createServer(async (request, response) => {
          try { await producer.send({ topic: 'orders', messages: [{ value: 'x' }], timeout: 2000 }); response.end(); }
          catch (error) { response.writeHead(503).end(error.message); }
        }).listen(0, '127.0.0.1', function () { console.log('port=' + this.address().port); });`;
        const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, KAFKA: String(port.port) };
        const app = new App({ file: 'app.mjs', source, env });
        slowStatus = await askSlowly(`http://127.0.0.1:${await app.port()}/`, port, 600);
        await app.printed(/handled=0/);
        statuses = await outage(app, server);
        await app.stop();
      }, 400_000);
      afterAll(async () => {
        await port.close();
        await server.remove();
        await sink.close();
      });

      test('is an error while it is away, and not before or after', () => {
        expect(statuses).toEqual([200, 503, 200]);
        const sent = sink.spans.filter(({ name }) => name === 'publish orders');
        expect(sent[0]?.status.code).toBe(0);
        expect(sent.some(({ status }) => status.code === 2)).toBe(true);
        expect(sent.at(-1)?.status.code).toBe(0);
      });

      test('is waited for while it is slow: a message is published when the broker has it', () => {
        expect(slowStatus).toBe(200);
        const slow = sink.spans.find(({ name }) => name === 'publish orders');
        expect(slow).toMatchObject({ status: { code: 0 }, attributes: { 'messaging.message.id': '0:0' } });
        expect(Number((slow?.end ?? 0n) - (slow?.start ?? 0n))).toBeGreaterThan(1_000e6);
        const [processed] = sink.spans.filter(({ parentSpanId }) => parentSpanId === slow?.spanId);
        expect(processed).toMatchObject({ name: 'process orders', status: { code: 0 } });
        // What the way there and back takes is none of the handler's time.
        expect(Number((processed?.end ?? 0n) - (processed?.start ?? 0n))).toBeLessThan(500e6);
      });
    });
  },
);
