import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';
import { outage } from '../testing/outage.ts';
import { type PeerServer, rabbitmqProgram, startRabbitmq } from '../testing/peer-server.ts';
import { askSlowly, SlowPort } from '../testing/slow-port.ts';

/** RabbitMQ takes half a minute to start. */
const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';
const canRun = isFull && rabbitmqProgram() !== undefined;
const [producer, consumer] = [4, 5];

const run = `
const tracer = trace.getTracer('app');
const step = (name, run) => tracer.startActiveSpan(name, async (span) => { try { return await run(span); } finally { span.end(); } });
const main = async () => {
  const connection = await amqp.connect('amqp://127.0.0.1:' + process.env.PEER);
  const channel = await connection.createConfirmChannel();
  const plain = await connection.createChannel();
  await channel.assertExchange('shop', 'direct');
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'shop', 'order');
  const later = [];
  let handled = 0;
  let all;
  const finished = new Promise((resolve) => { all = resolve; });
  const count = () => { handled += 1; if (handled === 6) all(); };
  await plain.consume(queue, (message) => {
    const text = String(message.content);
    tracer.startSpan('handling ' + text).end();
    if (text === 'acked') plain.ack(message);
    else if (text === 'refused') plain.reject(message, false);
    else {
      later.push(message);
      // Two that are acknowledged together; the last one never is.
      if (later.length === 2) plain.ack(message, true);
    }
    count();
  });
  const options = { headers: { own: 'kept' }, messageId: 'm1' };
  await step('confirmed', () => new Promise((resolve, reject) => channel.publish('shop', 'order', Buffer.from('acked'), options, (error) => {
    tracer.startSpan('confirmation').end();
    error ? reject(error) : resolve();
  })));
  await step('plain', () => plain.publish('shop', 'order', Buffer.from('refused')));
  for (const name of ['first', 'second']) await step(name, () => plain.sendToQueue(queue, Buffer.from(name)));
  await plain.consume((await plain.assertQueue('fast', { durable: false, autoDelete: true })).queue, async (message) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    tracer.startSpan('handling ' + String(message.content)).end();
    console.log('headers=' + Object.keys(message.properties.headers).sort());
    count();
  }, { noAck: true });
  await step('unacknowledged', () => plain.sendToQueue('fast', Buffer.from('fast'), options));
  await step('last', () => plain.sendToQueue(queue, Buffer.from('last')));
  await finished;
  console.log('options=' + JSON.stringify(options));
  await plain.close();
  await connection.close();
};
main();
`;

const variants = [
  { file: 'app.mjs', source: `import amqp from 'amqplib'; import { trace } from '@opentelemetry/api';${run}` },
  {
    file: 'app.cjs',
    source: `const amqp = require('amqplib'); const { trace } = require('@opentelemetry/api');${run}`,
  },
] as const;

