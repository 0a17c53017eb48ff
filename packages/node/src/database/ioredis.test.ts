import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';
import { missing, registry, violations } from '../testing/registry.ts';

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

const body = `
const tracer = trace.getTracer('app');
const redis = new Redis(Number(process.env.REDIS), '127.0.0.1', { db: 2 });
const step = (name, run) => tracer.startActiveSpan(name, async (span) => { try { await run(); } catch {} finally { span.end(); } });
const run = async () => {
  await redis.ping();
  await step('set', () => redis.set('user:1', 'a secret value', 'EX', 60));
  await step('get', () => redis.get('user:1'));
  await step('wrong', () => redis.lpush('user:1', 'x'));
  await step('eval', () => redis.eval('return ARGV[1]', 1, 'k', 'a secret argument'));
  await step('config', () => redis.config('SET', 'requirepass', ''));
  await step('unknown', () => redis.call('NOSUCH', 'a secret argument'));
  await step('auth', () => redis.call('AUTH', 'a secret password'));
  await step('pipeline', () => redis.pipeline().set('a', 1).incr('a').exec());
  await step('multi', () => redis.multi().set('b', 1).incr('b').exec());
  await Promise.all([0, 1, 2].map((n) => step('parallel ' + n, () => redis.get('key:' + n))));
  await redis.quit();
};
run();
`;

const variants = [
  { file: 'app.mjs', source: `import Redis from 'ioredis'; import { trace } from '@opentelemetry/api';${body}` },
  {
    file: 'app.cjs',
    source: `const Redis = require('ioredis'); const { trace } = require('@opentelemetry/api');${body}`,
  },
] as const;

beforeAll(buildPackage, 120_000);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.skipIf(!hasRedis).each(variants)(
  'ioredis against a real server, which needs redis-server ($file)',
  ({ file, source }) => {
    const sink = new OtlpSink();
    let server: ChildProcess;
    let port = 0;

    beforeAll(async () => {
      await sink.listen();
      port = await freePort();
      server = spawn(
        'redis-server',
        ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      await new Promise<void>((resolve) =>
        server.stdout?.on('data', (chunk) => String(chunk).includes('eady to accept connections') && resolve()),
      );
      const app = new App({ file, source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, REDIS: String(port) } });
      expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
      expect(app.stderr).toBe('');
    }, 30_000);

    afterAll(async () => {
      server.kill();
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
        'db.query.text': 'GET user:1',
        'server.address': '127.0.0.1',
        'server.port': port,
      });
    });

    test('no value, script argument or password is in the text', () => {
      expect(command('set').attributes['db.query.text']).toBe('SET user:1 ? ? ?');
      expect(command('eval').attributes['db.query.text']).toBe('EVAL return ARGV[1] ? ? ?');
      expect(command('config').attributes['db.query.text']).toBe('CONFIG SET requirepass ?');
      expect(command('unknown')).toMatchObject({
        status: { code: 2 },
        attributes: { 'error.type': 'ERR', 'db.query.text': 'NOSUCH ?' },
      });
      expect(command('auth').attributes['db.query.text']).toBe('AUTH ?');
      const all = JSON.stringify(sink.spans.map(({ attributes, status }) => [attributes, status]));
      expect(all).not.toContain('secret');
    });

    test('an error of the server sets status and type', () => {
      expect(command('wrong')).toMatchObject({
        status: { code: 2, message: expect.stringContaining('WRONGTYPE') },
        attributes: { 'error.type': 'WRONGTYPE', 'db.response.status_code': 'WRONGTYPE' },
      });
    });

    test('the commands of a pipeline are spans of their own, those of a transaction children of its span', () => {
      expect(under(sink.span('pipeline')).map(({ name }) => name)).toEqual(['SET 2', 'INCR 2']);
      const transaction = command('multi');
      expect(transaction).toMatchObject({
        name: 'MULTI 2',
        attributes: { 'db.operation.name': 'MULTI', 'db.operation.batch.size': 2 },
      });
      expect(under(transaction).map(({ attributes }) => attributes['db.operation.name'])).toEqual([
        'MULTI',
        'SET',
        'INCR',
        'EXEC',
      ]);
    });

    test('concurrent commands keep their parents; commands outside of a trace make no span but are measured', () => {
      for (const n of [0, 1, 2]) expect(command(`parallel ${n}`).attributes['db.query.text']).toBe(`GET key:${n}`);
      expect(sink.spans.filter(({ parentSpanId }) => parentSpanId === '').every(({ kind }) => kind === 1)).toBe(true);
      expect(sink.point('db.client.operation.duration', { 'db.operation.name': 'PING' }).count).toBe(1);
      const point = sink.point('db.client.operation.duration', { 'db.operation.name': 'GET' });
      expect(point).toMatchObject({ unit: 's', count: 4, bounds: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] });
      expect(point.exemplars.length).toBeGreaterThan(0);
    });

    test.skipIf(registry === undefined)(
      'emits only what the registry of conventions knows (needs the conformance data)',
      () => {
        if (registry === undefined) throw new Error('skipped');
        for (const { attributes } of sink.spans.filter(({ kind }) => kind === 3)) {
          expect(violations(attributes, registry)).toEqual([]);
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
