// The oldest version of each library that its instrumentation takes, with what matters most of it. They are no packages of
// the tests: the long tier installs them into a folder of its own.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPackage, registerUrl } from './testing/child.ts';
import { startModelServer } from './testing/model-server.ts';
import { OtlpSink } from './testing/otlp-sink.ts';
import {
  hasProgram,
  kafkaJars,
  postgresPrograms,
  rabbitmqProgram,
  startKafka,
  startMariadb,
  startMemcached,
  startMosquitto,
  startNats,
  startPostgres,
  startRabbitmq,
  startRedis,
} from './testing/peer-server.ts';

const run = promisify(execFile);
const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';

/** Something that libraries talk to, and whether this machine has it. */
interface Peer {
  readonly isThere: boolean;
  start(): Promise<{ readonly port: number; stop(): Promise<void> }>;
}

type Server = { readonly port: number; remove(): Promise<void> };
const peer = (isThere: boolean, start: () => Promise<Server>): Peer => ({
  isThere,
  start: async () => {
    const server = await start();
    return { port: server.port, stop: () => server.remove() };
  },
});

const peers = {
  none: { isThere: true, start: async () => ({ port: 0, stop: async () => {} }) },
  models: {
    isThere: true,
    start: async () => {
      const server = await startModelServer();
      return { port: Number(new URL(server.url).port), stop: async () => server.close() };
    },
  },
  postgres: peer(postgresPrograms() !== undefined, startPostgres),
  mariadb: peer(hasProgram('mariadbd'), startMariadb),
  redis: peer(hasProgram('redis-server'), startRedis),
  memcached: peer(hasProgram('memcached'), startMemcached),
  rabbitmq: peer(rabbitmqProgram() !== undefined, startRabbitmq),
  nats: peer(hasProgram('nats-server'), startNats),
  mosquitto: peer(hasProgram('mosquitto'), startMosquitto),
  kafka: peer(kafkaJars() !== undefined, startKafka),
} satisfies Record<string, Peer>;

interface Oldest {
  /** `pg@8.0.3`, which is what npm is asked for, and what it needs beside it. */
  readonly packages: readonly [string, ...string[]];
  readonly peer: keyof typeof peers;
  /** Names of spans, or their beginnings, and attributes, in the trace of the span `work` or linked to one there. */
  readonly spans?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** What was logged inside `work`. */
  readonly logs?: readonly string[];
  /** An ES module; `step(name, run)` and `port` are there, and `from(package)` requires one. */
  readonly source: string;
}

const search = (library: string) => `
import http from 'node:http';
const { Client } = from('${library}');
const server = http.createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' }).end('{"hits":{"hits":[]}}');
}).listen(0, '127.0.0.1', async () => {
  const client = new Client({ node: 'http://127.0.0.1:' + server.address().port });
  await step('work', () => client.search({ index: 'users' }));
  server.close();
  await client.close();
});`;

