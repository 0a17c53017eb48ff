import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';
import { outage } from '../testing/outage.ts';
import { hasProgram, type PeerServer, startMosquitto } from '../testing/peer-server.ts';
import { askSlowly, SlowPort } from '../testing/slow-port.ts';

const hasMosquitto = hasProgram('mosquitto');
const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';
const [producer, consumer] = [4, 5];

const body = `
const tracer = trace.getTracer('app');
const step = (name, run) => tracer.startActiveSpan(name, async (span) => { try { return await run(span); } finally { span.end(); } });
const url = 'mqtt://127.0.0.1:' + process.env.MQTT;
process.on('unhandledRejection', (error) => console.log('unhandled=' + error.message));
const run = async () => {
  const five = await mqtt.connectAsync(url, { protocolVersion: 5 });
  const three = await mqtt.connectAsync(url, { protocolVersion: 4 });
  const seen = new Set();
  let noted = () => {};
  const until = async (...whats) => { while (!whats.every((what) => seen.has(what))) await new Promise((resolve) => { noted = resolve; }); };
  five.on('message', async (topic, payload, packet) => {
    const text = String(payload);
    await new Promise((resolve) => setTimeout(resolve, 2));
    tracer.startSpan('handling ' + text).end();
    if (text === 'confirmed') console.log('user=' + JSON.stringify({ ...packet.properties.userProperties }));
    setTimeout(() => { seen.add(text); noted(); });
    if (text === 'failing') throw new Error('no such address');
  });
  five.once('message', () => tracer.startSpan('the first').end());
  await five.subscribeAsync('sensors/+/temperature');
  await five.subscribeAsync({ '$share/workers/jobs': { qos: 1 } });
  const options = { qos: 1, properties: { userProperties: { own: 'kept' } } };
  await step('confirmed', () => five.publishAsync('sensors/7/temperature', 'confirmed', options));
  await step('unconfirmed', () => new Promise((resolve) => five.publish('sensors/8/temperature', 'unconfirmed', () => {
    tracer.startSpan('callback').end();
    resolve();
  })));
  await step('shared', () => five.publishAsync('jobs', 'shared', { qos: 1 }));
  await step('failing', () => five.publishAsync('jobs', 'failing', { qos: 1 }));
  await step('without properties', () => three.publishAsync('jobs', 'old', { qos: 1 }));
  await step('ignored', () => five.publishAsync('nobody/listens', 'secret'));
  await until('confirmed', 'unconfirmed', 'shared', 'failing', 'old');
  console.log('options=' + JSON.stringify(options));
  await five.endAsync();
  await three.endAsync();
};
run();
`;

const variants = [
  { file: 'app.mjs', source: `import mqtt from 'mqtt'; import { trace } from '@opentelemetry/api';${body}` },
  { file: 'app.cjs', source: `const mqtt = require('mqtt'); const { trace } = require('@opentelemetry/api');${body}` },
] as const;

beforeAll(buildPackage, 120_000);

