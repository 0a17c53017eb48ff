import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkLog } from '../testing/otlp-sink.ts';

const body = `
const log = pino({ redact: ['password', 'user.token', '*.deep'], base: { pid: process.pid, hostname: os.hostname(), team: 'x' }, serializers: { order: (order) => order.id } });
const server = http.createServer((request, response) => {
  log.info({ user: { id: 7, token: 'hidden' }, password: 'hidden', other: { deep: 'hidden', shown: true }, order: { id: 'o-1', card: 'hidden' }, none: undefined, list: [1, 'a'] }, 'hello %s', 'world');
  log.child({ module: 'cart' }).warn('from a child');
  log.error(new TypeError('boom'));
  log.error({ err: new RangeError('far') }, 'with a message');
  log.info({ trace_id: 'mine' }, 'own trace id');
  const { traceId, spanId } = trace.getActiveSpan().spanContext();
  pino({ mixin: () => ({ trace_id: traceId, span_id: spanId, trace_flags: '01', kept: 1 }) }).info('correlated by the application');
  log.child({ trace_id: traceId, span_id: spanId }).info('bound by the application');
  const nested = pino({ serializers: { noisy: (value) => { if (!value.said) { value.said = true; nested.info('from a serializer'); } return 1; } } });
  nested.info({ noisy: {} }, 'with a noisy serializer');
  const wide = (depth) => depth === 0 ? 'x' : Array.from({ length: 40 }, () => wide(depth - 1));
  const started = performance.now();
  pino({ enabled: true, serializers: {} }, { write() {} }).info({ wide: wide(4) }, 'huge');
  console.log(JSON.stringify({ msg: 'huge took', millis: performance.now() - started }));
  log.debug('too low');
  const cycle = { name: 'a' }; cycle.self = cycle;
  pino().info({ cycle, big: 10n, when: new Date(0), map: new Map([[1, 2]]), run() {} }, 'strange values');
  logs.getLogger('app').emit({ body: cycle });
  setTimeout(() => { log.info('from a timer'); response.end(); }, 3);
});
log.fatal('before any request');
const loud = pino({ timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'message', nestedKey: 'payload', customLevels: { notice: 35 }, formatters: { level: (label) => ({ level: label.toUpperCase() }), log: (object) => ({ ...object, formatted: true }) } });
loud.notice({ a: 1 }, 'custom');
for (let i = 0; i < 3; i++) log.trace('never');
server.listen(0, () => http.get({ port: server.address().port }, (response) => { response.resume(); response.on('end', () => server.close()); }));
`;

const variants = [
  {
    file: 'app.mjs',
    source: `import http from 'node:http'; import os from 'node:os'; import pino from 'pino'; import { trace } from '@opentelemetry/api'; import { logs } from '@opentelemetry/api-logs';${body}`,
  },
  {
    file: 'app.cjs',
    source: `const http = require('node:http'); const os = require('node:os'); const pino = require('pino'); const { trace } = require('@opentelemetry/api'); const { logs } = require('@opentelemetry/api-logs');${body}`,
  },
] as const;

beforeAll(buildPackage, 120_000);

