import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';
import { outage } from '../testing/outage.ts';
import { hasProgram, type PeerServer, startMemcached } from '../testing/peer-server.ts';
import { missing, registry, violations } from '../testing/registry.ts';

const hasMemcached = hasProgram('memcached');
const client = 3;

const body = `
const tracer = trace.getTracer('app');
const step = (name, run) => tracer.startActiveSpan(name, async (span) => {
  try { return await run(span); } catch (error) { console.log(name + ': ' + error.message); } finally { span.end(); }
});
const cache = memjs.Client.create('127.0.0.1:' + process.env.PEER, { logger: { log() {} } });
const run = async () => {
  await cache.set('outside', 'secret-value', {});
  await step('set', () => cache.set('secret-key', 'secret-value', { expires: 60 }));
  await step('hit', async () => console.log('value=' + (await cache.get('secret-key')).value.length));
  await step('miss', async () => console.log('missed=' + (await cache.get('nobody')).value));
  await step('callback', (span) => new Promise((resolve, reject) => cache.get('secret-key', (error, value) => {
    if (trace.getActiveSpan() === span) tracer.startSpan('in the callback').end();
    return error ? reject(error) : resolve(value);
  })));
  await step('all', async () => {
    await cache.add('n', '1', {});
    await cache.replace('n', '2', {});
    await cache.increment('n', 3, { initial: 0 });
    await cache.decrement('n', 1, { initial: 0 });
    await cache.append('n', '0');
    await cache.prepend('n', '0');
    await cache.touch('n', 60);
    await cache.delete('n');
    await cache.flush();
  });
  await step('too large', () => cache.set('secret-key', Buffer.alloc(2 << 20), {}));
  cache.close();
};
run();
`;

const variants = [
  { file: 'app.mjs', source: `import memjs from 'memjs'; import { trace } from '@opentelemetry/api';${body}` },
  {
    file: 'app.cjs',
    source: `const memjs = require('memjs'); const { trace } = require('@opentelemetry/api');${body}`,
  },
] as const;

let server: PeerServer;

beforeAll(async () => {
  buildPackage();
  if (hasMemcached) server = await startMemcached();
}, 120_000);
afterAll(() => server?.remove());

describe.skipIf(!hasMemcached).each(variants)(
  'memjs and a real memcached, which must be installed ($file)',
  ({ file, source }) => {
    const sink = new OtlpSink();
    let stdout: string;

    beforeAll(async () => {
      await sink.listen();
      const app = new App({ file, source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port) } });
      expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
      expect(app.stderr).toBe('');
      stdout = app.stdout;
    }, 180_000);
    afterAll(() => sink.close());

    const under = (name: string): SinkSpan[] => {
      const { spanId } = sink.span(name);
      return sink.spans.filter((span) => span.kind === client && span.parentSpanId === spanId);
    };

    test('a command is a client span without keys and values, and lookups say whether they found something', () => {
      const [hit] = under('hit');
      expect(hit).toMatchObject({ name: `get 127.0.0.1:${server.port}`, status: { code: 0 } });
      expect(hit?.attributes).toEqual({
        'db.system.name': 'memcached',
        'db.operation.name': 'get',
        'db.query.text': 'get ?',
        'cache.hit': true,
        'server.address': '127.0.0.1',
        'server.port': server.port,
      });
      expect(under('miss').map(({ attributes }) => attributes['cache.hit'])).toEqual([false]);
      expect(stdout).toContain('value=12');
      expect(stdout).toContain('missed=null');
      expect(JSON.stringify(sink.spans.map(({ attributes, status }) => [attributes, status]))).not.toContain('secret');
    });

    test('commands have the names that memcached gives them', () => {
      expect(under('all').map(({ attributes }) => attributes['db.operation.name'])).toEqual([
        'add',
        'replace',
        'incr',
        'decr',
        'append',
        'prepend',
        'touch',
        'delete',
        'flush_all',
      ]);
      expect(under('all').at(-1)?.attributes['db.query.text']).toBe('flush_all');
    });

    test('callbacks run in the context of their caller', () => {
      expect(sink.span('in the callback').parentSpanId).toBe(sink.span('callback').spanId);
    });

    test('what memcached refuses is a failure', () => {
      const [refused] = under('too large');
      expect(refused?.status).toEqual({ code: 2, message: 'MemJS SET: Value too large' });
      expect(refused?.attributes['error.type']).toBe('Error');
      expect(stdout).toContain('too large: MemJS SET: Value too large');
    });

    test('durations are measured of commands outside of any trace as well, which make no span', () => {
      const sets = { 'db.operation.name': 'set', 'server.port': server.port, 'error.type': undefined };
      expect(sink.point('db.client.operation.duration', sets)).toMatchObject({ unit: 's', count: 2 });
      expect(sink.point('db.client.operation.duration', { ...sets, 'error.type': 'Error' }).count).toBe(1);
      expect(sink.spans.filter(({ attributes }) => attributes['db.operation.name'] === 'set')).toHaveLength(2);
    });

    test.skipIf(registry === undefined)(
      'emits only what the registry of conventions knows, and cache.hit (needs the conformance data)',
      () => {
        if (registry === undefined) throw new Error('skipped');
        for (const { attributes } of sink.spans.filter(({ kind }) => kind === client)) {
          const { 'cache.hit': _, ...conventional } = attributes;
          expect(violations(conventional, registry)).toEqual([]);
          expect(missing('span.db.client', attributes, registry)).toEqual([]);
        }
      },
    );
  },
);

