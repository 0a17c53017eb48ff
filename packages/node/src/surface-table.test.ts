// The table of docs/surfaces/README.md, made from what the instrumentations declare. `vitest run -u` writes it anew.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { builtInInstrumentations } from './built-in-instrumentations.ts';
import { record } from './testing/record.ts';
import { declaring, renderSurfaces, type SurfaceRow } from './testing/surface-table.ts';

const folder = fileURLToPath(new URL('../../../docs/surfaces/', import.meta.url));

const http = { page: 'http.md', seeds: '000, 001, 003, 004: HTTP' };
const route = { ...http, spans: 'the server span’s route', seeds: '001: spans by route' };
const sql = { page: 'sql.md', spans: '`SELECT users`', seeds: '001: `sql_*`; 003: table and operation' };
const redis = { page: 'redis.md', spans: '`GET 0`', seeds: '000: hits; 003: operation, key, hit or miss' };
const messages = {
  page: 'messaging.md',
  spans: '`publish {queue}`, `process {queue}`',
  seeds: '001: `queue_*`, one trace',
};
const logs = { page: '../sdk.md', spans: '', seeds: '000, 003: logs with trace ids' };

const rows: Readonly<Record<string, SurfaceRow>> = {
  'http-server': { ...http, what: 'HTTP servers', spans: '`GET /users/:id`', node: '`node:http`' },
  'http2-server': { ...http, what: 'HTTP/2 servers', spans: '`GET /users/:id`', node: '`node:http2`' },
  'http-client': { ...http, what: 'HTTP requests', spans: '`GET`', node: '`node:http`' },
  fetch: { ...http, what: 'fetch', spans: '`GET`', node: 'fetch, undici' },
  express: { ...route, what: 'Express' },
  fastify: { ...route, what: 'Fastify', channels: { fastify: '4' } },
  koa: { ...route, what: 'Koa' },
  hono: { ...route, what: 'Hono' },
  nestjs: { ...route, what: 'NestJS' },
  h3: { ...route, what: 'h3' },
  pg: { ...sql, what: 'PostgreSQL' },
  mysql2: { ...sql, what: 'MySQL, MariaDB', channels: { mysql2: '3.20' } },
  'node-sqlite': {
    ...sql,
    what: 'SQLite of Node',
    node: '`node:sqlite`, Node 22.13 and later',
    // An older Node has nothing to instrument.
    metrics: ['db.client.operation.duration', 'sql_ops_total ¹', 'sql_op_duration_seconds ¹'],
  },
  'better-sqlite3': { ...sql, what: 'SQLite' },
  ioredis: { ...redis, what: 'Redis', channels: { ioredis: '6' } },
  redis: { ...redis, what: 'Redis', channels: { redis: '6' } },
  memjs: { ...redis, what: 'memcached', page: 'memcached.md', spans: '`get {server}`' },
  kv: { page: 'stores.md', what: 'any store', spans: '`kv.get`', seeds: '000: cache tiers; 001: `kv_*`; 004: `kv.*`' },
  elasticsearch: {
    page: 'elasticsearch.md',
    what: 'Elasticsearch',
    through: ['@elastic/elasticsearch'],
    spans: '`search {index}`',
    seeds: '003: Elasticsearch',
  },
  opensearch: {
    page: 'elasticsearch.md',
    what: 'OpenSearch',
    spans: '`search {index}`',
    seeds: '003: Elasticsearch',
  },
  bullmq: { ...messages, what: 'BullMQ' },
  amqplib: { ...messages, what: 'RabbitMQ' },
  nats: { ...messages, what: 'NATS, JetStream' },
  mqtt: { ...messages, what: 'MQTT' },
  kafkajs: { ...messages, what: 'Kafka' },
  queues: { ...messages, page: 'queues.md', what: 'any queue' },
  websocket: {
    page: 'websockets.md',
    what: 'WebSockets',
    spans: '`websocket.connect`, `.message`, `.disconnect`, `chat.broadcast`',
    seeds: '004: `websocket.*`, `chat.broadcast`',
  },
  functions: {
    page: 'functions.md',
    what: 'functions',
    spans: 'the function’s name',
    seeds: '001: `function_*`; 004: operations',
  },
  processes: {
    page: 'processes.md',
    what: 'processes and threads',
    spans: '`worker.started`, `worker.terminated`',
    seeds: '001: `process_*`; 003: stages of FFmpeg',
  },
  jobs: { page: 'jobs.md', what: 'scheduled jobs', spans: 'the job’s name', seeds: '001: cron' },
  events: { page: 'events.md', what: 'business events', spans: 'events of the active one', seeds: '003: events' },
  eventbus: { page: 'events.md', what: 'event buses', spans: '', seeds: '001: `eventbus_*`' },
  cdc: { page: 'changes.md', what: 'changes out of a database', spans: '', seeds: '001: `cdc_*`' },
  temporal: {
    page: 'temporal.md',
    what: 'Temporal',
    spans: '`StartWorkflow:{type}`, `RunWorkflow:{type}`, `RunActivity:{type}` and more',
    metrics: ['temporal_*'],
    channels: { '@temporalio/client': '1.11', '@temporalio/worker': '1.11' },
    seeds: '001: tracing and metrics of workflows',
  },
  llm: { page: 'llm.md', what: 'language models', spans: '`chat {model}`', seeds: '002: `llm_*`, `chat_tokens_total`' },
  pino: { ...logs, what: 'pino', channels: { pino: '10' } },
  winston: { ...logs, what: 'winston' },
  bunyan: { ...logs, what: 'bunyan' },
  console: { ...logs, what: 'console', node: '`console`' },
};

test('the table of surfaces is what the code declares', async () => {
  const declaringAll = builtInInstrumentations.map((each) => ({ name: each.name, ...declaring(each) }));
  await record(
    declaringAll.map(({ instrumentation }) => instrumentation),
    () => {},
  );
  const declared = new Map(declaringAll.map(({ name, declared }) => [name, declared]));
  for (const [name, { page }] of Object.entries(rows)) {
    expect(declared.has(name), `${name} is an instrumentation`).toBe(true);
    expect(existsSync(`${folder}${page}`), page).toBe(true);
  }
  const text = `# Surfaces

What is instrumented, by whom it was asked for, and with what it is tested. Made from the code by
[surface-table.test.ts](../../packages/node/src/surface-table.test.ts): versions and metrics are what the instrumentations ask for, tested versions those
of [package.json](../../packages/node/package.json); the oldest versions of most are installed and tried by
[oldest-versions.test.ts](../../packages/node/src/oldest-versions.test.ts) in the long tier.

${renderSurfaces(rows, declared)}

¹ after the option \`metricPrefix\`; [all of them](metric-names.md). 000 to 004 are the systems that Signalbox was made for: chimney, wippy, AgentStack, sidechain and the
webserver, whose likes are in [examples](../../examples/README.md).

² the newest of that version, which the long tier installs for itself.
`;
  await expect(text).toMatchFileSnapshot(`${folder}README.md`);
});
