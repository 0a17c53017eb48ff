import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { type InstalledClients, installOpenSearchClients, openSearchVersions } from '../testing/opensearch-versions.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';
import { outage } from '../testing/outage.ts';
import { openSearchJars, type PeerServer, startOpenSearch } from '../testing/peer-server.ts';
import { registry, violations } from '../testing/registry.ts';

const client = 3;
const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';

/** As much of OpenSearch's API as the client needs to believe in it, and answers that a real one gives seldom. */
class OpenSearchStandIn {
  port = 0;
  readonly #documents = new Map<string, unknown>();
  readonly #server = http.createServer((request, response) => this.#answer(request, response));

  async start(): Promise<this> {
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    await this.remove();
  }

  async remove(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const [path = ''] = (request.url ?? '').split('?');
      const [, index = '', kind = '', id = ''] = path.split('/');
      const send = (status: number, answer: object): void => {
        response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' });
        response.end(request.method === 'HEAD' ? undefined : JSON.stringify(answer));
      };
      if (path === '/busy/_search')
        return send(503, { error: { type: 'busy_exception', reason: 'secret' }, status: 503 });
      if (path === '/_all/_search') return send(200, { hits: { hits: [] } });
      if (path === '/slow/_search') return void setTimeout(() => send(200, { hits: { hits: [] } }), 2000).unref();
      if (index !== 'users')
        return send(404, {
          error: { type: 'index_not_found_exception', reason: `no such index [${index}] secret` },
          status: 404,
        });
      if (kind === '_doc' && request.method === 'PUT') {
        this.#documents.set(id, JSON.parse(body));
        return send(201, { _index: index, _id: id, result: 'created' });
      }
      if (kind === '_doc')
        return send(this.#documents.has(id) ? 200 : 404, { _index: index, _id: id, found: this.#documents.has(id) });
      return send(200, { hits: { hits: [...this.#documents].map(([_id, _source]) => ({ _id, _source })) } });
    });
  }
}

/** What every server answers. */
const common = `
const tracer = trace.getTracer('app');
const step = (name, run) => tracer.startActiveSpan(name, async (span) => {
  try { return await run(span); } catch (error) { console.log(name + ': ' + error.name); } finally { span.end(); }
});
const node = 'http://somebody:secret-password@127.0.0.1:' + process.env.PEER;
const client = new Client({ node, maxRetries: 0 });
const inner = (name) => tracer.startSpan(name).end();
const run = async () => {
  await step('index', () => client.index({ index: 'users', id: '1', refresh: true, body: { email: 'secret@example.com' } }));
  await step('search', async () => {
    const { body } = await client.search({ index: 'users', q: 'email:secret OR *' });
    console.log('hits=' + body.hits.hits.length);
    inner('after await');
  });
  await step('callback', () => new Promise((resolve) =>
    client.search({ index: 'users', body: { query: { match_all: {} } } }, (error, { statusCode }) => {
      console.log('status=' + statusCode);
      inner('in callback');
      resolve();
    })));
  await step('exists', async () => console.log('exists=' + (await client.exists({ index: 'users', id: '1' })).body));
  await step('none', async () => console.log('exists=' + (await client.exists({ index: 'users', id: '2' })).body));
  await step('no index', () => client.search({ index: 'nowhere' }));
  await step('no index either', () => new Promise((resolve) =>
    client.search({ index: 'nowhere' }, {}, (error) => { console.log('callback error=' + error.name); resolve(); })));
  await step('aborted', () => { const call = client.search({ index: 'users' }); call.abort(); return call; });
  await step('down', () => new Client({ node: 'http://127.0.0.1:' + process.env.NOBODY, maxRetries: 0 }).search({ index: 'users' }));
`;
const rare = `
  await step('busy', () => client.search({ index: 'busy' }, { maxRetries: 1 }));
  await step('slow', () => client.search({ index: 'slow' }, { requestTimeout: 200 }));
  process.on('unhandledRejection', (error) => console.log('unhandled=' + error.name));
  client.search({ index: 'nowhere' }).finally(() => {});
  await new Promise((resolve) => setTimeout(resolve, 300));
`;
const end = `
  await client.close();
};
run();
`;

const heads = {
  'app.mjs': `import { Client } from '@opensearch-project/opensearch'; import { trace } from '@opentelemetry/api';`,
  'app.cjs': `const { Client } = require('@opensearch-project/opensearch'); const { trace } = require('@opentelemetry/api');`,
} as const;
type File = keyof typeof heads;

const versions = openSearchVersions;
let clients: InstalledClients | undefined;

const packagesOf = (installed: string) => clients?.packagesOf(installed) ?? {};

interface Variant {
  readonly server: 'imitated' | 'real';
  readonly version: number;
  readonly file: File;
  readonly installed: string;
}

const variants: readonly Variant[] = (['imitated', 'real'] as const).flatMap((server) =>
  versions.flatMap((version) => (['app.mjs', 'app.cjs'] as const).map((file) => ({ server, file, ...version }))),
);
const hasReal = isFull && openSearchJars() !== undefined;

const startImitated = async (): Promise<OpenSearchStandIn> => await new OpenSearchStandIn().start();

beforeAll(async () => {
  if (!isFull) return;
  buildPackage();
  clients = await installOpenSearchClients();
}, 300_000);
afterAll(() => clients?.remove());

/** A real one takes half a minute to start, so it is one for all. */
let real: PeerServer | undefined;
beforeAll(async () => {
  if (hasReal) real = await startOpenSearch();
}, 240_000);
afterAll(async () => {
  await real?.remove();
});

describe.skipIf(!isFull).each(variants.filter(({ server }) => server === 'imitated' || hasReal))(
  "OpenSearch's client $installed, server $server ($file; long tier, which installs the client)",
  ({ server: kind, file, installed }) => {
    const sink = new OtlpSink();
    let server: OpenSearchStandIn | PeerServer;
    let stdout: string;

    beforeAll(async () => {
      await sink.listen();
      server = real !== undefined && kind === 'real' ? real : await startImitated();
      // Where nobody listens any more.
      const gone = await startImitated();
      await gone.remove();
      const source = `${heads[file]}${common}${kind === 'imitated' ? rare : ''}${end}`;
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port), NOBODY: String(gone.port) };
      const app = new App({ file, source, env, packages: packagesOf(installed) });
      expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
      stdout = app.stdout;
    }, 180_000);
    afterAll(async () => {
      if (kind === 'imitated') await server.remove();
      await sink.close();
    });

    const below = ({ spanId }: SinkSpan): SinkSpan[] =>
      sink.spans.filter(({ kind, parentSpanId }) => kind === client && parentSpanId === spanId);
    const operation = (name: string): SinkSpan => {
      const found = below(sink.span(name));
      expect(found, name).toHaveLength(1);
      return found[0] as SinkSpan;
    };

    test('a call is one client span by the conventions, without query, credentials and documents', () => {
      expect(operation('search')).toMatchObject({
        name: 'search users',
        status: { code: 0 },
        scope: '@signalbox/node/opensearch',
      });
      expect(operation('search').attributes).toEqual({
        'db.system.name': 'opensearch',
        'db.operation.name': 'search',
        'db.collection.name': 'users',
        'http.request.method': 'GET',
        // How the conventions write a URL that had credentials.
        'url.full': `http://REDACTED:REDACTED@127.0.0.1:${server.port}/users/_search`,
        'server.address': '127.0.0.1',
        'server.port': server.port,
      });
      expect(operation('index')).toMatchObject({ name: 'index users', attributes: { 'http.request.method': 'PUT' } });
      expect(operation('callback')).toMatchObject({
        name: 'search users',
        attributes: { 'http.request.method': 'POST' },
      });
      const own = sink.spans.filter(({ scope }) => scope.endsWith('/opensearch'));
      expect(JSON.stringify(own.map(({ attributes, status, events }) => [attributes, status, events]))).not.toContain(
        'secret',
      );
    });

    test('the application gets what the client answers, in the context it had', () => {
      for (const printed of ['hits=1', 'status=200', 'exists=true', 'exists=false', 'no index: ResponseError'])
        expect(stdout).toContain(printed);
      for (const printed of ['callback error=ResponseError', 'aborted: RequestAbortedError', 'down: ConnectionError'])
        expect(stdout).toContain(printed);
      expect([operation('exists').status.code, operation('none').status.code]).toEqual([0, 0]);
      expect(sink.span('after await').parentSpanId).toBe(sink.span('search').spanId);
      expect(sink.span('in callback').parentSpanId).toBe(sink.span('callback').spanId);
    });

    test("failures have the server's status and type, or the client's name for what happened", () => {
      for (const name of ['no index', 'no index either'])
        expect(operation(name)).toMatchObject({
          name: 'search nowhere',
          status: { code: 2, message: 'index_not_found_exception' },
          attributes: { 'db.response.status_code': '404', 'error.type': '404' },
        });
      expect(operation('down')).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'ConnectionError' } });
      expect(operation('aborted').attributes['error.type']).toBe('RequestAbortedError');
    });

    test('its requests are HTTP spans below', () => {
      expect(below(operation('search')).map((span) => span.attributes['http.response.status_code'])).toEqual([200]);
    });

    test.runIf(kind === 'imitated')('busy, slow, and a failure that nobody handles', () => {
      expect(operation('busy')).toMatchObject({
        status: { message: 'busy_exception' },
        attributes: { 'error.type': '503' },
      });
      expect(below(operation('busy')).map((span) => span.attributes['http.response.status_code'])).toEqual([503, 503]);
      expect(operation('slow').attributes['error.type']).toBe('TimeoutError');
      expect(stdout).toContain('unhandled=ResponseError');
    });

    test('durations are measured by operation, collection and outcome', () => {
      const searches = { 'db.operation.name': 'search', 'db.collection.name': 'users', 'error.type': undefined };
      const { unit, count, attributes } = sink.point('db.client.operation.duration', searches);
      expect([unit, count, attributes['server.port']]).toEqual(['s', 2, server.port]);
      const refused = { 'db.collection.name': 'nowhere', 'error.type': '404', 'db.response.status_code': '404' };
      expect(sink.point('db.client.operation.duration', refused).count).toBe(kind === 'imitated' ? 3 : 2);
    });

    test.skipIf(registry === undefined)(
      'emits only what the registry of conventions knows (needs the conformance data)',
      () => {
        if (registry === undefined) throw new Error('skipped');
        for (const { name, attributes } of sink.spans.filter(({ scope }) => scope.endsWith('/opensearch')))
          expect(violations(attributes, registry), name).toEqual([]);
      },
    );
  },
);