test.skipIf(!hasMemcached)(
  'keys are shown where they are asked for, and switches are apart (memcached must be installed)',
  async () => {
    const sink = await new OtlpSink().listen();
    const start = `import { start } from '@signalbox/node';
    start({ memjs: { keys: true, requireParent: false }, switches: { memjs: { metrics: false } } });
    const { default: memjs } = await import('memjs');
    const cache = memjs.Client.create('127.0.0.1:' + process.env.PEER);
    await cache.get('users:7');
    cache.close();`;
    const app = new App({
      file: 'app.mjs',
      source: start,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port) },
      nodeArguments: [],
    });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    await sink.close();
    expect(sink.spans.map(({ attributes }) => [attributes['db.query.text'], attributes['cache.key']])).toEqual([
      ['get users:7', 'users:7'],
    ]);
    expect(sink.points.map(({ metric }) => metric)).not.toContain('db.client.operation.duration');
  },
  180_000,
);

const service = `import http from 'node:http'; import memjs from 'memjs';
  const cache = memjs.Client.create('127.0.0.1:' + process.env.PEER, { retries: 1, timeout: 0.3, logger: { log() {} } });
  // After a timeout memjs forgets the command that follows at once: nobody would ever hear of it again.
  const get = () => Promise.race([cache.get('k'), new Promise((_, reject) => setTimeout(reject, 2000, new Error('never')))]);
  http.createServer((request, response) => get().then(() => response.end(), () => response.writeHead(503).end()))
    .listen(0, '127.0.0.1', function () { console.log('port=' + this.address().port); });`;

test.skipIf(!hasMemcached).each([
  // The connection that is there may only be found dead when something is written to it.
  ['goes away', 'SIGKILL', /^(ECONNREFUSED|ECONNRESET|EPIPE)$/],
  ['does not answer', 'SIGSTOP', /^Error$/],
] as const)(
  'a memcached that %s shows as failures, and its end (it must be installed)',
  async (_, signal, type) => {
    const sink = await new OtlpSink().listen();
    const peer = await startMemcached();
    const app = new App({
      file: 'app.mjs',
      source: service,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(peer.port) },
    });
    try {
      expect(await outage(app, peer, signal)).toEqual([200, 503, 200]);
      await app.stop();
    } finally {
      app.process.kill('SIGKILL');
      await peer.remove();
      await sink.close();
    }
    const commands = sink.spans.filter(({ kind }) => kind === client);
    expect(commands[0]?.status.code).toBe(0);
    // What memjs has forgotten ends with the process, behind all others.
    const ended = commands.filter(({ attributes }) => attributes['error.type'] !== 'process_exit');
    expect(ended.at(-1)?.status.code).toBe(0);
    const failed = commands.filter(({ status }) => status.code === 2);
    expect(failed.map(({ attributes }) => attributes['error.type'])).toContainEqual(expect.stringMatching(type));
    if (signal === 'SIGSTOP') expect(failed[0]?.status.message).toBe('socket timed out waiting on response.');
    const requests = sink.spans.filter(({ kind }) => kind === 2).map(({ spanId }) => spanId);
    for (const { parentSpanId } of commands) expect(requests).toContain(parentSpanId);
  },
  180_000,
);
