import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';
import { missing, registry, violations } from '../testing/registry.ts';

const client = 3;

/** As much of Elasticsearch's API as the client needs to believe in it. */
class ElasticsearchStandIn {
  port = 0;
  readonly #documents = new Map<string, unknown>();
  readonly #server = http.createServer((request, response) => this.#answer(request, response));

  async listen(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async close(): Promise<void> {
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
        response.writeHead(status, {
          'content-type': 'application/vnd.elasticsearch+json;compatible-with=9',
          'x-elastic-product': 'Elasticsearch',
          'x-found-handling-cluster': 'a-cluster',
        });
        response.end(request.method === 'HEAD' ? undefined : JSON.stringify(answer));
      };
      if (path === '/busy/_search')
        return send(503, { error: { type: 'busy_exception', reason: 'secret' }, status: 503 });
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
      return send(200, {
        hits: {
          total: { value: this.#documents.size },
          hits: [...this.#documents].map(([_id, _source]) => ({ _id, _source })),
        },
      });
    });
  }
}

const body = `
const tracer = trace.getTracer('app');
const step = (name, run) => tracer.startActiveSpan(name, async (span) => {
  try { return await run(span); } catch (error) { console.log(name + ': ' + error.name); } finally { span.end(); }
});
const node = 'http://somebody:secret-password@127.0.0.1:' + process.env.PEER;
const client = new Client({ node, maxRetries: 0 });
const run = async () => {
  await step('index', () => client.index({ index: 'users', id: '1', document: { email: 'secret@example.com' } }));
  await step('search', async () => console.log('hits=' + (await client.search({ index: 'users', q: 'email:secret' })).hits.hits.length));
  await step('whole', async () => console.log('status=' + (await client.search({ index: 'users', query: { match: { email: 'secret' } } }, { meta: true })).statusCode));
  await step('exists', async () => console.log('exists=' + await client.exists({ index: 'users', id: '1' })));
  await step('none', async () => console.log('exists=' + await client.exists({ index: 'users', id: '2' })));
  await step('no index', () => client.search({ index: 'nowhere' }));
  await step('several', () => client.search({ index: ['users', 'others'] }));
  await step('busy', () => client.search({ index: 'busy' }, { maxRetries: 1 }));
  await step('slow', () => client.search({ index: 'slow' }, { requestTimeout: 200 }));
  await client.close();
  await step('down', () => new Client({ node: 'http://127.0.0.1:' + process.env.NOBODY, maxRetries: 0 }).search({ index: 'users' }));
};
run();
`;

const variants = [
  {
    file: 'app.mjs',
    source: `import { Client } from '@elastic/elasticsearch'; import { trace } from '@opentelemetry/api';${body}`,
  },
  {
    file: 'app.cjs',
    source: `const { Client } = require('@elastic/elasticsearch'); const { trace } = require('@opentelemetry/api');${body}`,
  },
] as const;

beforeAll(buildPackage, 120_000);

describe.each(variants)("Elasticsearch's client ($file)", ({ file, source }) => {
  const sink = new OtlpSink();
  const server = new ElasticsearchStandIn();
  let stdout: string;

  beforeAll(async () => {
    await sink.listen();
    await server.listen();
    // Where nobody listens any more.
    const gone = await new ElasticsearchStandIn().listen();
    await gone.close();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port), NOBODY: String(gone.port) };
    const app = new App({ file, source, env });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    stdout = app.stdout;
  }, 180_000);
  afterAll(async () => {
    await server.close();
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
      scope: '@signalbox/node/elasticsearch',
    });
    expect(operation('search').attributes).toEqual({
      'db.system.name': 'elasticsearch',
      'db.namespace': 'a-cluster',
      'db.operation.name': 'search',
      'db.collection.name': 'users',
      'http.request.method': 'GET',
      // How the conventions write a URL that had credentials.
      'url.full': `http://REDACTED:REDACTED@127.0.0.1:${server.port}/users/_search`,
      'server.address': '127.0.0.1',
      'server.port': server.port,
    });
    expect(operation('index')).toMatchObject({ name: 'index users', attributes: { 'http.request.method': 'PUT' } });
    expect(operation('several').attributes['db.collection.name']).toBe('users,others');
    const own = sink.spans.filter(({ scope }) => scope.endsWith('/elasticsearch'));
    expect(JSON.stringify(own.map(({ attributes, status, events }) => [attributes, status, events]))).not.toContain(
      'secret',
    );
    // The client's own spans would be a second one for each call.
    expect(sink.spans.map(({ scope }) => scope)).not.toContain('@elastic/transport');
  });

  test('the application gets what the client answers, whole or not', () => {
    for (const printed of ['hits=1', 'status=200', 'exists=true', 'exists=false', 'no index: ResponseError'])
      expect(stdout).toContain(printed);
    expect([operation('exists').status.code, operation('none').status.code]).toEqual([0, 0]);
  });

  test('its requests, those that it repeats included, are HTTP spans below', () => {
    const requests = (name: string) =>
      below(operation(name)).map((span) => span.attributes['http.response.status_code']);
    expect(requests('search')).toEqual([200]);
    expect(requests('busy')).toEqual([503, 503]);
  });

  test("failures have the server's status and type, or the client's name for what happened", () => {
    expect(operation('no index')).toMatchObject({
      status: { code: 2, message: 'index_not_found_exception' },
      attributes: { 'db.response.status_code': '404', 'error.type': '404' },
    });
    expect(operation('busy')).toMatchObject({
      status: { message: 'busy_exception' },
      attributes: { 'error.type': '503' },
    });
    expect(operation('slow').attributes['error.type']).toBe('TimeoutError');
    expect(operation('down').attributes['error.type']).toBe('ConnectionError');
    expect(operation('down').status.code).toBe(2);
  });

  test('durations are measured by operation, collection and outcome', () => {
    const searches = { 'db.operation.name': 'search', 'db.collection.name': 'users', 'server.port': server.port };
    expect(sink.point('db.client.operation.duration', searches)).toMatchObject({ unit: 's', count: 2 });
    const refused = { 'db.collection.name': 'nowhere', 'error.type': '404', 'db.response.status_code': '404' };
    expect(sink.point('db.client.operation.duration', refused).count).toBe(1);
  });

  test.skipIf(registry === undefined)(
    'emits only what the registry of conventions knows (needs the conformance data)',
    () => {
      if (registry === undefined) throw new Error('skipped');
      for (const { name, attributes } of sink.spans.filter(({ scope }) => scope.endsWith('/elasticsearch'))) {
        expect(violations(attributes, registry), name).toEqual([]);
        expect(missing('span.db.elasticsearch.client', attributes, registry), name).toEqual([]);
      }
    },
  );
});
