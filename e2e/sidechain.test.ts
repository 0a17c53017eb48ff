import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { KeyValue, LogSearchResponse, Span, TraceResponse } from '@signalbox/api-contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  hasProgram,
  type PeerServer,
  postgresPrograms,
  startPostgres,
  startRedis,
} from '../packages/node/src/testing/peer-server.ts';
import { Child } from './child-process.ts';
import { eventually, SignalboxProcess } from './signalbox-process.ts';

// Sidechain as its document has it: HTTP request → database, cache, external APIs, in one trace, and in every log line.

const canRun = postgresPrograms() !== undefined && hasProgram('redis-server');
const main = fileURLToPath(new URL('../examples/sidechain/dist/main.js', import.meta.url));

/** Stream.io and Elasticsearch, as far as sidechain asks them. */
const requests: { method: string; path: string; headers: IncomingMessage['headers'] }[] = [];
let isBroken = false;
const apis = createServer((request, response) => {
  requests.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers });
  response.writeHead(isBroken ? 503 : 200, { 'content-type': 'application/json' }).end('{}');
});

const store = new SignalboxProcess();
let postgres: PeerServer;
let redis: PeerServer;
let sidechain: Child;
let url = '';

async function startSidechain(env: Record<string, string>): Promise<{ child: Child; url: string }> {
  const api = `http://127.0.0.1:${(apis.address() as AddressInfo).port}`;
  const child = new Child(process.execPath, [main], {
    SIDECHAIN_PORT: '0',
    DATABASE_URL: `postgres://postgres@127.0.0.1:${postgres.port}/postgres`,
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    STREAM_URL: api,
    ELASTICSEARCH_URL: api.replace('127.0.0.1', 'localhost'),
    // As the document writes it: without a scheme.
    OTEL_EXPORTER_OTLP_ENDPOINT: new URL(store.otlpHttp).host,
    ...env,
  });
  return { child, url: (await child.waitFor(/"url":"(http:[^"]+)"/))[1] ?? '' };
}

async function ask(
  path: string,
  options: RequestInit = {},
): Promise<{ status: number; traceId: string; body: unknown }> {
  const response = await fetch(new URL(path, url), { headers: { 'x-user-id': 'u1' }, ...options });
  return { status: response.status, traceId: response.headers.get('x-trace-id') ?? '', body: await response.json() };
}

const post = (caption: string) =>
  ask('/api/v1/posts', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user-id': 'u1' },
    body: JSON.stringify({ caption }),
  });

/** The trace once its root is there, which ends last. */
async function traceOf(traceId: string): Promise<readonly Span[]> {
  return await eventually(async () => {
    const trace = await store.api<TraceResponse>(`traces/${traceId}`).catch(() => undefined);
    return trace?.spans.some(({ parentSpanId }) => parentSpanId === '') ? trace.spans : undefined;
  }, 20_000);
}