describe.skipIf(!hasMosquitto).each(isFull ? variants : variants.slice(0, 1))(
  'MQTT.js and a real Mosquitto, which needs mosquitto ($file)',
  ({ file, source }) => {
    const sink = new OtlpSink();
    let server: PeerServer;
    let app: App;

    beforeAll(async () => {
      await sink.listen();
      server = await startMosquitto();
      app = new App({ file, source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, MQTT: String(server.port) } });
      expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    }, 120_000);
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
    const processed = (name: string): SinkSpan => only(childrenOf(published(name), consumer));

    test('a message is one trace from its sender to all of its listeners', () => {
      expect(published('confirmed')).toMatchObject({
        name: 'publish sensors/7/temperature',
        attributes: {
          'messaging.system': 'mqtt',
          'messaging.destination.name': 'sensors/7/temperature',
          'messaging.operation': 'publish',
          'messaging.message.id': expect.stringMatching(/^[0-9]+$/),
        },
      });
      const received = processed('confirmed');
      expect(received).toMatchObject({
        name: 'process sensors/+/temperature',
        status: { code: 0 },
        attributes: {
          'messaging.destination.name': 'sensors/7/temperature',
          'messaging.destination.template': 'sensors/+/temperature',
        },
      });
      expect(childrenOf(received, 1).map(({ name }) => name)).toEqual(['the first', 'handling confirmed']);
      expect(processed('shared').attributes).toMatchObject({
        'messaging.destination.name': 'jobs',
        'messaging.consumer.group.name': 'workers',
        'messaging.message.id': expect.stringMatching(/^[0-9]+$/),
      });
    });

    test("a callback is the caller's, and options stay the application's", () => {
      expect(sink.span('callback').parentSpanId).toBe(sink.span('unconfirmed').spanId);
      expect(childrenOf(processed('unconfirmed'), 1).map(({ name }) => name)).toEqual(['handling unconfirmed']);
      expect(app.stdout).toContain('options={"qos":1,"properties":{"userProperties":{"own":"kept"}}}');
      expect(app.stdout).toMatch(/user={"own":"kept","traceparent":"00-[0-9a-f-]+"}/);
    });

    test('a listener that fails is an error, and stays one for Node', () => {
      expect(processed('failing').status).toEqual({ code: 2, message: 'no such address' });
      expect(app.stdout).toContain('unhandled=no such address');
    });

    test('MQTT 3.1.1 carries no trace: whoever receives begins one', () => {
      expect(childrenOf(published('without properties'), consumer)).toEqual([]);
      const handling = sink.span('handling old');
      const received = only(sink.spans.filter(({ spanId }) => spanId === handling.parentSpanId));
      expect(received).toMatchObject({ name: 'process jobs', kind: consumer, parentSpanId: '' });
    });

    test('messages are counted by what they were subscribed with, timed, and no longer in flight', () => {
      const value = (queue: string, result: string): number =>
        sink.point('queue_messages_total', { queue, result }).value;
      expect([value('sensors/+/temperature', 'ack'), value('jobs', 'ack'), value('jobs', 'nack')]).toEqual([2, 2, 1]);
      expect(sink.point('queue_process_duration_seconds', { queue: 'jobs', result: 'ack' })).toMatchObject({
        unit: 's',
        count: 2,
      });
      for (const { value } of sink.points.filter(({ metric }) => metric === 'queue_in_flight')) expect(value).toBe(0);
      expect(JSON.stringify(sink.spans.map(({ attributes }) => attributes))).not.toContain('secret');
      expect(app.stderr).not.toContain('signalbox');
    });
  },
);

describe.skipIf(!hasMosquitto || !isFull)(
  'Mosquitto that is slow, goes away and comes back (long tier; needs mosquitto)',
  () => {
    const sink = new OtlpSink();
    let server: PeerServer;
    let statuses: readonly number[];
    let slowStatus: number;
    let port: SlowPort;

    beforeAll(async () => {
      await sink.listen();
      server = await startMosquitto();
      const source = `
      import http from 'node:http';
      import mqtt from 'mqtt';
      const client = await mqtt.connectAsync('mqtt://127.0.0.1:' + process.env.MQTT, { protocolVersion: 5, reconnectPeriod: 50, queueQoSZero: false });
      client.on('error', () => {});
      let done = () => {};
      client.on('message', () => done());
      await client.subscribeAsync('orders');
      http.createServer(async (request, response) => {
        const timeout = setTimeout(() => response.writeHead(503).end(), 3000);
        const processed = new Promise((resolve) => { done = resolve; });
        try { await client.publishAsync('orders', 'x', { qos: request.url === '/confirmed' ? 1 : 0 }); await processed; }
        catch (error) { clearTimeout(timeout); return response.writeHead(503).end(error.message); }
        clearTimeout(timeout);
        if (!response.writableEnded) response.end();
      }).listen(0, '127.0.0.1', function () { console.log('port=' + this.address().port); });`;
      port = await SlowPort.before(server.port);
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, MQTT: String(port.port) };
      const app = new App({ file: 'app.mjs', source, env });
      slowStatus = await askSlowly(`http://127.0.0.1:${await app.port()}/confirmed`, port, 600);
      statuses = await outage(app, server);
      await app.stop();
    }, 120_000);
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
      for (const each of [sent[0], sent.at(-1)])
        expect(sink.spans.filter(({ parentSpanId }) => parentSpanId === each?.spanId)).toMatchObject([
          { name: 'process orders', kind: consumer },
        ]);
    });

    test('is waited for while it is slow: a message is published when the broker has acknowledged it', () => {
      expect(slowStatus).toBe(200);
      const slow = sink.spans.find(({ name }) => name === 'publish orders');
      expect(slow?.status.code).toBe(0);
      expect(Number((slow?.end ?? 0n) - (slow?.start ?? 0n))).toBeGreaterThan(1_000e6);
      expect(sink.spans.filter(({ parentSpanId }) => parentSpanId === slow?.spanId)).toMatchObject([
        { name: 'process orders', status: { code: 0 } },
      ]);
    });
  },
);
