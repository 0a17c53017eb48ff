// What was under way when the process ended, through each client whose calls can be. Those of pg are in sql/pg.test.ts; SQLite's are
// done before anything else runs.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { installOpenSearchClients, openSearchVersions } from '../testing/opensearch-versions.ts';
import { OtlpSink } from '../testing/otlp-sink.ts';
import { hasProgram, startMariadb, startMemcached, startRedis } from '../testing/peer-server.ts';

const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';
const client = 3;

interface Peer {
  readonly port: number;
  remove(): Promise<unknown>;
}

/** Answers the first request, so that the client knows where it is, and none after it. */
async function startSilent(): Promise<Peer> {
  let isFirst = true;
  const server: Server = createServer((_request, response) => {
    if (!isFirst) return;
    isFirst = false;
    response.writeHead(200, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const remove = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, remove };
}

interface Case {
  readonly library: string;
  readonly isThere: boolean;
  /** Of what is no package of the workspace's. */
  readonly install?: () => Promise<{ readonly packages: Readonly<Record<string, string>>; remove(): void }>;
  readonly start: () => Promise<Peer>;
  /** `before` is done, `cutOff` never is; each returns a promise. */
  readonly source: string;
  readonly span: object;
}

const cases: readonly Case[] = [
  {
    library: 'mysql2',
    isThere: hasProgram('mariadbd'),
    start: startMariadb,
    source: `import mysql from 'mysql2/promise';
      const pool = mysql.createPool({ host: '127.0.0.1', port, user: 'root' });
      const before = () => pool.query('SELECT 1');
      const cutOff = () => pool.query('SELECT SLEEP(60)');`,
    span: { name: 'SELECT', attributes: { 'db.system.name': 'mysql', 'db.query.text': 'SELECT SLEEP(?)' } },
  },
  {
    library: 'ioredis',
    isThere: hasProgram('redis-server'),
    start: startRedis,
    source: `import Redis from 'ioredis';
      const redis = new Redis({ host: '127.0.0.1', port });
      const before = () => redis.set('a', 'b');
      const cutOff = () => redis.blpop('nothing', 60);`,
    span: { name: 'BLPOP 0', attributes: { 'db.system.name': 'redis', 'db.operation.name': 'BLPOP' } },
  },
  {
    library: 'redis',
    isThere: hasProgram('redis-server'),
    start: startRedis,
    source: `import { createClient } from 'redis';
      const redis = await createClient({ url: 'redis://127.0.0.1:' + port }).connect();
      const before = () => redis.set('a', 'b');
      const cutOff = () => redis.blPop('nothing', 60);`,
    span: { name: 'BLPOP 0', attributes: { 'db.system.name': 'redis', 'db.operation.name': 'BLPOP' } },
  },
  {
    library: 'memjs',
    isThere: hasProgram('memcached'),
    start: startMemcached,
    source: `import memjs from 'memjs';
      const cache = memjs.Client.create('127.0.0.1:' + port, { timeout: 60 });
      const before = () => cache.set('a', 'b', {});
      // Nothing runs between the call and the end of the process, so no answer can have come.
      const cutOff = () => { const call = cache.get('a'); process.exit(0); return call; };`,
    span: { attributes: { 'db.system.name': 'memcached', 'db.operation.name': 'get' } },
  },
  {
    library: '@elastic/elasticsearch',
    isThere: true,
    start: startSilent,
    source: `import { Client } from '@elastic/elasticsearch';
      const search = new Client({ node: 'http://127.0.0.1:' + port });
      const before = () => search.info();
      const cutOff = () => search.search({ index: 'users' });`,
    span: { name: 'search users', attributes: { 'db.system.name': 'elasticsearch' } },
  },
  ...openSearchVersions.map((version) => ({
    library: `@opensearch-project/opensearch ${version.asked}`,
    isThere: true,
    start: startSilent,
    install: async () => {
      const clients = await installOpenSearchClients([version]);
      return { packages: clients.packagesOf(version.installed), remove: () => clients.remove() };
    },
    source: `import { Client } from '@opensearch-project/opensearch';
      const search = new Client({ node: 'http://127.0.0.1:' + port });
      const before = () => search.info();
      const cutOff = () => search.search({ index: 'users' });`,
    span: { name: 'search users', attributes: { 'db.system.name': 'opensearch' } },
  })),
];

describe.skipIf(!isFull)('what the end of the process cuts off (long tier; needs the server)', () => {
  beforeAll(buildPackage, 120_000);

  for (const { library, isThere, install, start, source, span } of cases)
    test.skipIf(!isThere)(
      `a call of ${library} has its span and its duration, as failed`,
      { timeout: 240_000 },
      async () => {
        const installed = await install?.();
        const sink = await new OtlpSink().listen();
        const server = await start();
        const app = new App({
          file: 'app.mjs',
          source: `import { trace } from '@opentelemetry/api';
          const port = Number(process.env.PEER);
          ${source}
          const tracer = trace.getTracer('app');
          await tracer.startActiveSpan('before', async (span) => { await before(); span.end(); });
          setTimeout(() => process.exit(0), 300);
          tracer.startActiveSpan('cut off', (span) => { span.end(); void cutOff(); });`,
          env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port) },
          ...(installed !== undefined && { packages: installed.packages }),
        });
        try {
          expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
        } finally {
          await server.remove();
          await sink.close();
          installed?.remove();
        }
        const { spanId } = sink.span('cut off');
        const cut = sink.spans.filter(({ kind, parentSpanId }) => kind === client && parentSpanId === spanId);
        expect(cut).toMatchObject([
          {
            ...span,
            status: { code: 2, message: 'the process ended before it was done' },
            attributes: { ...(span as { attributes?: object }).attributes, 'error.type': 'process_exit' },
          },
        ]);
        expect(sink.point('db.client.operation.duration', { 'error.type': 'process_exit' }).count).toBe(1);
        // What was done before is done once.
        expect(sink.spans.filter(({ kind, status }) => kind === client && status.code === 2)).toHaveLength(1);
      },
    );
});
