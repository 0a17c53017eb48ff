import { once } from 'node:events';
import { trace } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Instrumentation } from '../instrumentation.ts';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';
import { outage } from '../testing/outage.ts';
import { hasProgram, type PeerServer, startRedis } from '../testing/peer-server.ts';
import { record } from '../testing/record.ts';
import { missing, registry, violations } from '../testing/registry.ts';
import { ioredisInstrumentation } from './ioredis.ts';
import { nodeRedisInstrumentation } from './node-redis.ts';

const hasRedis = hasProgram('redis-server');

/** What only the two clients call differently. */
const dialects = {
  ioredis: {
    load: { mjs: "import Redis from 'ioredis';", cjs: "const Redis = require('ioredis');" },
    connect: "const redis = new Redis(Number(process.env.REDIS), '127.0.0.1', { db: 2 }); await redis.ping();",
    setExpiring: "redis.set('user:1', 'a secret value', 'EX', 60)",
    lpush: "redis.lpush('user:1', 'x')",
    eval: "redis.eval('return ARGV[1]', 1, 'k', 'a secret argument')",
    config: "redis.config('SET', 'requirepass', '')",
    call: (command: string, argument: string) => `redis.call('${command}', '${argument}')`,
    pipeline: "redis.pipeline().set('a', 1).incr('a').exec()",
    multi: "redis.multi().set('b', 1).incr('b').exec()",
    close: 'await redis.quit();',
  },
  redis: {
    load: { mjs: "import { createClient } from 'redis';", cjs: "const { createClient } = require('redis');" },
    connect:
      "const redis = createClient({ url: 'redis://127.0.0.1:' + process.env.REDIS + '/2' }); await redis.connect(); await redis.ping();",
    setExpiring: "redis.set('user:1', 'a secret value', { EX: 60 })",
    lpush: "redis.lPush('user:1', 'x')",
    eval: "redis.eval('return ARGV[1]', { keys: ['k'], arguments: ['a secret argument'] })",
    config: "redis.configSet('requirepass', '')",
    call: (command: string, argument: string) => `redis.sendCommand(['${command}', '${argument}'])`,
    pipeline: "redis.multi().set('a', '1').incr('a').execAsPipeline()",
    multi: "redis.multi().set('b', '1').incr('b').exec()",
    close: 'await redis.close();',
  },
} as const;

function bodyOf(client: keyof typeof dialects): string {
  const dialect = dialects[client];
  return `
const tracer = trace.getTracer('app');
const step = (name, run) => tracer.startActiveSpan(name, async (span) => { try { await run(); } catch {} finally { span.end(); } });
const run = async () => {
  ${dialect.connect}
  await step('set', () => ${dialect.setExpiring});
  await step('get', () => redis.get('user:1'));
  await step('miss', () => redis.get('user:none'));
  await step('wrong', () => ${dialect.lpush});
  await step('eval', () => ${dialect.eval});
  await step('config', () => ${dialect.config});
  await step('unknown', () => ${dialect.call('NOSUCH', 'a secret argument')});
  await step('auth', () => ${dialect.call('AUTH', 'a secret password')});
  await step('pipeline', () => ${dialect.pipeline});
  await step('multi', () => ${dialect.multi});
  await Promise.all([0, 1, 2].map((n) => step('parallel ' + n, () => redis.get('key:' + n))));
  ${dialect.close}
};
run();
`;
}

const api = {
  mjs: "import { trace } from '@opentelemetry/api';",
  cjs: "const { trace } = require('@opentelemetry/api');",
};
const variants = (['ioredis', 'redis'] as const).flatMap((client) =>
  (['mjs', 'cjs'] as const).map((ending) => ({
    client,
    file: `app.${ending}` as const,
    source: `${dialects[client].load[ending]} ${api[ending]}${bodyOf(client)}`,
  })),
);

beforeAll(buildPackage, 120_000);

