import { once } from 'node:events';
import http2 from 'node:http2';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';

/** The first server speaks in requests and responses, the second in streams. */
const source = `
import http2 from 'node:http2';
import { trace } from '@opentelemetry/api';
import { setRoute } from '@signalbox/node';
const inner = (name) => trace.getTracer('app').startActiveSpan(name, (span) => span.end());
const compatible = http2.createServer(async (request, response) => {
  if (request.url.startsWith('/users/')) setRoute('/users/:id');
  if (request.url === '/never') return;
  let size = 0;
  for await (const chunk of request) size += chunk.length;
  inner('read ' + request.url);
  if (request.url === '/fail') response.statusCode = 500;
  if (request.url === '/broken') { response.write('half'); return setTimeout(() => response.stream.destroy(new TypeError('broken')), 5); }
  response.setHeader('x-own', 'kept');
  response.end('size ' + size);
});
const streams = http2.createServer();
streams.on('stream', (stream, headers) => {
  setRoute('/streams/:id');
  setTimeout(() => { inner('stream'); stream.respond({ ':status': 404, 'content-length': 4 }); stream.end('gone'); }, 2);
});
compatible.listen(0, '127.0.0.1', () => streams.listen(0, '127.0.0.1', () =>
  console.log('streams=' + streams.address().port + ' port=' + compatible.address().port)));
`;

const sink = new OtlpSink();
const answers: Record<string, { status: number | undefined; text: string; headers: http2.IncomingHttpHeaders }> = {};

beforeAll(async () => {
  buildPackage();
  await sink.listen();
  const app = new App({
    file: 'app.mjs',
    source,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_BSP_SCHEDULE_DELAY: '100' },
  });
  const port = await app.port();
  const other = Number((await app.printed(/streams=(\d+)/))[1]);
  const ask = async (to: number, path: string, body?: string): Promise<void> => {
    const session = http2.connect(`http://127.0.0.1:${to}`);
    const request = session.request({ ':path': path, ':method': body === undefined ? 'GET' : 'POST' });
    let text = '';
    let headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
    request.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    request.on('response', (received) => {
      headers = received;
    });
    request.end(body);
    await once(request, 'close').catch(() => {});
    session.close();
    answers[path] = { status: headers[':status'], text, headers };
  };
  await ask(port, '/users/7?token=secret', 'x'.repeat(100_000));
  await ask(port, '/fail');
  await ask(port, '/broken');
  await ask(other, '/streams/9');
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const never = session.request({ ':path': '/never' });
  never.on('error', () => {});
  await once(session, 'remoteSettings');
  await new Promise((resolve) => session.ping(resolve));
  never.close(http2.constants.NGHTTP2_CANCEL);
  await vi.waitFor(() => byPath('/never'), { timeout: 10_000 });
  session.close();
  await app.stop();
  expect(app.stderr).toBe('');
}, 120_000);

afterAll(() => sink.close());

function byPath(path: string): SinkSpan {
  const found = sink.spans.filter(({ kind, attributes }) => kind === 2 && attributes['url.path'] === path);
  expect(found, path).toHaveLength(1);
  return found[0] as SinkSpan;
}

test('a request has a span like one of HTTP/1.1', () => {
  expect(byPath('/users/7')).toMatchObject({
    name: 'POST /users/:id',
    status: { code: 0 },
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/users/:id',
      'url.scheme': 'http',
      'url.query': 'token=REDACTED',
      'network.protocol.version': '2',
      'http.response.status_code': 200,
      'server.address': '127.0.0.1',
      'client.address': '127.0.0.1',
    },
  });
  expect(byPath('/users/7').attributes).not.toHaveProperty('error.type');
  expect(byPath('/fail')).toMatchObject({ name: 'GET', status: { code: 2 }, attributes: { 'error.type': '500' } });
});

test('so has a stream', () => {
  expect(byPath('/streams/9')).toMatchObject({
    name: 'GET /streams/:id',
    status: { code: 0 },
    attributes: { 'http.response.status_code': 404, 'http.response.body.size': 4 },
  });
});

test('responses are what they were, and name the trace', () => {
  expect(answers['/users/7?token=secret']).toMatchObject({
    status: 200,
    text: 'size 100000',
    headers: { 'x-own': 'kept', 'x-trace-id': byPath('/users/7').traceId },
  });
  const { traceId, spanId } = byPath('/streams/9');
  expect(answers['/streams/9']).toMatchObject({
    status: 404,
    text: 'gone',
    headers: { 'x-trace-id': traceId, traceparent: `00-${traceId}-${spanId}-01` },
  });
});

test('the context is kept in events and timers', () => {
  for (const [name, path] of [
    ['read /users/7?token=secret', '/users/7'],
    ['stream', '/streams/9'],
  ] as const) {
    const { traceId, spanId } = byPath(path);
    expect(sink.span(name)).toMatchObject({ traceId, parentSpanId: spanId });
  }
});

test('what the client cancels is not the fault of the server, what the server breaks off is', () => {
  expect(byPath('/never')).toMatchObject({ status: { code: 0 }, attributes: { 'error.type': 'ECONNRESET' } });
  expect(byPath('/broken')).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'TypeError' } });
});

test('each is measured', () => {
  const point = sink.point('http.server.request.duration', { 'http.route': '/users/:id' });
  expect(point).toMatchObject({ count: 1, attributes: { 'network.protocol.version': '2' } });
  expect(sink.point('http.server.active_requests', { 'http.request.method': 'GET' }).value).toBe(0);
});
