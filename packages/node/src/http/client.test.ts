import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';
import { missing, registry, violations } from '../testing/registry.ts';

const body = `
const tracer = trace.getTracer('app');
const base = process.env.TARGET;
const stale = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const port = Number(new URL(base).port);
const step = (name, run) => tracer.startActiveSpan(name, async (span) => { try { await run(); } catch (error) { console.log(name + ': ' + (error.cause?.code ?? error.code ?? error.name)); } finally { span.end(); } });
const ask = (...args) => new Promise((resolve, reject) => http.get(...args, (response) => { response.resume(); response.on('end', resolve); response.on('error', reject); }).on('error', reject));
const run = async () => {
  await step('http ok', () => ask(base + '/ok?q=1'));
  await step('http options', () => ask({ host: '127.0.0.1', port, path: '/ok', headers: { 'X-Own': 'a' } }));
  await step('http list', () => ask({ host: '127.0.0.1', port, path: '/ok', headers: ['Host', '127.0.0.1:' + port, 'X-Own', 'a'] }));
  await step('http forwards', () => ask(base + '/ok', { headers: { traceparent: stale, tracestate: 'b=2' } }));
  await step('http list forwards', () => ask({ host: '127.0.0.1', port, path: '/ok', headers: ['Host', '127.0.0.1:' + port, 'Traceparent', stale] }));
  await step('fetch forwards', async () => (await fetch(base + '/ok', { headers: { traceparent: stale } })).text());
  await step('http tokens', () => ask(base + '/ok?access_token=hidden&page=2&client_secret=hidden&apiKey=hidden&PASSWORD=hidden'));
  await step('http 404', () => ask(base + '/missing'));
  await step('http 500', () => ask(base + '/fail'));
  await step('http refused', () => ask('http://127.0.0.1:' + process.env.CLOSED + '/'));
  await step('http cut', () => ask(base + '/cut'));
  await step('http timeout', () => ask(base + '/never', { signal: AbortSignal.timeout(50) }));
  await step('http unread', () => new Promise((resolve) => { http.get(base + '/ok').on('close', resolve); }));
  await step('http post', () => new Promise((resolve, reject) => { const request = http.request(base + '/echo', { method: 'POST' }, (response) => { response.resume(); response.on('end', resolve); }); request.write('a'); setTimeout(() => request.end('b'), 5); request.on('error', reject); }));
  await step('http secret', () => ask(base.replace('://', '://user:pass@') + '/ok?sig=abc&b=1'));
  await step('fetch ok', async () => (await fetch(base + '/ok?q=1', { headers: { 'x-own': 'a' } })).text());
  await step('fetch 404', async () => (await fetch(base + '/missing')).text());
  await step('fetch 500', async () => (await fetch(base + '/fail')).text());
  await step('fetch refused', () => fetch('http://127.0.0.1:' + process.env.CLOSED + '/'));
  await step('fetch cut', async () => (await fetch(base + '/cut')).text());
  await step('fetch timeout', () => fetch(base + '/never', { signal: AbortSignal.timeout(50) }));
  await step('fetch redirect', async () => (await fetch(base + '/redirect')).text());
  await Promise.all([0, 1, 2, 3].map((n) => step('parallel ' + n, async () => (await fetch(base + '/ok?n=' + n)).text())));
  await (await fetch(base + '/rootless')).text();
};
run();
`;

const variants = [
  {
    file: 'app.mjs',
    source: `import { get, request } from 'node:http'; import { trace } from '@opentelemetry/api'; const http = { get, request };${body}`,
  },
  {
    file: 'app.cjs',
    source: `const http = require('node:http'); const { trace } = require('@opentelemetry/api');${body}`,
  },
] as const;

beforeAll(buildPackage, 120_000);