describe.skipIf(!hasRedis).each(variants)(
  '$client against a real server, which needs redis-server ($file)',
  ({ client, file, source }) => {
    const sink = new OtlpSink();
    let server: PeerServer;
    let port = 0;

    beforeAll(async () => {
      await sink.listen();
      server = await startRedis();
      port = server.port;
      const app = new App({ file, source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, REDIS: String(port) } });
      expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
      expect(app.stderr).toBe('');
    }, 30_000);

    afterAll(async () => {
      await server.stop();
      await sink.close();
    });

    const under = (parent: SinkSpan): SinkSpan[] =>
      sink.spans.filter(({ kind, parentSpanId }) => kind === 3 && parentSpanId === parent.spanId);
    const command = (name: string): SinkSpan => {
      const [span] = under(sink.span(name));
      if (span === undefined) throw new Error(`no command under ${name}`);
      return span;
    };

    test('a command is a client span with names by the conventions', () => {
      const span = command('get');
      expect(span).toMatchObject({ name: 'GET 2', kind: 3, status: { code: 0 } });
      expect(span.attributes).toEqual({
        'db.system.name': 'redis',
        'db.operation.name': 'GET',
        'db.namespace': '2',
        'db.query.text': 'GET ?',
        'cache.hit': true,
        'server.address': '127.0.0.1',
        'server.port': port,
      });
    });

    test('a lookup says whether it found something', () => {
      expect(command('get').attributes['cache.hit']).toBe(true);
      expect(command('miss').attributes['cache.hit']).toBe(false);
    });

    test('no key, value, script or password is in the text', () => {
      expect(command('set').attributes['db.query.text']).toBe('SET ? ? ? ?');
      expect(command('eval').attributes['db.query.text']).toBe('EVAL ? ? ? ?');
      expect(command('config').attributes['db.query.text']).toBe('CONFIG SET ? ?');
      expect(command('unknown')).toMatchObject({
        status: { code: 2 },
        attributes: { 'error.type': 'ERR', 'db.query.text': 'NOSUCH ?' },
      });
      expect(command('auth').attributes['db.query.text']).toBe('AUTH ?');
      const all = JSON.stringify(sink.spans.map(({ attributes, status }) => [attributes, status]));
      expect(all).not.toContain('secret');
      expect(all).not.toContain('user:');
    });

    test('an error of the server sets status and type', () => {
      expect(command('wrong')).toMatchObject({
        status: { code: 2, message: expect.stringContaining('WRONGTYPE') },
        attributes: { 'error.type': 'WRONGTYPE', 'db.response.status_code': 'WRONGTYPE' },
      });
    });

    test('the commands of a pipeline are spans of their own, those of a transaction children of its span', () => {
      const pipeline = client === 'ioredis' ? sink.span('pipeline') : command('pipeline');
      expect(under(pipeline).map(({ name }) => name)).toEqual(['SET 2', 'INCR 2']);
      const transaction = command('multi');
      expect(transaction).toMatchObject({
        name: 'MULTI 2',
        attributes: { 'db.operation.name': 'MULTI', 'db.operation.batch.size': 2 },
      });
      // node-redis announces a transaction as a whole.
      expect(under(transaction).map(({ attributes }) => attributes['db.operation.name'])).toEqual(
        client === 'ioredis' ? ['MULTI', 'SET', 'INCR', 'EXEC'] : [],
      );
    });

    test('concurrent commands keep their parents; commands outside of a trace make no span but are measured', () => {
      for (const n of [0, 1, 2]) expect(command(`parallel ${n}`).name).toBe('GET 2');
      expect(sink.spans.filter(({ parentSpanId }) => parentSpanId === '').every(({ kind }) => kind === 1)).toBe(true);
      expect(sink.point('db.client.operation.duration', { 'db.operation.name': 'PING' }).count).toBe(1);
      const point = sink.point('db.client.operation.duration', { 'db.operation.name': 'GET' });
      expect(point).toMatchObject({ unit: 's', count: 5, bounds: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] });
      expect(point.exemplars.length).toBeGreaterThan(0);
    });

    test.skipIf(registry === undefined)(
      'emits only what the registry of conventions knows (needs the conformance data)',
      () => {
        if (registry === undefined) throw new Error('skipped');
        for (const { attributes } of sink.spans.filter(({ kind }) => kind === 3)) {
          const { 'cache.hit': ours, ...known } = attributes;
          expect(violations(known, registry)).toEqual([]);
          expect(ours === undefined || attributes['db.operation.name'] === 'GET').toBe(true);
          expect(missing('span.db.redis.client', attributes, registry)).toEqual([]);
        }
        const metric = registry.metrics['db.client.operation.duration'];
        for (const point of sink.points.filter(({ metric: name }) => name === 'db.client.operation.duration')) {
          for (const name of Object.keys(point.attributes))
            expect(Object.keys(metric?.attributes ?? {})).toContain(name);
        }
      },
    );
  },
);

