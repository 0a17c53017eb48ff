import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../../testing/otlp-sink.ts';
import { outage } from '../../testing/outage.ts';
import { hasProgram, type PeerServer, startNats } from '../../testing/peer-server.ts';

const hasNats = hasProgram('nats-server');
const [producer, consumer] = [4, 5];

/** What both generations of the client can do; `open`, `jetstream` and `jetstreamManager` come from the variant. */
const body = `
const tracer = trace.getTracer('app');
const step = (name, run) => tracer.startActiveSpan(name, async (span) => { try { return await run(span); } finally { span.end(); } });
const handling = (what) => tracer.startSpan('handling ' + what).end();
const text = (message) => Buffer.from(message.data).toString();
// The client leaves what a handler rejects with to Node.
process.on('unhandledRejection', (error) => console.log('unhandled=' + error.message));
const main = async () => {
  const nc = await connect({ servers: '127.0.0.1:' + process.env.NATS });
  const seen = [];
  let waiting;
  const note = (what) => { seen.push(what); waiting?.(); };
  const until = async (...whats) => { while (!whats.every((what) => seen.includes(what))) await new Promise((resolve) => { waiting = resolve; }); };

  // Core NATS: a function, a loop, a queue group, a request.
  nc.subscribe('called.*', { callback: async (error, message) => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    handling(text(message));
    note(text(message));
    if (text(message) === 'thrown') throw new Error('no such address');
  } });
  const loop = nc.subscribe('looped', { queue: 'workers' });
  (async () => {
    for await (const message of loop) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      handling(text(message));
      note(text(message));
      if (text(message) === 'last') break;
    }
    handling('after the loop');
    note('after the loop');
  })();
  nc.subscribe('asked', { callback: (_, message) => { handling('question'); message.respond('42'); } });
  await nc.flush();
  const own = headers();
  own.set('own', 'kept');
  const options = { headers: own };
  await step('one', () => nc.publish('called.one', 'called', options));
  await step('thrown', () => nc.publish('called.two', 'thrown'));
  nc.publish('called.root', 'root');
  for (const name of ['first', 'second', 'last']) await step(name, () => nc.publish('looped', name));
  await step('request', async () => console.log('answer=' + text(await nc.request('asked', 'secret', { timeout: 5000 }))));
  await step('unanswered', () => nc.request('nobody', 'secret', { timeout: 5000 }).catch((error) => console.log('request=' + error.message)));
  await until('called', 'thrown', 'root', 'after the loop');
  console.log('options=' + JSON.stringify(Object.keys(options)) + own.keys());

  // JetStream.
  const jsm = await jetstreamManager(nc);
  const js = jetstream(nc);
  await jsm.streams.add({ name: 'ORDERS', subjects: ['orders.*'] });
  const add = (name, more) => jsm.consumers.add('ORDERS', { durable_name: name, ack_policy: 'explicit', filter_subject: 'orders.' + name, ...more });
  await add('pulled');
  await add('called');
  await add('single');
  await add('silent', { ack_policy: 'none' });
  await step('stored', () => js.publish('orders.pulled', 'acked', { msgID: 'm1' }));
  for (const name of ['nacked', 'ended', 'confirmed']) await step(name, () => js.publish('orders.pulled', name));
  const messages = await (await js.consumers.get('ORDERS', 'pulled')).consume();
  const settled = new Set();
  for await (const message of messages) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    handling(text(message) + ' ' + message.info.deliveryCount);
    if (text(message) === 'acked') message.ack();
    else if (text(message) === 'nacked' && message.info.deliveryCount === 1) message.nak();
    else if (text(message) === 'nacked') message.ack();
    else if (text(message) === 'ended') message.term(withReason ? 'not an order' : undefined);
    else await message.ackAck();
    if (!(text(message) === 'nacked' && message.info.deliveryCount === 1)) settled.add(text(message));
    if (settled.size === 4) break;
  }
  handling('after all');
  await step('called order', () => js.publish('orders.called', 'order'));
  const called = await (await js.consumers.get('ORDERS', 'called')).consume({ callback: (message) => { handling('order'); message.ack(); note('order'); } });
  await until('order');
  called.stop();
  await step('single order', () => js.publish('orders.single', 'alone'));
  const single = await (await js.consumers.get('ORDERS', 'single')).next();
  single.ack();
  await step('silent order', () => js.publish('orders.silent', 'quiet'));
  for await (const message of await (await js.consumers.get('ORDERS', 'silent')).fetch({ max_messages: 1 })) handling('quiet');
  await step('refused', () => js.publish('orders.pulled', 'x', { expect: { streamName: 'OTHER' } }).catch((error) => console.log('publish=' + error.message)));
  await step('forgotten', () => js.publish('orders.single', 'forgotten'));
  await (await js.consumers.get('ORDERS', 'single')).next();
  OLD
  await nc.drain();
};
main();
`;