describe.each(variants)('outgoing requests ($file)', ({ file, source }) => {
  const sink = new OtlpSink();
  /** What the server was asked, with the headers it saw. */
  const asked: { url: string; headers: http.IncomingHttpHeaders }[] = [];
  let target = '';
  let closed = 0;
  let stdout = '';
  const server = http.createServer((request, response) => {
    const url = request.url ?? '';
    asked.push({ url, headers: request.headers });
    if (url === '/missing') response.statusCode = 404;
    if (url === '/fail') response.statusCode = 500;
    if (url === '/never') return;
    if (url === '/cut') {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => response.destroy());
      return;
    }
    if (url === '/redirect') response.writeHead(302, { location: '/ok?redirected' });
    response.end('ok');
  });

  beforeAll(async () => {
    await sink.listen();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const unused = await new OtlpSink().listen();
    closed = unused.port;
    await unused.close();
    const app = new App({
      file,
      source,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, TARGET: target, CLOSED: String(closed) },
    });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    stdout = app.stdout;
    expect(app.stderr).toBe('');
  }, 60_000);

  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await sink.close();
  });

  /** The client spans made inside the application's span `name`. */
  const under = (name: string): SinkSpan[] =>
    sink.spans.filter(({ kind, parentSpanId }) => kind === 3 && parentSpanId === sink.span(name).spanId);
  const only = (name: string): SinkSpan => {
    const [span, ...more] = under(name);
    if (span === undefined || more.length > 0)
      throw new Error(`${more.length + (span ? 1 : 0)} client spans under ${name}`);
    return span;
  };

  test.each(['http ok', 'fetch ok'])('%s', (name) => {
    const span = only(name);
    expect(span).toMatchObject({ name: 'GET', kind: 3, status: { code: 0 } });
    expect(span.attributes).toMatchObject({
      'http.request.method': 'GET',
      'url.full': `${target}/ok?q=1`,
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(target).port),
      'http.response.status_code': 200,
      'network.peer.address': '127.0.0.1',
    });
    expect(span.attributes).not.toHaveProperty('error.type');
  });

  test.each([
    'http ok',
    'http options',
    'http list',
    'http post',
    'fetch ok',
    'fetch redirect',
    // Proxies hand on the headers that they were asked with: those of another span must go.
    'http forwards',
    'http list forwards',
    'fetch forwards',
    'parallel 0',
    'parallel 3',
  ])('propagates the context: %s', (name) => {
    for (const { traceId, spanId } of under(name)) {
      const request = asked.find(({ headers }) => headers.traceparent === `00-${traceId}-${spanId}-01`);
      expect(request, `${name} in ${JSON.stringify(asked.map(({ headers }) => headers.traceparent))}`).toBeDefined();
    }
    expect(under(name).length).toBe(name === 'fetch redirect' ? 2 : 1);
  });

  test("keeps the application's own headers", () => {
    expect(asked.filter(({ headers }) => headers['x-own'] === 'a')).toHaveLength(3);
  });

  test('starts a trace where there is none', () => {
    const span = sink.spans.find(({ attributes }) => attributes['url.full'] === `${target}/rootless`);
    expect(span?.parentSpanId).toBe('');
  });

  test.each([
    ['http 404', '404'],
    ['http 500', '500'],
    ['fetch 404', '404'],
    ['fetch 500', '500'],
  ])('%s is an error of type %s', (name, type) => {
    expect(only(name)).toMatchObject({
      status: { code: 2 },
      attributes: { 'http.response.status_code': Number(type), 'error.type': type },
    });
  });

  test.each([
    ['http refused', 'ECONNREFUSED'],
    ['fetch refused', 'ECONNREFUSED'],
    ['http cut', 'ECONNRESET'],
    ['fetch cut', 'UND_ERR_SOCKET'],
    ['http timeout', 'ABORT_ERR'],
    ['fetch timeout', 'TimeoutError'],
  ])('%s is an error of type %s', (name, type) => {
    const span = only(name);
    expect(span.status.code).toBe(2);
    expect(span.status.message).not.toBe('');
    expect(span.attributes['error.type']).toBe(type);
    // The application got its own error, too.
    expect(stdout).toContain(`${name}: `);
  });

  test('ends the span of a response that nobody reads', () => {
    expect(only('http unread').attributes['http.response.status_code']).toBe(200);
  });

  test('keeps credentials and signatures out of url.full', () => {
    expect(only('http tokens').attributes['url.full']).toBe(
      `${target}/ok?access_token=REDACTED&page=2&client_secret=REDACTED&apiKey=REDACTED&PASSWORD=REDACTED`,
    );
    expect(only('http secret').attributes['url.full']).toBe(`${target}/ok?sig=REDACTED&b=1`);
    for (const { attributes } of sink.spans) expect(JSON.stringify(attributes)).not.toMatch(/pass|abc/);
  });

  test('measures every request, with exemplars', () => {
    const point = sink.point('http.client.request.duration', { 'http.response.status_code': 404 });
    expect(point).toMatchObject({ unit: 's', type: 'histogram' });
    expect(point.attributes['error.type']).toBe('404');
    const ids = new Set(['http 404', 'fetch 404'].map((name) => only(name).spanId));
    expect(point.exemplars.length).toBeGreaterThan(0);
    for (const { spanId } of point.exemplars) expect(ids).toContain(spanId);
    expect(sink.point('http.client.request.duration', { 'error.type': 'ECONNREFUSED' }).attributes['server.port']).toBe(
      closed,
    );
  });

  test('makes no span for the export itself', () => {
    for (const { attributes } of sink.spans) expect(String(attributes['url.full'])).not.toContain(String(sink.port));
  });

  test.skipIf(registry === undefined)(
    'emits only what the registry of conventions knows (needs the conformance data)',
    () => {
      if (registry === undefined) throw new Error('skipped');
      const spans = sink.spans.filter(({ kind }) => kind === 3);
      expect(spans.length).toBeGreaterThan(15);
      for (const { attributes } of spans) {
        expect(violations(attributes, registry)).toEqual([]);
        expect(missing('span.http.client', attributes, registry)).toEqual([]);
      }
    },
  );
});