const oldest: readonly Oldest[] = [
  {
    // The first that runs on the Node of today: 8.0.0 to 8.0.2 wait for ever for a connection.
    packages: ['pg@8.0.3'],
    peer: 'postgres',
    spans: { 'SELECT pg_class': { 'db.system.name': 'postgresql', 'db.response.returned_rows': 1 } },
    source: `const { Pool } = from('pg'); const pool = new Pool({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
      await step('work', () => pool.query('SELECT 1 FROM pg_class WHERE $1 = 1 LIMIT 1', [1])); await pool.end();`,
  },
  {
    packages: ['mysql2@3.20.0'],
    peer: 'mariadb',
    spans: { SELECT: { 'db.system.name': 'mysql' } },
    source: `const mysql = from('mysql2/promise'); const connection = await mysql.createConnection({ host: '127.0.0.1', port, user: 'root', database: 'test' });
      await step('work', () => connection.query('SELECT 1')); await connection.end();`,
  },
  {
    packages: ['ioredis@6.0.0'],
    peer: 'redis',
    spans: { 'GET 0': { 'db.system.name': 'redis' } },
    source: `const { Redis } = from('ioredis'); const redis = new Redis({ host: '127.0.0.1', port });
      await step('work', () => redis.get('key')); await redis.quit();`,
  },
  {
    packages: ['redis@6.0.0'],
    peer: 'redis',
    spans: { 'GET 0': { 'db.system.name': 'redis' } },
    source: `const { createClient } = from('redis'); const redis = await createClient({ url: 'redis://127.0.0.1:' + port }).connect();
      await step('work', () => redis.get('key')); await redis.close();`,
  },
  {
    packages: ['memjs@1.0.0'],
    peer: 'memcached',
    spans: { 'get 127.0.0.1': { 'db.system.name': 'memcached' } },
    source: `const memjs = from('memjs'); const cache = memjs.Client.create('127.0.0.1:' + port);
      await step('work', () => new Promise((resolve, reject) => cache.get('key', (error) => (error ? reject(error) : resolve())))); cache.close();`,
  },
  {
    packages: ['@elastic/elasticsearch@8.0.0'],
    peer: 'none',
    // Before transport 8.7 it does not say which function was called.
    spans: { GET: { 'db.system.name': 'elasticsearch' } },
    source: search('@elastic/elasticsearch'),
  },
  {
    packages: ['@opensearch-project/opensearch@2.0.0'],
    peer: 'none',
    spans: { 'search users': { 'db.system.name': 'opensearch' } },
    source: search('@opensearch-project/opensearch'),
  },
  {
    packages: ['amqplib@0.10.0'],
    peer: 'rabbitmq',
    spans: { 'publish mails': { 'messaging.system': 'rabbitmq' }, 'process mails': { 'messaging.system': 'rabbitmq' } },
    source: `const connection = await from('amqplib').connect('amqp://127.0.0.1:' + port); const channel = await connection.createChannel();
      await channel.assertQueue('mails', { durable: false });
      const handled = new Promise((resolve) => channel.consume('mails', (message) => { channel.ack(message); setTimeout(resolve, 50); }));
      await step('work', () => channel.sendToQueue('mails', Buffer.from('one'))); await handled; await channel.close(); await connection.close();`,
  },
  {
    packages: ['kafkajs@2.0.0'],
    peer: 'kafka',
    spans: { 'publish mails': { 'messaging.system': 'kafka' }, 'process mails': { 'messaging.system': 'kafka' } },
    source: `const { Kafka } = from('kafkajs'); const kafka = new Kafka({ brokers: ['127.0.0.1:' + port], logLevel: 0 });
      const admin = kafka.admin(); await admin.connect(); await admin.createTopics({ topics: [{ topic: 'mails', numPartitions: 1 }], waitForLeaders: true }); await admin.disconnect();
      const producer = kafka.producer(); await producer.connect(); const consumer = kafka.consumer({ groupId: 'g' }); await consumer.connect();
      await step('work', () => producer.send({ topic: 'mails', messages: [{ value: 'one' }] })); await consumer.subscribe({ topic: 'mails', fromBeginning: true });
      await new Promise((resolve) => consumer.run({ eachMessage: async () => { setTimeout(resolve, 50); } })); await consumer.disconnect(); await producer.disconnect();`,
  },
  {
    packages: ['nats@2.15.0'],
    peer: 'nats',
    spans: { 'publish mails': { 'messaging.system': 'nats' }, 'process mails': { 'messaging.system': 'nats' } },
    source: `const connection = await from('nats').connect({ servers: '127.0.0.1:' + port });
      const handled = new Promise((resolve) => connection.subscribe('mails', { callback: () => { setTimeout(resolve, 50); } })); await connection.flush();
      await step('work', () => connection.publish('mails', Buffer.from('one'))); await handled; await connection.close();`,
  },
  {
    packages: ['mqtt@5.0.0'],
    peer: 'mosquitto',
    spans: { 'publish mails': { 'messaging.system': 'mqtt' }, 'process mails': { 'messaging.system': 'mqtt' } },
    source: `const client = await from('mqtt').connectAsync('mqtt://127.0.0.1:' + port, { protocolVersion: 5 }); await client.subscribeAsync('mails');
      const handled = new Promise((resolve) => client.on('message', () => { setTimeout(resolve, 50); }));
      await step('work', () => client.publishAsync('mails', 'one', { qos: 1 })); await handled; await client.endAsync();`,
  },
  {
    packages: ['bullmq@5.0.0'],
    peer: 'redis',
    spans: { 'publish mails': { 'messaging.system': 'bullmq' }, 'process mails': { 'messaging.system': 'bullmq' } },
    source: `const { Queue, Worker } = from('bullmq'); const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null }; const queue = new Queue('mails', { connection });
      const worker = new Worker('mails', async () => {}, { connection }); const handled = new Promise((resolve) => worker.on('completed', resolve));
      await step('work', () => queue.add('one', {})); await handled; await worker.close(); await queue.close();`,
  },
  {
    packages: ['ws@8.0.0'],
    peer: 'none',
    spans: { 'websocket.connect': {}, 'websocket.message': {}, 'websocket.disconnect': {} },
    source: `const WebSocket = from('ws'); const server = new WebSocket.Server({ port: 0 });
      server.on('connection', (socket) => { socket.on('message', () => {}); socket.on('close', () => server.close()); });
      await step('work', (headers) => new Promise((resolve) => { const client = new WebSocket('ws://127.0.0.1:' + server.address().port, { headers });
        client.on('open', () => { client.send('one'); client.close(); }); client.on('close', resolve); }));`,
  },
  {
    packages: ['socket.io@4.0.0', 'socket.io-client@4.0.0'],
    peer: 'none',
    spans: { 'websocket.connect': {}, 'websocket.message': {}, 'websocket.disconnect': {} },
    source: `import http from 'node:http'; const { Server } = from('socket.io'); const { io } = from('socket.io-client');
      const server = http.createServer(); const sockets = new Server(server); await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      const gone = new Promise((resolve) => sockets.on('connection', (socket) => { socket.on('mail', () => socket.disconnect()); socket.on('disconnect', resolve); }));
      await step('work', async (extraHeaders) => { const client = io('http://127.0.0.1:' + server.address().port, { extraHeaders, reconnection: false });
        client.on('connect', () => client.emit('mail', 'one')); await gone; client.close(); }); sockets.close();`,
  },
  {
    packages: ['openai@4.0.0'],
    peer: 'models',
    spans: { 'chat gpt-test': { 'gen_ai.provider.name': 'openai', 'gen_ai.usage.output_tokens': 2 } },
    source: `const { default: OpenAI } = from('openai'); const client = new OpenAI({ baseURL: 'http://127.0.0.1:' + port + '/v1', apiKey: 'secret', maxRetries: 0 });
      await step('work', () => client.chat.completions.create({ model: 'gpt-test', messages: [{ role: 'user', content: 'secret' }] }));`,
  },
  {
    packages: ['@anthropic-ai/sdk@0.20.0'],
    peer: 'models',
    spans: { 'chat claude-test': { 'gen_ai.provider.name': 'anthropic', 'gen_ai.usage.output_tokens': 4 } },
    source: `const { default: Anthropic } = from('@anthropic-ai/sdk'); const client = new Anthropic({ baseURL: 'http://127.0.0.1:' + port, apiKey: 'secret', maxRetries: 0 });
      await step('work', () => client.messages.create({ model: 'claude-test', max_tokens: 20, messages: [{ role: 'user', content: 'secret' }] }));`,
  },
  {
    packages: ['ai@5.0.0', '@ai-sdk/openai@2.0.0', 'zod@4'],
    peer: 'models',
    spans: { 'chat gpt-test': { 'gen_ai.operation.name': 'chat' } },
    source: `const { generateText } = from('ai'); const { createOpenAI } = from('@ai-sdk/openai');
      const model = createOpenAI({ baseURL: 'http://127.0.0.1:' + port + '/v1', apiKey: 'secret' }).chat('gpt-test');
      await step('work', () => generateText({ model, prompt: 'secret', maxRetries: 0 }));`,
  },
  {
    packages: ['pino@10.0.0'],
    peer: 'none',
    logs: ['hello'],
    source: `const log = from('pino')(); await step('work', () => log.info('hello'));`,
  },
  {
    packages: ['winston@3.1.0'],
    peer: 'none',
    logs: ['hello'],
    source: `const winston = from('winston');
const log = winston.createLogger({ transports: [new winston.transports.Console()] });
await step('work', () => log.info('hello'));`,
  },
  {
    packages: ['bunyan@1.8.0'],
    peer: 'none',
    logs: ['hello'],
    source: `const log = from('bunyan').createLogger({ name: 'app' }); await step('work', () => log.info('hello'));`,
  },
];