/** In this process, so that options can be given. */
describe.skipIf(!hasRedis)('the clients in the hands of options (needs redis-server)', () => {
  const clients: readonly {
    readonly name: string;
    readonly instrumentation: Instrumentation;
    readonly connect: (port: number) => Promise<CacheClient>;
  }[] = [
    { name: 'ioredis', instrumentation: ioredisInstrumentation, connect: connectIoredis },
    { name: 'redis', instrumentation: nodeRedisInstrumentation, connect: connectNodeRedis },
  ];
  let server: PeerServer;

  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  const lookUp = (client: CacheClient): Promise<unknown> =>
    trace.getTracer('app').startActiveSpan('step', async (span) => {
      const answer = await client.get('user:1').catch((error: unknown) => error);
      span.end();
      return answer;
    });

  test.each(clients)('$name shows keys when asked', async ({ name, instrumentation, connect }) => {
    const sink = await record(
      [instrumentation],
      async () => {
        const client = await connect(server.port);
        await lookUp(client);
        await client.close();
      },
      { [name]: { keys: true } },
    );
    expect(sink.span('GET 0').attributes).toMatchObject({
      'db.query.text': 'GET user:1',
      'cache.key': 'user:1',
      'cache.hit': false,
    });
  });

  test.each(clients)('$name: spans and metrics are switched apart', async ({ name, instrumentation, connect }) => {
    const counts = [];
    for (const switches of [{ spans: false }, { metrics: false }]) {
      const sink = await record(
        [instrumentation],
        async () => {
          const client = await connect(server.port);
          await lookUp(client);
          await client.close();
        },
        { switches: { [name]: switches } },
      );
      counts.push([
        sink.spans.filter(({ kind }) => kind === 3).length,
        sink.points.filter(({ metric }) => metric === 'db.client.operation.duration').length > 0,
      ]);
    }
    expect(counts).toEqual([
      [0, true],
      [1, false],
    ]);
  });
});

const servers = {
  ioredis: `import Redis from 'ioredis';
    const redis = new Redis(Number(process.env.REDIS), '127.0.0.1', { maxRetriesPerRequest: 1, retryStrategy: () => 50 });
    redis.on('error', () => {});`,
  redis: `import { createClient } from 'redis';
    const redis = createClient({ url: 'redis://127.0.0.1:' + process.env.REDIS, disableOfflineQueue: true,
      socket: { reconnectStrategy: () => 50 } });
    redis.on('error', () => {}); await redis.connect();`,
} as const;

describe.skipIf(!hasRedis).each(['ioredis', 'redis'] as const)(
  '%s and a server that goes away (needs redis-server)',
  (client) => {
    test('shows the failure, and its end', async () => {
      const sink = await new OtlpSink().listen();
      const server = await startRedis();
      const source = `import http from 'node:http'; ${servers[client]}
      http.createServer((request, response) => redis.get('k').then(() => response.end(), () => response.writeHead(503).end()))
        .listen(0, '127.0.0.1', function () { console.log('port=' + this.address().port); });`;
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, REDIS: String(server.port) };
      const app = new App({ file: 'app.mjs', source, env });
      try {
        expect(await outage(app, server)).toEqual([200, 503, 200]);
        await app.stop();
      } finally {
        app.process.kill('SIGKILL');
        await server.stop();
        await sink.close();
      }
      const requests = sink.spans.filter(({ kind }) => kind === 2);
      const lookups = sink.spans.filter(({ kind, name }) => kind === 3 && name === 'GET 0');
      // Each request asked once, in its own trace, however the client came by its connection.
      expect(lookups.map(({ parentSpanId }) => parentSpanId).sort()).toEqual(
        requests.map(({ spanId }) => spanId).sort(),
      );
      const failed = lookups.filter(({ status }) => status.code === 2);
      expect(failed.length).toBe(
        requests.filter(({ attributes }) => attributes['http.response.status_code'] === 503).length,
      );
      expect(failed.length).toBeGreaterThan(0);
      for (const { attributes } of failed) expect(attributes['error.type']).toBeTypeOf('string');
      const types = new Set(failed.map(({ attributes }) => attributes['error.type']));
      for (const type of types)
        expect(sink.point('db.client.operation.duration', { 'error.type': type }).count).toBeGreaterThan(0);
    }, 60_000);
  },
);

interface CacheClient {
  get(key: string): Promise<unknown>;
  close(): Promise<unknown>;
}

async function connectIoredis(port: number): Promise<CacheClient> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(port, '127.0.0.1');
  await once(redis, 'ready');
  return { get: (key) => redis.get(key), close: () => redis.quit() };
}

async function connectNodeRedis(port: number): Promise<CacheClient> {
  const { createClient } = await import('redis');
  const redis = createClient({ socket: { host: '127.0.0.1', port } });
  await redis.connect();
  return { get: (key) => redis.get(key), close: () => redis.close() };
}