describe.each(variants)('pino ($file)', ({ file, source }) => {
  const sink = new OtlpSink();
  let lines: Record<string, unknown>[] = [];
  let output = '';

  beforeAll(async () => {
    await sink.listen();
    const app = new App({ file, source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url } });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    output = app.stdout;
    lines = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  }, 30_000);

  afterAll(() => sink.close());

  const record = (text: string): SinkLog => {
    const found = sink.logs.filter((each) => each.body === text);
    if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} records say ${text}`);
    return found[0];
  };
  const line = (text: string): Record<string, unknown> =>
    lines.find((each) => each.msg === text || each.message === text) ?? {};
  const serverSpan = () => sink.spans.find(({ kind }) => kind === 2);

  test('a record carries the trace of its request, wherever in it the line was written', () => {
    const { traceId, spanId } = serverSpan() ?? {};
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    for (const text of ['hello world', 'from a child', 'boom', 'from a timer'])
      expect(record(text)).toMatchObject({ traceId, spanId });
    expect(record('before any request')).toMatchObject({ traceId: '', spanId: '' });
  });

  test("pino's own line gains the ids and nothing else", () => {
    const { traceId, spanId } = serverSpan() ?? {};
    expect(line('hello world')).toMatchObject({ trace_id: traceId, span_id: spanId, trace_flags: '01' });
    expect(Object.keys(line('from a child'))).toEqual([
      'level',
      'time',
      'pid',
      'hostname',
      'team',
      'module',
      'trace_id',
      'span_id',
      'trace_flags',
      'msg',
    ]);
    expect(Object.keys(line('before any request'))).toEqual(['level', 'time', 'pid', 'hostname', 'team', 'msg']);
    expect(line('own trace id').trace_id).toBe('mine');
    expect(line('own trace id')).not.toHaveProperty('span_id');
  });

  test('the ids of the record are not repeated among its attributes, however the line got them', () => {
    for (const text of [
      'hello world',
      'correlated by the application',
      'bound by the application',
      'from a serializer',
    ]) {
      expect(
        Object.keys(record(text).attributes).filter((key) => key.startsWith('trace_') || key === 'span_id'),
      ).toEqual([]);
    }
    expect(record('correlated by the application').attributes).toEqual({ kept: 1 });
    expect(record('own trace id').attributes).toMatchObject({ trace_id: 'mine' });
  });

  test('ids that the application bound are not written twice', () => {
    const { traceId } = serverSpan() ?? {};
    expect(line('bound by the application').trace_id).toBe(traceId);
    expect(
      output
        .split('\n')
        .find((text) => text.includes('bound by the application'))
        ?.split('"trace_id"'),
    ).toHaveLength(2);
  });

  test('an enormous value is cut', () => {
    expect(JSON.stringify(record('huge').attributes).length).toBeLessThan(200_000);
  });

  test('a record has the structure, types and severity of the line', () => {
    expect(record('hello world')).toMatchObject({
      severityNumber: 9,
      severityText: 'info',
      attributes: { list: [1, 'a'], team: 'x' },
    });
    expect(record('hello world').attributes).not.toHaveProperty('none');
    expect(record('hello world').attributes).not.toHaveProperty('pid');
    expect(record('from a child')).toMatchObject({
      severityNumber: 13,
      severityText: 'warn',
      attributes: { module: 'cart', team: 'x' },
    });
    expect(record('before any request')).toMatchObject({ severityNumber: 21, severityText: 'fatal' });
    expect(sink.logs.some(({ body: text }) => text === 'too low' || text === 'never')).toBe(false);
  });

  test('what the application redacts and serializes stays hidden', () => {
    expect(record('hello world').attributes).toMatchObject({
      user: { id: 7, token: '[Redacted]' },
      password: '[Redacted]',
      other: { deep: '[Redacted]', shown: true },
      order: 'o-1',
    });
    expect(JSON.stringify(sink.logs.map(({ attributes }) => attributes))).not.toContain('hidden');
  });

  test('errors become exception attributes', () => {
    expect(record('boom')).toMatchObject({
      severityNumber: 17,
      attributes: { 'exception.type': 'TypeError', 'exception.message': 'boom' },
    });
    expect(record('boom').attributes['exception.stacktrace']).toContain('TypeError: boom\n    at ');
    expect(record('with a message').attributes).toMatchObject({
      'exception.type': 'RangeError',
      'exception.message': 'far',
    });
    expect(record('with a message').attributes).not.toHaveProperty('err');
  });

  test("formatters, custom levels and keys are the application's", () => {
    expect(record('custom')).toMatchObject({
      severityNumber: 11,
      severityText: 'NOTICE',
      attributes: { a: 1, formatted: true },
    });
    expect(line('custom')).toMatchObject({ level: 'NOTICE', payload: { a: 1, formatted: true } });
  });

  test('values that JSON cannot hold neither throw nor cost other records', () => {
    expect(record('strange values').attributes).toEqual({
      cycle: { name: 'a', self: '[Circular]' },
      big: '10',
      when: '1970-01-01T00:00:00.000Z',
      map: {},
    });
    expect(record('from a timer').severityNumber).toBe(9);
    // The record whose body is a cycle could not be encoded; it alone is missing.
    expect(sink.logs.every(({ body: text }) => typeof text === 'string')).toBe(true);
  });

  test('records keep the order of the lines', () => {
    const times = ['before any request', 'custom', 'hello world', 'from a child', 'boom', 'from a timer'].map(
      (text) => record(text).time,
    );
    expect(times).toEqual([...times].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(times).size).toBe(times.length);
  });
});

test('without logs among the signals a line is not prepared for any, and still has its trace', async () => {
  const sink = new OtlpSink();
  await sink.listen();
  const source = `import http from 'node:http'; import pino from 'pino';
let serialized = 0;
const log = pino({ serializers: { order: (order) => { serialized += 1; return order.id; } } });
const server = http.createServer((request, response) => { log.info({ order: { id: 'o-1' } }, 'handled'); response.end(); });
server.listen(0, () => http.get({ port: server.address().port }, (response) => { response.resume(); response.on('end', () => { server.close(); log.info({ serialized }, 'done'); }); }));
`;
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_LOGS_EXPORTER: 'none' };
  const app = new App({ file: 'app.mjs', source, env });
  expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
  await sink.close();
  const [handled, done] = app.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(handled).toMatchObject({ order: 'o-1', trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) });
  expect(done).toMatchObject({ serialized: 1 });
  expect(sink.logs).toEqual([]);
}, 30_000);