/** Ways to consume that only the older client has. */
const old = `
  await add('pushed', { deliver_subject: 'pushed' });
  await step('pushed order', () => js.publish('orders.pushed', 'pushed'));
  const opts = consumerOpts();
  opts.bind('ORDERS', 'pushed');
  const pushed = await js.subscribe('orders.pushed', opts);
  for await (const message of pushed) { handling('pushed'); pushed.unsubscribe(); }
  await add('old');
  await step('old order', () => js.publish('orders.old', 'old'));
  const oldOne = await js.pull('ORDERS', 'old');
  oldOne.ack();
`;

const api = "import { trace } from '@opentelemetry/api';";
const requireApi = "const { trace } = require('@opentelemetry/api');";
const twoBody = `
const jetstream = (nc) => nc.jetstream(), jetstreamManager = (nc) => nc.jetstreamManager(), withReason = true;
${body.replace('OLD', old)}`;
const three = ['@nats-io/transport-node', '@nats-io/jetstream'] as const;
const threeBody = `const withReason = true; ${body.replace('OLD', '')}`;

const all = [
  {
    name: 'nats 2, ES module',
    file: 'app.mjs',
    source: `import { connect, consumerOpts, headers } from 'nats'; ${api}${twoBody}`,
    isOld: true,
  },
  {
    name: 'nats 2, CommonJS',
    file: 'app.cjs',
    source: `const { connect, consumerOpts, headers } = require('nats'); ${requireApi}${twoBody}`,
    isOld: true,
  },
  {
    name: '@nats-io 3, ES module',
    file: 'app.mjs',
    source: `import { connect, headers } from '${three[0]}'; import { jetstream, jetstreamManager } from '${three[1]}'; ${api}${threeBody}`,
    isOld: false,
  },
  {
    name: '@nats-io 3, CommonJS',
    file: 'app.cjs',
    source: `const { connect, headers } = require('${three[0]}'); const { jetstream, jetstreamManager } = require('${three[1]}'); ${requireApi}${threeBody}`,
    isOld: false,
  },
] as const;

/** One of each client, in different module systems; all four in the long tier. */
const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';
const variants = isFull ? all : all.filter((_, index) => index === 0 || index === 3);

beforeAll(buildPackage, 120_000);