function valuesOf(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

describe.skipIf(!canRun)('sidechain (PostgreSQL and redis-server must be installed)', () => {
  beforeAll(async () => {
    apis.listen(0);
    await once(apis, 'listening');
    [postgres, redis] = await Promise.all([startPostgres(), startRedis(), store.start()]);
    ({ child: sidechain, url } = await startSidechain({ OTEL_ENVIRONMENT: 'staging', OTEL_TRACE_SAMPLER_RATE: '1.0' }));
  });
  afterAll(async () => {
    await (sidechain as Child | undefined)?.stop();
    await Promise.all([(postgres as PeerServer | undefined)?.remove(), (redis as PeerServer | undefined)?.remove()]);
    apis.close();
    await store.dispose();
  });

  test('a request is one trace: the cache missed, the database and Stream.io asked', async () => {
    expect((await post('a secret caption')).status).toBe(201);
    const { status, traceId } = await ask('/api/v1/feed/unified');
    expect(status).toBe(200);
    const spans = await traceOf(traceId);
    const root = spans.find(({ parentSpanId }) => parentSpanId === '');
    expect(root).toMatchObject({ name: 'GET /api/v1/feed/:type', kind: 'SERVER', service: 'sidechain-backend' });
    expect(valuesOf(root?.attributes ?? [])).toMatchObject({
      'http.method': 'GET',
      'http.route': '/api/v1/feed/:type',
      'http.target': '/api/v1/feed/unified',
      'user.id': 'u1',
      'feed.type': 'unified',
    });
    const children = spans
      .filter(({ kind }) => kind === 'CLIENT')
      .sort((a, b) => (BigInt(a.startTimeUnixNano) < BigInt(b.startTimeUnixNano) ? -1 : 1));
    expect(children.map(({ name }) => name)).toEqual(['GET 0', 'SELECT posts', 'GET', 'SET 0']);
    for (const { parentSpanId } of children) expect(parentSpanId).toBe(root?.spanId);
    const [lookup, select, external] = children.map(({ attributes }) => valuesOf(attributes));
    expect(lookup).toMatchObject({ 'db.operation.name': 'GET', 'cache.key': 'feed:unified', 'cache.hit': false });
    expect(select).toMatchObject({ 'db.collection.name': 'posts', 'db.operation.name': 'SELECT' });
    expect(external).toMatchObject({ 'service.peer.name': 'stream.io' });
    expect(JSON.stringify(spans)).not.toContain('secret');
    const sent = requests.find(({ path }) => path === '/api/v1.0/feed/timeline/');
    expect(sent?.headers.traceparent).toContain(traceId);
  });

  test('the second request is answered by the cache', async () => {
    const { traceId } = await ask('/api/v1/feed/unified');
    const spans = await traceOf(traceId);
    const [lookup, ...more] = spans.filter(({ kind }) => kind === 'CLIENT');
    expect(more).toEqual([]);
    expect(valuesOf(lookup?.attributes ?? [])).toMatchObject({ 'cache.key': 'feed:unified', 'cache.hit': true });
  });

  test('an API that fails shows as what it is, and the log line about it leads to the trace and back', async () => {
    isBroken = true;
    const { status, traceId } = await post('another');
    isBroken = false;
    expect(status).toBe(201);
    const spans = await traceOf(traceId);
    const failed = spans.filter((span) => span.status.code === 'ERROR');
    expect(failed.map(({ name, attributes }) => [name, valuesOf(attributes)['service.peer.name']])).toEqual([
      ['PUT', 'elasticsearch'],
    ]);
    const { logs } = await eventually(async () => {
      const found = await store.api<LogSearchResponse>('logs', { traceId });
      return found.logs.length > 0 ? found : undefined;
    }, 20_000);
    expect(logs.map(({ body }) => JSON.stringify(body)).join()).toContain('the post could not be indexed');
    const line = sidechain.output.split('\n').find((text) => text.includes('the post could not be indexed')) ?? '{}';
    expect(JSON.parse(line)).toMatchObject({ level: 'error', trace_id: traceId });
    expect(spans.map(({ spanId }) => spanId)).toContain(JSON.parse(line).span_id);
  });

  test('a cache that is down makes an error in the trace, and the answer all the same', async () => {
    await redis.stop('SIGKILL');
    const { status, traceId } = await ask('/api/v1/feed/trending');
    await redis.start();
    expect(status).toBe(200);
    const spans = await traceOf(traceId);
    const lookup = spans.find(({ name }) => name === 'GET 0');
    expect(lookup?.status.code).toBe('ERROR');
    expect(spans.find(({ name }) => name === 'SELECT posts')?.status.code).toBe('UNSET');
  });

  test('OTEL_TRACE_SAMPLER_RATE keeps a share of the traces, OTEL_ENABLED=false none', async () => {
    const sampled = await startSidechain({ OTEL_TRACE_SAMPLER_RATE: '0.5' });
    const traceIds: string[] = [];
    for (let index = 0; index < 40; index += 1) {
      const response = await fetch(new URL('/health', sampled.url));
      await response.arrayBuffer();
      traceIds.push(response.headers.get('x-trace-id') ?? '');
    }
    await sampled.child.stop();
    const kept = await Promise.all(
      traceIds.map((traceId) =>
        store.api<TraceResponse>(`traces/${traceId}`).then(
          ({ spans }) => spans.length > 0,
          () => false,
        ),
      ),
    );
    const share = kept.filter(Boolean).length;
    // Outside of these bounds once in five million runs.
    expect(share).toBeGreaterThan(4);
    expect(share).toBeLessThan(36);
    const silent = await startSidechain({ OTEL_ENABLED: 'false' });
    const response = await fetch(new URL('/health', silent.url));
    expect([response.status, response.headers.get('x-trace-id')]).toEqual([200, null]);
    await silent.child.stop();
  });
});