/** Header fields carry the trace to where the library itself does not. */
const head = `
import { createRequire } from 'node:module';
import { context, propagation, trace } from '@opentelemetry/api';
const from = createRequire(import.meta.url);
const port = Number(process.env.PEER);
const step = (name, run) => trace.getTracer('app').startActiveSpan(name, async (span) => {
  const headers = {};
  propagation.inject(context.active(), headers);
  try { return await run(headers); } finally { span.end(); }
});
`;

describe.skipIf(!isFull)('the oldest versions that are taken (long tier, which installs them)', () => {
  beforeAll(buildPackage, 120_000);

  describe.each(
    oldest.map((each) => ({ library: each.packages[0].replace(/@[^@]*$/, ''), name: each.packages[0], ...each })),
  )('$name', ({ library, packages, peer, spans = {}, logs = [], source }) => {
    let folder: string;
    const sink = new OtlpSink();

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'signalbox-oldest-'));
      writeFileSync(join(folder, 'package.json'), '{"private":true}');
      const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
      if (peers[peer].isThere)
        await run('npm', ['install', ...quiet, ...packages, '@opentelemetry/api@1.9'], {
          cwd: folder,
          timeout: 240_000,
        });
      await sink.listen();
    }, 300_000);
    afterAll(async () => {
      await sink.close();
      rmSync(folder, { recursive: true, force: true });
    });

    test.skipIf(!peers[peer].isThere)(`shows what it does (needs ${peer})`, async () => {
      const server = await peers[peer].start();
      try {
        const file = join(folder, 'app.mjs');
        writeFileSync(file, `${head}${source}`);
        const env = { PATH: process.env.PATH, OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port) };
        const { stderr } = await run(process.execPath, ['--import', registerUrl, file], { env, timeout: 60_000 });
        // No word of ours about a version that is not taken.
        expect(stderr).not.toContain(`signalbox: ${library} `);
        expect(stderr).not.toContain('signalbox: the instrumentation');
        const { traceId } = sink.span('work');
        const within = sink.spans.filter(
          (span) => span.traceId === traceId || span.links.some((link) => link.traceId === traceId),
        );
        for (const [name, attributes] of Object.entries(spans)) {
          // A name may begin alike: that of memcached's spans ends with a port, that of a search's may be a request's below.
          const found = within.filter(
            (span) => span.name.startsWith(name) && span.attributes['http.response.status_code'] === undefined,
          );
          expect(found.length, `${name} among ${within.map((span) => span.name)}`).toBeGreaterThan(0);
          expect(found[0]?.attributes).toMatchObject(attributes);
          expect(found[0]?.status.code).not.toBe(2);
        }
        expect(sink.logs.filter((log) => log.traceId === traceId).map(({ body }) => body)).toEqual(logs);
        expect(JSON.stringify(sink.spans.map(({ attributes }) => attributes))).not.toContain('secret');
      } finally {
        await server.stop();
      }
    });
  });
});
