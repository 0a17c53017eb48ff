import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink } from '../testing/otlp-sink.ts';

let sink: OtlpSink;
beforeAll(buildPackage, 120_000);
beforeEach(async () => {
  sink = await new OtlpSink().listen();
});
afterEach(() => sink.close());

async function run(file: 'app.mjs' | 'app.cjs', source: string, env: Record<string, string> = {}): Promise<App> {
  const app = new App({ file, source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env } });
  expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
  return app;
}

const lines = (app: App): Record<string, unknown>[] =>
  app.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** `body` inside a span named `job`. */
const inSpan = (body: string): string =>
  `trace.getTracer('app').startActiveSpan('job', (span) => { ${body} span.end(); });`;
const ids = () => {
  const { traceId, spanId } = sink.span('job');
  return { traceId, spanId, onLine: { trace_id: traceId, span_id: spanId, trace_flags: '01' } };
};
const log = (body: string) => {
  const found = sink.logs.find((each) => each.body === body);
  if (found === undefined)
    throw new Error(`no log record ${body} among: ${sink.logs.map((each) => String(each.body)).join(', ')}`);
  return found;
};

describe.each([
  [
    'ES module',
    'app.mjs',
    "import { trace } from '@opentelemetry/api'; import winston from 'winston'; import bunyan from 'bunyan';",
  ],
  [
    'CommonJS',
    'app.cjs',
    "const { trace } = require('@opentelemetry/api'); const winston = require('winston'); const bunyan = require('bunyan');",
  ],
] as const)('from %s', (_name, file, imports) => {
  test('winston: records as its formats leave them, ids on its own lines', async () => {
    const app = await run(
      file,
      `${imports} const { combine, splat, timestamp, json } = winston.format;
       const redact = winston.format((info) => { if (info.password) info.password = '***'; return info; });
       const log = winston.createLogger({ level: 'info', defaultMeta: { component: 'shop' }, format: combine(splat(), redact(), timestamp(), json()), transports: [new winston.transports.Console()] });
       ${inSpan("log.info('order %d taken', 7, { password: 'p', items: [1, 2] }); log.debug('hidden'); log.error(new Error('broken'));")}
       log.warn('outside', { nested: { a: true } });`,
    );
    const { traceId, spanId, onLine } = ids();
    expect(log('order 7 taken')).toMatchObject({
      severityNumber: 9,
      severityText: 'info',
      traceId,
      spanId,
      attributes: { component: 'shop', password: '***', items: [1, 2] },
    });
    expect(log('order 7 taken').attributes).not.toHaveProperty('trace_id');
    expect(log('broken')).toMatchObject({
      severityNumber: 17,
      attributes: { 'exception.message': 'broken', 'exception.stacktrace': expect.stringContaining('Error: broken') },
    });
    expect(log('outside')).toMatchObject({ severityNumber: 13, traceId: '', attributes: { nested: { a: true } } });
    expect(sink.logs).toHaveLength(3);
    const [taken, broken, outside] = lines(app);
    expect(taken).toMatchObject({ level: 'info', message: 'order 7 taken', ...onLine });
    expect(broken).toMatchObject({ level: 'error', ...onLine });
    expect(outside).not.toHaveProperty('trace_id');
  });

  test('bunyan: records with their fields, ids on its own lines', async () => {
    const app = await run(
      file,
      `${imports} const log = bunyan.createLogger({ name: 'shop', serializers: bunyan.stdSerializers });
       ${inSpan("log.info({ items: [1, 2] }, 'order %d taken', 7); log.debug('hidden'); log.error(new TypeError('broken'), 'failed');")}
       log.warn('outside');`,
    );
    const { traceId, spanId, onLine } = ids();
    expect(log('order 7 taken')).toMatchObject({
      severityNumber: 9,
      severityText: 'info',
      traceId,
      spanId,
      attributes: { items: [1, 2], 'logger.name': 'shop' },
    });
    expect(log('failed')).toMatchObject({
      severityNumber: 17,
      attributes: { 'exception.type': 'TypeError', 'exception.message': 'broken' },
    });
    expect(log('failed').attributes).not.toHaveProperty('err');
    expect(log('outside')).toMatchObject({ severityNumber: 13, traceId: '' });
    expect(sink.logs).toHaveLength(3);
    const [taken, failed, outside] = lines(app);
    expect(taken).toMatchObject({ level: 30, msg: 'order 7 taken', ...onLine });
    expect(failed).toMatchObject({ msg: 'failed', ...onLine });
    expect(outside).not.toHaveProperty('trace_id');
  });
});

test('an object that is logged twice keeps no ids of the first time', async () => {
  const app = await run(
    'app.mjs',
    `import { trace } from '@opentelemetry/api'; import winston from 'winston';
     const log = winston.createLogger({ format: winston.format.json(), transports: [new winston.transports.Console()] });
     const line = { level: 'info', message: 'again' };
     ${inSpan('log.log(line);')} log.log(line);`,
  );
  const [first, second] = lines(app);
  expect(first).toMatchObject(ids().onLine);
  expect(second).not.toHaveProperty('trace_id');
  expect(sink.logs.map(({ traceId }) => traceId)).toEqual([ids().traceId, '']);
});

describe('console', () => {
  const source = `import { trace } from '@opentelemetry/api';
    ${inSpan("console.log('order %d taken', 7, { items: 2 }); console.error(new RangeError('broken')); console.debug('fine');")}`;

  test('is sent with OTEL_NODE_CONSOLE_LOGS=true, and prints what it always does', async () => {
    const app = await run('app.mjs', source, { OTEL_NODE_CONSOLE_LOGS: 'true' });
    const { traceId, spanId } = ids();
    expect(sink.logs.map(({ severityNumber, severityText }) => [severityNumber, severityText])).toEqual([
      [9, 'log'],
      [17, 'error'],
      [5, 'debug'],
    ]);
    expect(log('order 7 taken { items: 2 }')).toMatchObject({ traceId, spanId, attributes: { items: 2 } });
    expect(sink.logs[1]?.attributes).toMatchObject({ 'exception.type': 'RangeError', 'exception.message': 'broken' });
    expect(app.stdout).toBe('order 7 taken { items: 2 }\nfine\n');
  });

  test('is not sent unless asked for', async () => {
    await run('app.mjs', source);
    expect(sink.logs).toEqual([]);
  });
});

test('the preset for pino: ISO time, caller, level by name, ids, a stack of at most 4 KiB', async () => {
  const app = await run(
    'app.mjs',
    `import { pino } from 'pino'; import { trace } from '@opentelemetry/api'; import { pinoPreset } from '@signalbox/node';
     const log = pino(pinoPreset());
     const error = new Error('broken'); error.stack += 'x'.repeat(10_000);
     ${inSpan("log.info({ id: 1 }, 'taken');\nlog.error(error, 'failed');")}`,
  );
  const [taken, failed] = lines(app);
  expect(taken).toEqual({
    level: 'info',
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    caller: expect.stringMatching(/^\.app-\w+\/app\.mjs:4$/),
    id: 1,
    msg: 'taken',
    ...ids().onLine,
  });
  expect(failed).toMatchObject({
    level: 'error',
    err: { type: 'Error', message: 'broken' },
    caller: expect.stringMatching(/app\.mjs:5$/),
  });
  expect(Buffer.byteLength(String(Reflect.get(Object(failed?.err), 'stack')))).toBe(4096);
  expect(log('failed').attributes['exception.message']).toBe('broken');
});