const serving = `import http from 'node:http';
import { Client } from '@opensearch-project/opensearch';
const client = new Client({ node: 'http://127.0.0.1:' + process.env.PEER, maxRetries: 0 });
http.createServer(async (request, response) => {
  const ok = await client.search({ index: '_all' }).then(() => true, () => false);
  response.writeHead(ok ? 200 : 503).end();
}).listen(0, '127.0.0.1', function () { console.log('port=' + this.address().port); });
`;

test.skipIf(!isFull).each(hasReal ? (['imitated', 'real'] as const) : (['imitated'] as const))(
  'a server (%s) that goes away and comes back (long tier)',
  async (kind) => {
    const sink = await new OtlpSink().listen();
    const server = kind === 'real' ? real : await startImitated();
    if (server === undefined) throw new Error('no server');
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port) };
    const app = new App({ file: 'app.mjs', source: serving, env, packages: packagesOf('opensearch-3') });
    try {
      expect(await outage(app, server)).toEqual([200, 503, 200]);
      await app.stop();
      const calls = sink.spans.filter(({ name }) => name === 'search _all');
      expect([calls[0]?.status.code, calls.at(-1)?.status.code]).toEqual([0, 0]);
      expect(calls.some(({ attributes }) => attributes['error.type'] === 'ConnectionError')).toBe(true);
    } finally {
      if (kind === 'imitated') await server.remove();
      await app.stop('SIGKILL');
      await sink.close();
    }
  },
  180_000,
);