describe.skipIf(!canRun)('amqplib and a real RabbitMQ (long tier; RabbitMQ must be installed)', () => {
  let server: PeerServer;
  beforeAll(async () => {
    buildPackage();
    server = await startRabbitmq();
  }, 180_000);
  afterAll(() => server.remove());

  describe.each(variants)('$file', ({ file, source }) => {
    const sink = new OtlpSink();
    let app: App;
    beforeAll(async () => {
      await sink.listen();
      app = new App({ file, source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port) } });
      expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    }, 60_000);
    afterAll(() => sink.close());

    const childrenOf = (parent: SinkSpan, kind: number): SinkSpan[] =>
      sink.spans.filter((span) => span.parentSpanId === parent.spanId && span.kind === kind);
    const only = (spans: SinkSpan[]): SinkSpan => {
      const [span] = spans;
      if (span === undefined || spans.length > 1) throw new Error(`${spans.length} spans instead of one`);
      return span;
    };
    const processed = (name: string): SinkSpan =>
      only(childrenOf(only(childrenOf(sink.span(name), producer)), consumer));

    test('a message is one trace from its sender to its handler', () => {
      const published = only(childrenOf(sink.span('confirmed'), producer));
      expect(published).toMatchObject({
        name: 'publish shop',
        attributes: {
          'messaging.system': 'rabbitmq',
          'messaging.destination.name': 'shop',
          'messaging.rabbitmq.destination.routing_key': 'order',
          'messaging.message.id': 'm1',
        },
      });
      const received = only(childrenOf(published, consumer));
      expect(received.attributes).toMatchObject({ 'messaging.operation': 'process', 'messaging.message.id': 'm1' });
      expect(childrenOf(received, 1).map(({ name }) => name)).toEqual(['handling acked']);
      // The callback of the confirmation is the caller's.
      expect(sink.span('confirmation').parentSpanId).toBe(sink.span('confirmed').spanId);
    });

    test('acknowledged one by one, together, refused, without acknowledgement, or never', () => {
      for (const name of ['plain', 'first', 'second', 'unacknowledged']) expect(processed(name).status.code).toBe(0);
      expect(childrenOf(processed('unacknowledged'), 1).map(({ name }) => name)).toEqual(['handling fast']);
      expect(processed('last').status).toEqual({
        code: 2,
        message: 'the channel was closed before the message was acknowledged',
      });
      const counts = sink.points
        .filter(({ metric }) => metric === 'queue_messages_total')
        .map(({ attributes, value }) => [attributes.queue === 'fast', attributes.result, value]);
      expect(counts).toContainEqual([false, 'ack', 3]);
      expect(counts).toContainEqual([false, 'nack', 2]);
      expect(counts).toContainEqual([true, 'ack', 1]);
      for (const { value } of sink.points.filter(({ metric }) => metric === 'queue_in_flight')) expect(value).toBe(0);
    });

    test("the application's options stay its own, and its headers arrive", () => {
      expect(app.stdout).toContain('options={"headers":{"own":"kept"},"messageId":"m1"}');
      expect(app.stdout).toContain('headers=own,traceparent');
    });
  });

  describe('that is slow, goes away and comes back', () => {
    const sink = new OtlpSink();
    let statuses: readonly number[];
    let slowStatus: number;
    beforeAll(async () => {
      await sink.listen();
      // The client does not connect again by itself.
      const source = `
        import http from 'node:http';
        import amqp from 'amqplib';
        let channel;
        let done = () => {};
        const open = async () => {
          const connection = await amqp.connect('amqp://127.0.0.1:' + process.env.PEER);
          for (const event of ['error', 'close']) connection.on(event, () => { channel = undefined; });
          const opened = await connection.createConfirmChannel();
          opened.on('error', () => {});
          await opened.assertQueue('orders', { durable: false });
          await opened.consume('orders', (message) => { if (message !== null) { opened.ack(message); done(); } });
          return opened;
        };
        channel = await open();
        const send = () => new Promise((resolve, reject) => channel.publish('', 'orders', Buffer.from('x'), {}, (error) => error ? reject(error) : resolve()));
        http.createServer(async (request, response) => {
          try {
            channel ??= await open();
            const processed = new Promise((resolve) => { done = resolve; });
            await send();
            await processed;
            response.end();
          } catch (error) { response.writeHead(503).end(error.message); }
        }).listen(0, '127.0.0.1', function () { console.log('port=' + this.address().port); });`;
      const port = await SlowPort.before(server.port);
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(port.port) };
      const app = new App({ file: 'app.mjs', source, env });
      slowStatus = await askSlowly(`http://127.0.0.1:${await app.port()}/`, port, 600);
      statuses = await outage(app, server, 'SIGTERM');
      await app.stop();
      await port.close();
    }, 400_000);
    afterAll(() => sink.close());

    test('is traced before and after, and nothing is left in flight', () => {
      expect(statuses).toEqual([200, 503, 200]);
      const sent = sink.spans.filter(({ name }) => name === 'publish orders');
      for (const each of [sent[0], sent.at(-1)]) {
        expect(each?.status.code).toBe(0);
        expect(sink.spans.filter(({ parentSpanId }) => parentSpanId === each?.spanId)).toMatchObject([
          { name: 'process orders', kind: consumer, status: { code: 0 } },
        ]);
      }
      expect(sink.point('queue_in_flight').value).toBe(0);
    });

    test('is waited for while it is slow: a message is published when the broker has confirmed it', () => {
      expect(slowStatus).toBe(200);
      const slow = sink.spans.find(({ name }) => name === 'publish orders');
      expect(slow?.status.code).toBe(0);
      expect(Number((slow?.end ?? 0n) - (slow?.start ?? 0n))).toBeGreaterThan(1_000e6);
      const [processed] = sink.spans.filter(({ parentSpanId }) => parentSpanId === slow?.spanId);
      expect(processed).toMatchObject({ name: 'process orders', status: { code: 0 } });
      // The handler does not wait for the acknowledgement's way.
      expect(Number((processed?.end ?? 0n) - (processed?.start ?? 0n))).toBeLessThan(500e6);
    });
  });
});
