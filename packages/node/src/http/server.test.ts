import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';
import { missing, registry, violations } from '../testing/registry.ts';

/** The same application under both module systems; only how it gets its modules differs. */
const body = `
const tracer = trace.getTracer('app');
const inner = (name) => tracer.startActiveSpan(name, (span) => span.end());
const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, 'http://x');
  if (url.pathname.startsWith('/users/')) setRoute('/users/:id');
  if (url.pathname === '/fail') { response.statusCode = 503; return response.end('no'); }
  if (url.pathname === '/missing') { response.statusCode = 404; return response.end('no'); }
  if (url.pathname === '/never') return;
  if (url.pathname === '/broken') { response.write('half'); return setTimeout(() => response.destroy(new TypeError('broken')), 20); }
  if (url.pathname === '/stream') { response.write('a'); await new Promise((r) => setTimeout(r, 5)); response.write('b'); return response.end('c'); }
  if (url.pathname === '/body') {
    let size = 0;
    request.on('data', (chunk) => { size += chunk.length; inner('data ' + url.search); });
    request.on('end', () => { inner('end ' + url.search); setTimeout(() => { inner('timer ' + url.search); response.end(String(size)); }, 2); });
    return;
  }
  if (url.pathname === '/iterate') {
    let size = 0;
    for await (const chunk of request) size += chunk.length;
    inner('iterated ' + url.search);
    return response.end(String(size));
  }
  await new Promise((r) => setTimeout(r, Number(url.searchParams.get('wait') ?? 0)));
  inner('inner ' + url.search);
  getRequestSpan()?.setAttribute('app.query', url.search);
  response.end('ok');
});
server.listen(0, '127.0.0.1', () => console.log('port=' + server.address().port));
`;

const variants = [
  {
    file: 'app.mjs',
    source: `import http from 'node:http'; import { trace } from '@opentelemetry/api'; import { getRequestSpan, setRoute } from '@signalbox/node';${body}`,
  },
  {
    file: 'app.cjs',
    source: `const http = require('node:http'); const { trace } = require('@opentelemetry/api'); const { getRequestSpan, setRoute } = require('@signalbox/node');${body}`,
  },
] as const;

beforeAll(buildPackage, 120_000);

