import { afterAll, beforeAll, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkLog, type SinkSpan } from '../testing/otlp-sink.ts';

const source = `
import http from 'node:http';
import { recordPanic, recoverPanics } from '@signalbox/node';
const server = http.createServer(recoverPanics(async (request, response) => {
  if (request.url === '/ok') return response.end('fine');
  if (request.url === '/own') { recordPanic(new RangeError('own')); response.statusCode = 500; return response.end('mine'); }
  response.setHeader('content-length', '99').setHeader('cache-control', 'max-age=60').setHeader('x-kept', 'yes');
  if (request.url === '/begun') { response.write('half'); await new Promise((r) => setTimeout(r, 5)); throw new TypeError('late'); }
  await new Promise((r) => setTimeout(r, 1));
  if (request.url === '/string') throw 'only text';
  const error = new TypeError('boom');
  error.stack = 'x' + 'é'.repeat(5000);
  throw error;
}, { counterName: 'chimney.panics' }));
const plain = http.createServer(recoverPanics(() => { throw new TypeError('at once'); }));
server.listen(0, '127.0.0.1', () => plain.listen(0, '127.0.0.1', () =>
  console.log('plain=' + plain.address().port + ' port=' + server.address().port)));
`;

const sink = new OtlpSink();
let stderr = '';
const answers: Record<string, { status: number; text: string; headers: Headers }> = {};
let begun: Promise<string>;

beforeAll(async () => {
  buildPackage();
  await sink.listen();
  const app = new App({ file: 'app.mjs', source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url } });
  const port = await app.port();
  const plain = Number((await app.printed(/plain=(\d+)/))[1]);
  const ask = async (path: string, to: number): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${to}${path}`);
    answers[path] = { status: response.status, text: await response.text(), headers: response.headers };
  };
  await ask('/panic', port);
  await ask('/string', port);
  await ask('/own', port);
  await ask('/at-once', plain);
  begun = fetch(`http://127.0.0.1:${port}/begun`).then((response) => response.text());
  await begun.catch(() => {});
  // The process has survived all of them.
  await ask('/ok', port);
  await app.stop();
  stderr = app.stderr;
}, 120_000);

afterAll(() => sink.close());

function spanOf(path: string): SinkSpan {
  const span = sink.spans.find(({ attributes }) => attributes['url.path'] === path);
  if (span === undefined) throw new Error(`no span for ${path}`);
  return span;
}

function logOf(path: string): SinkLog {
  const { traceId } = spanOf(path);
  const log = sink.logs.find((record) => record.traceId === traceId);
  if (log === undefined) throw new Error(`no log record for ${path}`);
  return log;
}

test('answers 500 without the headers of the answer that was not given', () => {
  expect(answers['/panic']).toMatchObject({ status: 500, text: 'Internal Server Error\n' });
  expect(answers['/panic']?.headers.get('cache-control')).toBeNull();
  expect(answers['/panic']?.headers.get('content-length')).toBe('22');
  expect(answers['/panic']?.headers.get('x-kept')).toBe('yes');
  expect(answers['/panic']?.headers.get('x-trace-id')).toBe(spanOf('/panic').traceId);
  expect(answers['/at-once']?.status).toBe(500);
  expect(answers['/ok']).toMatchObject({ status: 200, text: 'fine' });
  expect(stderr).toBe('');
});

test.each([
  ['/panic', 'TypeError', 'boom'],
  ['/string', 'Error', 'only text'],
  ['/at-once', 'TypeError', 'at once'],
  ['/own', 'RangeError', 'own'],
  ['/begun', 'TypeError', 'late'],
])('records %s on the span of the request, and as a log record in its trace', (path, type, message) => {
  const span = spanOf(path);
  expect(span.status).toEqual({ code: 2, message: 'panic' });
  expect(span.events).toHaveLength(1);
  expect(span.events[0]).toMatchObject({
    name: 'exception',
    attributes: { 'exception.type': type, 'exception.message': message },
  });
  expect(logOf(path)).toMatchObject({
    severityText: 'ERROR',
    severityNumber: 17,
    body: `panic: ${message}`,
    spanId: span.spanId,
    attributes: { 'exception.type': type, 'exception.message': message },
  });
});

test('cuts the stack to 4 KiB between characters', () => {
  // One byte and 2,047 characters of two; half a character more would make 4,096.
  expect(logOf('/panic').attributes.stack).toBe(`x${'é'.repeat(2047)}`);
});

test('breaks off a response that has begun', async () => {
  await expect(begun).rejects.toThrow();
});

test('counts panics under the name given', () => {
  expect(sink.point('chimney.panics')).toMatchObject({ type: 'sum', monotonic: true, value: 3 });
  expect(sink.point('signalbox.panics').value).toBe(2);
});
