import { beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink } from '../testing/otlp-sink.ts';

beforeAll(buildPackage, 120_000);

/** Runs `source` after imports, asks it, and returns what it sent and printed. */
async function run(source: string, ask: (url: string) => Promise<unknown>): Promise<{ sink: OtlpSink; app: App }> {
  const sink = await new OtlpSink().listen();
  const app = new App({
    file: 'app.mjs',
    nodeArguments: [],
    source: `import http from 'node:http'; import { addRequestAttributes, setRoute, start } from '@signalbox/node'; ${source}
      server.listen(0, '127.0.0.1', () => console.log('port=' + server.address().port));`,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url },
  });
  await ask(`http://127.0.0.1:${await app.port()}`);
  await app.stop();
  await sink.close();
  return { sink, app };
}

const served = `
  const server = http.createServer((request, response) => {
    setRoute('/api/github/pulls');
    request.user = { id: 'u7' };
    addRequestAttributes({ cache_hit: true, cache_tier: 'dragonfly' });
    addRequestAttributes({ github_path: '/repos/a/b/pulls' }, { metrics: false });
    response.statusCode = request.url === '/fail' ? 503 : 200;
    response.end('x'.repeat(18432));
  });`;

describe('what handlers say of a request', () => {
  test('is on the span, in the metric and in the log record', async () => {
    const { sink } = await run(`start({ http: { requestLog: true } }); ${served}`, async (url) => {
      await (await fetch(`${url}/pulls?token=secret`)).text();
      await (await fetch(`${url}/fail`)).text();
    });
    const span = sink.spans.find(({ attributes }) => attributes['url.path'] === '/pulls');
    expect(span?.attributes).toMatchObject({
      cache_hit: true,
      cache_tier: 'dragonfly',
      github_path: '/repos/a/b/pulls',
      'http.route': '/api/github/pulls',
    });
    const point = sink.point('http.server.request.duration', { 'http.response.status_code': 200 });
    expect(point.attributes).toMatchObject({ cache_hit: true, cache_tier: 'dragonfly', 'http.request.method': 'GET' });
    expect(point.attributes).not.toHaveProperty('github_path');
    const [log, failed] = sink.logs;
    expect(log).toMatchObject({
      body: 'request',
      severityText: 'INFO',
      severityNumber: 9,
      traceId: span?.traceId,
      spanId: span?.spanId,
    });
    const { latency_ms: latency, ...attributes } = log?.attributes ?? {};
    expect(attributes).toEqual({
      method: 'GET',
      route: '/api/github/pulls',
      status: 200,
      cache_hit: true,
      cache_tier: 'dragonfly',
      github_path: '/repos/a/b/pulls',
      bytes: 18432,
    });
    expect(latency).toBeGreaterThan(0);
    expect(latency).toBeLessThan(10_000);
    expect(failed).toMatchObject({ severityText: 'ERROR', attributes: { status: 503 } });
    expect(sink.logs).toHaveLength(2);
  });

  test('is in the line that a function gets, which makes no log record', async () => {
    const { sink, app } = await run(
      `start({ http: { requestLog: (line) => console.log(JSON.stringify(line)) } }); ${served}`,
      async (url) => (await fetch(`${url}/pulls`)).text(),
    );
    const line = JSON.parse(app.stdout.split('\n')[1] ?? '');
    const [span] = sink.spans;
    // The shape of the line in the document that asked for it.
    expect(line).toEqual({
      level: 'INFO',
      msg: 'request',
      method: 'GET',
      route: '/api/github/pulls',
      status: 200,
      latency_ms: expect.any(Number),
      cache_hit: true,
      cache_tier: 'dragonfly',
      github_path: '/repos/a/b/pulls',
      bytes: 18432,
      trace_id: span?.traceId,
      span_id: span?.spanId,
    });
    expect(sink.logs).toEqual([]);
  });
});

test('hooks get the span, before and after; what they throw hurts nobody', async () => {
  const { sink, app } = await run(
    `start({ http: { hooks: {
       request: (span, request) => { span.setAttribute('app.tenant', request.headers['x-tenant']); throw new Error('first'); },
       response: (span, request, response) => { span.setAttributes({ 'user.id': request.user.id, 'app.length': response.getHeader('content-length') ?? 'none' }); },
     } } }); ${served}`,
    async (url) => {
      const response = await fetch(url, { headers: { 'x-tenant': 'acme' } });
      expect(await response.text()).toHaveLength(18432);
    },
  );
  expect(sink.spans[0]?.attributes).toMatchObject({ 'app.tenant': 'acme', 'user.id': 'u7', 'app.length': 'none' });
  expect(app.stderr).toMatch(/the instrumentation http-server failed, the application is not affected: first/);
});

describe('response headers', () => {
  test('name the trace and the server span', async () => {
    const traceparents: (string | null)[] = [];
    const { sink } = await run(`start(); ${served}`, async (url) => {
      traceparents.push((await fetch(url)).headers.get('traceparent'));
    });
    expect(traceparents).toEqual([`00-${sink.spans[0]?.traceId}-${sink.spans[0]?.spanId}-01`]);
  });

  test('can be left out', async () => {
    await run(`start({ http: { responseTraceparent: false, traceIdHeader: false } }); ${served}`, async (url) => {
      const { headers } = await fetch(url);
      expect([headers.get('traceparent'), headers.get('x-trace-id')]).toEqual([null, null]);
    });
  });
});

test('proxies are believed only when asked', async () => {
  const headers = {
    'x-forwarded-for': '203.0.113.9',
    'x-forwarded-host': 'shop.example',
    'x-forwarded-proto': 'https',
  };
  const ask = async (url: string) => (await fetch(url, { headers })).text();
  const plain = await run(`start(); ${served}`, ask);
  expect(plain.sink.spans[0]?.attributes).toMatchObject({
    'client.address': '127.0.0.1',
    'server.address': '127.0.0.1',
    'url.scheme': 'http',
  });
  const trusting = await run(`start({ http: { trustProxy: 1 } }); ${served}`, ask);
  expect(trusting.sink.spans[0]?.attributes).toMatchObject({
    'client.address': '203.0.113.9',
    'server.address': 'shop.example',
    'server.port': 443,
    'url.scheme': 'https',
    'network.peer.address': '127.0.0.1',
  });
  expect(trusting.sink.point('http.server.request.duration').attributes['url.scheme']).toBe('https');
});