describe.each(variants)('an http server ($file)', ({ file, source }) => {
  const sink = new OtlpSink();
  let port = 0;
  const bodies: Record<string, string> = {};
  let traceIdHeader: string | null = null;

  beforeAll(async () => {
    await sink.listen();
    const app = new App({
      file,
      source,
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
        OTEL_SERVICE_NAME: 'shop',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,a=b%20c',
      },
    });
    port = await app.port();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 3 });
    const ask = (path: string, options: http.RequestOptions = {}, payload?: string): Promise<http.IncomingMessage> =>
      new Promise((resolve, reject) => {
        const request = http.request({ port, path, agent, host: '127.0.0.1', ...options }, (response) => {
          let text = '';
          response.on('data', (chunk) => {
            text += chunk;
          });
          response.on('end', () => {
            bodies[path] = text;
            resolve(response);
          });
          response.on('error', reject);
        });
        request.on('error', reject);
        request.end(payload);
      });
    traceIdHeader = (
      await ask('/users/7?sig=secret&q=1', {
        headers: { 'user-agent': 'test/1', 'x-forwarded-for': '203.0.113.9, 10.0.0.1' },
      })
    ).headers['x-trace-id'] as string;
    await ask('/fail');
    await ask('/missing');
    await ask('/stream');
    await ask('/continued', {
      headers: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=1' },
    });
    await ask('/unsampled', { headers: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-00' } });
    await ask('/invalid', { headers: { traceparent: '00-00000000000000000000000000000000-00f067aa0ba902b7-01' } });
    await ask('/odd', { method: 'PROPFIND' });
    await ask('/broken').catch(() => {});
    await Promise.all(Array.from({ length: 20 }, (_, index) => ask(`/c?n=${index}&wait=${(index * 7) % 20}`)));
    await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        ask(
          `/${index % 2 === 0 ? 'body' : 'iterate'}?n=${index}`,
          { method: 'POST' },
          'x'.repeat(index < 3 ? 10 : 300_000),
        ),
      ),
    );
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET /never HTTP/1.1\r\nHost: shop.example:8080\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    const pipelined = net.connect(port, '127.0.0.1');
    pipelined.write('GET /p?1 HTTP/1.1\r\nHost: x\r\n\r\nGET /p?2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    pipelined.resume();
    await once(pipelined, 'close');
    agent.destroy();
    const { signal } = await app.stop('SIGTERM');
    expect(signal).toBe('SIGTERM');
    expect(app.stderr).toBe('');
  }, 60_000);

  afterAll(() => sink.close());

  const byPath = (path: string): SinkSpan => {
    const span = sink.spans.find(({ kind, attributes }) => kind === 2 && attributes['url.path'] === path);
    if (span === undefined) throw new Error(`no server span for ${path}`);
    return span;
  };
  const children = (span: SinkSpan): string[] =>
    sink.spans
      .filter(({ parentSpanId, traceId }) => parentSpanId === span.spanId && traceId === span.traceId)
      .map(({ name }) => name);

  test('gives a request a server span named by method and route', () => {
    const span = byPath('/users/7');
    expect(span.name).toBe('GET /users/:id');
    expect(span.kind).toBe(2);
    expect(span.parentSpanId).toBe('');
    expect(span.status.code).toBe(0);
    expect(span.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/users/:id',
      'url.path': '/users/7',
      'url.query': 'sig=REDACTED&q=1',
      'url.scheme': 'http',
      'http.response.status_code': 200,
      'http.response.body.size': 2,
      'server.address': '127.0.0.1',
      'server.port': port,
      'client.address': '127.0.0.1',
      'network.peer.address': '127.0.0.1',
      'network.protocol.version': '1.1',
      'user_agent.original': 'test/1',
    });
    expect(span.attributes).not.toHaveProperty('error.type');
    expect(traceIdHeader).toBe(span.traceId);
  });

  test('never names a span after the URL', () => {
    expect(byPath('/missing').name).toBe('GET');
  });

  test('calls 5xx an error and 4xx none', () => {
    expect(byPath('/fail')).toMatchObject({
      status: { code: 2 },
      attributes: { 'http.response.status_code': 503, 'error.type': '503' },
    });
    expect(byPath('/missing').status.code).toBe(0);
    expect(byPath('/missing').attributes['http.response.status_code']).toBe(404);
    expect(byPath('/missing').attributes).not.toHaveProperty('error.type');
  });

  test('continues the trace it is given, keeps tracestate, obeys the sampling decision', () => {
    expect(byPath('/continued')).toMatchObject({
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      parentSpanId: '00f067aa0ba902b7',
      traceState: 'a=1',
    });
    expect(sink.spans.some(({ traceId }) => traceId === '4bf92f3577b34da6a3ce929d0e0e4737')).toBe(false);
    expect(byPath('/invalid').parentSpanId).toBe('');
  });

  test('keeps unknown methods out of names and series', () => {
    expect(byPath('/odd')).toMatchObject({
      name: 'HTTP',
      attributes: { 'http.request.method': '_OTHER', 'http.request.method_original': 'PROPFIND' },
    });
    expect(sink.point('http.server.request.duration', { 'http.request.method': '_OTHER' }).count).toBe(1);
  });

  test('never mixes the contexts of concurrent requests', () => {
    const spans = sink.spans.filter(({ kind, attributes }) => kind === 2 && attributes['url.path'] === '/c');
    expect(spans).toHaveLength(20);
    for (const span of spans) {
      const query = `?${span.attributes['url.query']}`;
      expect(span.attributes['app.query']).toBe(query);
      expect(children(span)).toEqual([`inner ${query}`]);
    }
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(20);
    const pipelined = sink.spans.filter(({ attributes }) => attributes['url.path'] === '/p');
    expect(pipelined.map((span) => children(span))).toEqual([['inner ?1'], ['inner ?2']]);
  });

  test('keeps the context in body events, timers and promises', () => {
    for (let index = 0; index < 6; index += 1) {
      const span = sink.spans.find(
        ({ attributes }) => attributes['url.query'] === `n=${index}` && attributes['http.request.method'] === 'POST',
      );
      expect(span).toBeDefined();
      const names = new Set(span && children(span));
      expect(names).toEqual(
        index % 2 === 0
          ? new Set([`data ?n=${index}`, `end ?n=${index}`, `timer ?n=${index}`])
          : new Set([`iterated ?n=${index}`]),
      );
    }
    expect(bodies['/body?n=4']).toBe('300000');
    expect(bodies['/stream']).toBe('abc');
    // Every span that the application made has a parent: none was started outside its request.
    expect(
      sink.spans.filter(({ kind, parentSpanId }) => kind !== 2 && parentSpanId === '').map(({ name }) => name),
    ).toEqual([]);
  });

  test('ends the span when the client goes away, without blaming the server', () => {
    const span = byPath('/never');
    expect(span.status.code).toBe(0);
    expect(span.attributes).toMatchObject({
      'error.type': 'ECONNRESET',
      'server.address': 'shop.example',
      'server.port': 8080,
    });
    expect(span.attributes).not.toHaveProperty('http.response.status_code');
  });

  test('blames the server for a response it breaks off', () => {
    expect(byPath('/broken')).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'TypeError' } });
  });

  test('measures duration with the advised boundaries, and requests in flight back to 0', () => {
    const point = sink.point('http.server.request.duration', { 'http.route': '/users/:id' });
    expect(point).toMatchObject({ type: 'histogram', unit: 's', count: 1, temporality: 2 });
    expect(point.bounds).toEqual([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]);
    expect(point.attributes).toEqual({
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'network.protocol.version': '1.1',
      'http.route': '/users/:id',
      'http.response.status_code': 200,
    });
    expect(sink.point('http.server.active_requests', { 'http.request.method': 'GET' }).value).toBe(0);
  });

  test('gives the histogram exemplars that lead to the traces measured', () => {
    const point = sink.point('http.server.request.duration', { 'http.response.status_code': 503 });
    expect(point.exemplars).toHaveLength(1);
    const span = byPath('/fail');
    expect(point.exemplars[0]).toMatchObject({ traceId: span.traceId, spanId: span.spanId, value: point.value });
    // Unsampled requests are measured but are no examples.
    const ids = new Set(sink.spans.map(({ traceId }) => traceId));
    for (const { exemplars } of sink.points) for (const { traceId } of exemplars) expect(ids).toContain(traceId);
  });

  test('describes the process', () => {
    expect(byPath('/fail').resource).toMatchObject({
      'service.name': 'shop',
      'deployment.environment.name': 'test',
      a: 'b c',
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.language': 'nodejs',
      'process.runtime.name': 'nodejs',
      'os.type': process.platform,
    });
  });

  test.skipIf(registry === undefined)(
    'emits only what the registry of conventions knows (needs the conformance data)',
    () => {
      if (registry === undefined) throw new Error('skipped');
      for (const span of sink.spans.filter(({ scope }) => scope.startsWith('@signalbox/'))) {
        const { 'app.query': _own, ...attributes } = span.attributes;
        expect(violations(attributes, registry)).toEqual([]);
        expect(missing('span.http.server', attributes, registry)).toEqual([]);
        const { a: _ours, ...resource } = span.resource;
        expect(violations(resource, registry)).toEqual([]);
      }
      for (const point of sink.points.filter(({ scope }) => scope.startsWith('@signalbox/'))) {
        const metric = registry.metrics[point.metric];
        expect(metric?.unit, point.metric).toBe(point.unit);
        expect(metric?.deprecated).toBeUndefined();
        const kinds = {
          histogram: 'histogram',
          gauge: 'gauge',
          exponentialHistogram: 'histogram',
          sum: point.monotonic ? 'counter' : 'updowncounter',
        };
        expect(metric?.instrument, point.metric).toBe(kinds[point.type]);
        for (const name of Object.keys(point.attributes))
          expect(Object.keys(metric?.attributes ?? {}), point.metric).toContain(name);
      }
    },
  );
});