describe.skipIf(!hasNats).each(variants)(
  '$name and a real NATS, which needs nats-server',
  ({ file, source, isOld }) => {
    const sink = new OtlpSink();
    let server: PeerServer;
    let app: App;

    beforeAll(async () => {
      await sink.listen();
      server = await startNats();
      app = new App({ file, source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, NATS: String(server.port) } });
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
    const processed = (name: string): SinkSpan[] => childrenOf(published(name), consumer);
    const handled = (spans: SinkSpan[]): string[] =>
      spans.flatMap((span) => childrenOf(span, 1).map(({ name }) => name)).sort();

    test('a message is one trace from its sender to its handler', () => {
      expect(published('one')).toMatchObject({
        name: 'publish called.one',
        attributes: {
          'messaging.system': 'nats',
          'messaging.destination.name': 'called.one',
          'messaging.operation': 'publish',
        },
      });
      const received = only(processed('one'));
      expect(received).toMatchObject({
        name: 'process called.*',
        status: { code: 0 },
        attributes: {
          'messaging.operation': 'process',
          'messaging.destination.name': 'called.one',
          'messaging.destination.template': 'called.*',
        },
      });
      expect(handled([received])).toEqual(['handling called']);
    });

    test('so it is in a loop, each message with its own context, which ends with the loop', () => {
      for (const name of ['first', 'second', 'last']) {
        const received = only(processed(name));
        expect(received.attributes).toMatchObject({ 'messaging.consumer.group.name': 'workers' });
        expect(handled([received])).toEqual([`handling ${name}`]);
      }
      for (const name of ['handling after the loop', 'handling after all'])
        expect(sink.span(name).parentSpanId, name).toBe('');
    });

    test('a handler that fails is an error; a message without a sender is a root', () => {
      expect(only(processed('thrown')).status).toEqual({ code: 2, message: 'no such address' });
      const roots = sink.spans.filter(({ name, kind }) => name === 'publish called.root' && kind === producer);
      expect(only(roots).parentSpanId).toBe('');
      expect(handled(childrenOf(only(roots), consumer))).toEqual(['handling root']);
    });

    test('a request lasts until it is answered, and fails where nobody answers', () => {
      expect(app.stdout).toContain('answer=42');
      const request = published('request');
      const answered = only(processed('request'));
      expect(request.status.code).toBe(0);
      expect(request.end >= answered.start).toBe(true);
      expect(published('unanswered').status.code).toBe(2);
      expect(app.stdout).toContain('request=');
    });

    test('JetStream: acknowledged, given back, ended, confirmed', () => {
      expect(published('stored').attributes).toMatchObject({ 'messaging.message.id': 'm1' });
      expect(only(processed('stored'))).toMatchObject({
        name: 'process ORDERS',
        status: { code: 0 },
        attributes: {
          'messaging.destination.name': 'orders.pulled',
          'messaging.destination.subscription.name': 'pulled',
          'messaging.message.id': 'm1',
        },
      });
      expect(handled(processed('stored'))).toEqual(['handling acked 1']);
      expect(published('nacked').attributes).toMatchObject({ 'messaging.message.id': '2' });
      expect(handled(processed('nacked'))).toEqual(['handling nacked 1', 'handling nacked 2']);
      expect(processed('nacked').map(({ status }) => status.code)).toEqual([0, 0]);
      expect(only(processed('ended')).status).toEqual({ code: 2, message: 'not an order' });
      expect(only(processed('confirmed')).status.code).toBe(0);
      const value = (result: string): number => sink.point('queue_messages_total', { queue: 'ORDERS', result }).value;
      // Acknowledged: four of the loop without the ended one, a called, a single, a silent one, and an old one.
      expect([value('ack'), value('nack')]).toEqual([isOld ? 8 : 6, 3]);
    });

    test('JetStream: by a function, one alone, without acknowledgement, never acknowledged', () => {
      for (const [name, what] of [
        ['called order', 'order'],
        ['silent order', 'quiet'],
        ...(isOld ? [['pushed order', 'pushed'] as const] : []),
      ] as const)
        expect(handled([only(processed(name))]), name).toEqual([`handling ${what}`]);
      for (const name of ['single order', ...(isOld ? ['old order'] : [])])
        expect(only(processed(name)).status.code, name).toBe(0);
      expect(only(processed('forgotten')).status).toEqual({
        code: 2,
        message: 'the connection was closed before the message was acknowledged',
      });
    });

    test('what the stream refuses is the failure of the sender, and reaches the application', () => {
      expect(published('refused').status.code).toBe(2);
      expect(app.stdout).toContain(`publish=${published('refused').status.message}`);
    });

    test("nothing is left in flight, nothing of the client's own is seen, payloads are not, options are the application's", () => {
      for (const { value } of sink.points.filter(({ metric }) => metric === 'queue_in_flight')) expect(value).toBe(0);
      expect(sink.point('queue_process_duration_seconds', { queue: 'looped', result: 'ack' })).toMatchObject({
        unit: 's',
        count: 3,
      });
      expect(sink.spans.filter(({ name }) => /[$]JS|_INBOX/.test(name))).toEqual([]);
      expect(JSON.stringify(sink.spans.map(({ attributes }) => attributes))).not.toContain('secret');
      expect(app.stdout).toContain('options=["headers"]own\n');
      expect(app.stderr).not.toContain('signalbox');
    });
  },
);

describe.skipIf(!hasNats || !isFull)(
  'NATS that goes away and comes back, or is slow (long tier; needs nats-server)',
  () => {
    const sink = new OtlpSink();
    let server: PeerServer;
    let statuses: readonly number[];
    let app: App;

    beforeAll(async () => {
      await sink.listen();
      server = await startNats();
      const source = `
      import http from 'node:http';
      import { connect } from '@nats-io/transport-node';
      import { jetstream, jetstreamManager } from '@nats-io/jetstream';
      const nc = await connect({ servers: '127.0.0.1:' + process.env.NATS, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
      const jsm = await jetstreamManager(nc);
      await jsm.streams.add({ name: 'ORDERS', subjects: ['orders'] });
      await jsm.consumers.add('ORDERS', { durable_name: 'worker', ack_policy: 'explicit' });
      const js = jetstream(nc);
      let done = () => {};
      (async () => { for await (const message of await (await js.consumers.get('ORDERS', 'worker')).consume()) { message.ack(); done(); } })();
      nc.subscribe('slow', { callback: (error, message) => setTimeout(() => message.respond('late'), 1000) });
      const slow = await nc.request('slow', '', { timeout: 50 }).catch((error) => error.name);
      console.log('slow=' + slow);
      http.createServer(async (request, response) => {
        try {
          const processed = new Promise((resolve) => { done = resolve; });
          await js.publish('orders', '', { timeout: 1000, retries: 1 });
          await processed;
          response.end();
        } catch (error) { response.writeHead(503).end(error.message); }
      }).listen(0, '127.0.0.1', function () { console.log('port=' + this.address().port); });`;
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, NATS: String(server.port) };
      app = new App({ file: 'app.mjs', source, env });
      statuses = await outage(app, server);
      await app.stop();
    }, 120_000);
    afterAll(async () => {
      await server.remove();
      await sink.close();
    });

    const published = () => sink.spans.filter(({ name }) => name === 'publish orders');
    const processedOf = ({ spanId }: SinkSpan) => sink.spans.filter(({ parentSpanId }) => parentSpanId === spanId);

    test('is an error while it is away, and not before or after', () => {
      expect(statuses).toEqual([200, 503, 200]);
      const sent = published();
      expect(sent[0]?.status.code).toBe(0);
      expect(sent.some(({ status }) => status.code === 2)).toBe(true);
      expect(sent.at(-1)?.status.code).toBe(0);
    });

    test('what is sent before and after is processed, each in the trace of its sender', () => {
      for (const sent of [published()[0], published().at(-1)]) {
        const [processed] = sent === undefined ? [] : processedOf(sent);
        expect(processed).toMatchObject({ name: 'process ORDERS', kind: consumer, traceId: sent?.traceId });
      }
    });

    test('a request that nobody answers in time is an error of its kind', () => {
      expect(app.stdout).toContain('slow=TimeoutError');
      expect(sink.span('publish slow')).toMatchObject({
        status: { code: 2 },
        attributes: { 'error.type': 'TimeoutError' },
      });
    });
  },
);