describe('options of the http server', () => {
  const run = async (
    source: string,
    env: Record<string, string>,
    ask: (port: number) => Promise<unknown>,
  ): Promise<{ sink: OtlpSink; app: App }> => {
    const sink = await new OtlpSink().listen();
    const app = new App({
      file: 'app.mjs',
      nodeArguments: [],
      source: `import http from 'node:http'; import { start } from '@signalbox/node'; ${source}`,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env },
    });
    await ask(await app.port());
    await app.stop();
    await sink.close();
    return { sink, app };
  };
  const listen = `server.listen(0, '127.0.0.1', () => console.log('port=' + server.address().port));`;

  test('http/dup emits the older names beside the stable ones', async () => {
    const { sink } = await run(
      `start(); const server = http.createServer((request, response) => { request.resume(); response.end('four'); }); ${listen}`,
      { OTEL_SEMCONV_STABILITY_OPT_IN: 'http/dup' },
      (port) =>
        fetch(`http://127.0.0.1:${port}/a?b=1&sig=hidden`, {
          method: 'POST',
          body: 'xyz',
          headers: { 'user-agent': 'me' },
        }),
    );
    const [span] = sink.spans;
    expect(span?.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'http.method': 'POST',
      'http.status_code': 200,
      'http.target': '/a?b=1&sig=REDACTED',
      'http.scheme': 'http',
      'http.flavor': '1.1',
      'http.user_agent': 'me',
      'http.request_content_length': 3,
      'http.response_content_length': 4,
      'net.host.name': '127.0.0.1',
    });
    expect(sink.point('http.server.request.duration').attributes).not.toHaveProperty('http.method');
  });

  test('requests can be ignored, and so is what they cause', async () => {
    const { sink } = await run(
      `start({ http: { ignoreIncoming: ({ url }) => url === '/healthz', traceIdHeader: false } });
       const server = http.createServer(async (request, response) => {
         if (request.url === '/healthz') await (await fetch('http://127.0.0.1:' + server.address().port + '/healthz2').catch(() => undefined))?.text();
         response.end(); }); ${listen}`,
      {},
      async (port) => {
        await fetch(`http://127.0.0.1:${port}/healthz`);
        expect((await fetch(`http://127.0.0.1:${port}/seen`)).headers.has('x-trace-id')).toBe(false);
      },
    );
    expect(sink.spans.map(({ kind, attributes }) => [kind, attributes['url.path']])).toEqual([
      [2, '/healthz2'],
      [2, '/seen'],
    ]);
  });

  test('options that do not work cost neither spans nor requests', async () => {
    const { sink, app } = await run(
      `start({ http: { ignoreIncoming: () => { throw new Error('ours'); }, ignoreOutgoing: () => { throw new Error('theirs'); }, traceIdHeader: 'no header' } });
       const server = http.createServer(async (request, response) => {
         if (request.url === '/outer') await (await fetch('http://127.0.0.1:' + server.address().port + '/inner')).text();
         response.end('answer'); }); ${listen}`,
      {},
      async (port) => {
        expect(await (await fetch(`http://127.0.0.1:${port}/outer`)).text()).toBe('answer');
      },
    );
    const of = (path: string) =>
      sink.spans.find(({ kind, attributes }) => kind === 2 && attributes['url.path'] === path);
    expect(of('/inner')?.traceId).toBe(of('/outer')?.traceId);
    expect(sink.spans).toHaveLength(3);
    expect(app.stderr).toMatch(/ours[\s\S]*theirs/);
  });

  test('credentials in the absolute target of a proxied request stay out', async () => {
    const { sink } = await run(
      `start(); const server = http.createServer((request, response) => response.end()); ${listen}`,
      { OTEL_SEMCONV_STABILITY_OPT_IN: 'http/dup' },
      (port) =>
        new Promise<void>((resolve) => {
          const socket = net.connect(port, '127.0.0.1');
          socket.write(
            'GET http://me:hidden@x.test/p?token=hidden HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\n\r\n',
          );
          socket.resume().once('close', () => resolve());
        }),
    );
    expect(sink.spans[0]?.attributes).toMatchObject({ 'url.path': '/p', 'url.query': 'token=REDACTED' });
    expect(JSON.stringify(sink.spans[0]?.attributes)).not.toContain('hidden');
  });

  test('the route that a bundled Express leaves on the request names the span, unless part of it is a URL', async () => {
    const { sink } = await run(
      `start(); const server = http.createServer((request, response) => {
         request.baseUrl = request.url === '/users/7' ? '' : '/shops/9'; request.route = { path: '/users/:id' }; response.end(); }); ${listen}`,
      {},
      async (port) => {
        await fetch(`http://127.0.0.1:${port}/users/7`);
        await fetch(`http://127.0.0.1:${port}/shops/9/users/7`);
      },
    );
    expect(sink.spans.map(({ name, attributes }) => [name, attributes['http.route']])).toEqual([
      ['GET /users/:id', '/users/:id'],
      ['GET', undefined],
    ]);
  });

  test('spans of one route are named by the method of each request', async () => {
    const { sink } = await run(
      `start(); const server = http.createServer((request, response) => { request.route = { path: '/users/:id' }; response.end(); }); ${listen}`,
      {},
      async (port) => {
        for (const method of ['GET', 'POST', 'PURGE', 'GET'])
          await fetch(`http://127.0.0.1:${port}/users/7`, { method });
      },
    );
    expect(sink.spans.map(({ name }) => name)).toEqual([
      'GET /users/:id',
      'POST /users/:id',
      'HTTP /users/:id',
      'GET /users/:id',
    ]);
  });

  test('WebSocket upgrades and their handlers are left alone', async () => {
    const { sink } = await run(
      `start(); const server = http.createServer(); server.on('upgrade', (request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\\r\\n\\r\\nhello')); ${listen}`,
      {},
      async (port) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        let text = '';
        socket.on('data', (chunk) => {
          text += chunk;
        });
        await once(socket, 'close');
        expect(text).toContain('hello');
      },
    );
    expect(sink.spans).toEqual([]);
  });

  test('a sampler from the environment', async () => {
    const { sink } = await run(
      `start(); const server = http.createServer((request, response) => response.end()); ${listen}`,
      { OTEL_TRACES_SAMPLER: 'always_off' },
      async (port) =>
        expect((await fetch(`http://127.0.0.1:${port}/`)).headers.get('x-trace-id')).toMatch(/^[0-9a-f]{32}$/),
    );
    expect(sink.spans).toEqual([]);
    expect(sink.point('http.server.request.duration')).toMatchObject({ count: 1, exemplars: [] });
  });
});
