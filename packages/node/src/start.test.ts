import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { App, buildPackage, registerUrl } from './testing/child.ts';
import { OtlpSink } from './testing/otlp-sink.ts';

beforeAll(buildPackage, 120_000);

let sink: OtlpSink;
beforeEach(async () => {
  sink = await new OtlpSink().listen();
});
afterEach(() => sink.close());

const selfRequest = `
const server = http.createServer((request, response) => response.end('ok'));
server.listen(0, () => http.get({ port: server.address().port }, (response) => { response.resume(); response.on('end', () => { console.log(JSON.stringify(response.headers)); server.close(); }); }));
`;

/** Names of Node's own functions that were replaced. */
const patched = `[
  ...(Object.hasOwn(http.ClientRequest.prototype, '_storeHeader') ? ['_storeHeader'] : []),
  ...(Object.hasOwn(require('node:net').Server.prototype, 'emit') ? ['emit'] : []),
  ...['load', '_compile'].filter((name) => String(require('node:module').prototype[name]).includes('Reflect.apply')),
]`;

test.each([
  ['OTEL_SDK_DISABLED=true', { OTEL_SDK_DISABLED: 'true' }],
  ['OTEL_ENABLED=false', { OTEL_ENABLED: 'false' }],
])('%s patches, subscribes and sends nothing', async (_name, variables) => {
  const app = new App({
    file: 'app.cjs',
    source: `const http = require('node:http'); const diagnostics = require('node:diagnostics_channel'); const { trace } = require('@opentelemetry/api'); const { start } = require('@signalbox/node');
      (async () => {
      const before = process.listenerCount('SIGTERM') + process.listenerCount('beforeExit') + process.listenerCount('uncaughtExceptionMonitor');
      const telemetry = start({ endpoint: '${sink.url}' });
      const channels = ['http.server.request.start', 'http.client.response.finish', 'undici:request:create', 'tracing:pino_asJson:start', 'tracing:ioredis:command:start'];
      console.log(JSON.stringify({ before, subscribed: channels.filter((name) => diagnostics.channel(name).hasSubscribers),
        patched: ${patched}, recording: trace.getTracer('a').startSpan('b').isRecording(), result: await telemetry.shutdown() }));
      ${selfRequest} })();`,
    env: { ...variables, OTEL_EXPORTER_OTLP_ENDPOINT: sink.url },
  });
  expect(await app.exited).toEqual({ code: 0, signal: null });
  const [state, headers] = app.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(state).toMatchObject({ before: 0, subscribed: [], patched: [], recording: false, result: { errors: [] } });
  expect(headers).not.toHaveProperty('x-trace-id');
  expect(sink.requests).toEqual([]);
  expect(app.stderr).toBe('');
});

test('OTEL_SDK_DISABLED leaves the propagators that were asked for', async () => {
  const app = new App({
    file: 'app.mjs',
    source: `import { propagation } from '@opentelemetry/api'; console.log(propagation.fields().join());`,
    env: { OTEL_SDK_DISABLED: 'true', OTEL_PROPAGATORS: 'b3' },
  });
  await app.exited;
  expect(app.stdout).toBe('b3\n');
});

test('OTEL_NODE_DISABLED_INSTRUMENTATIONS leaves out what it names', async () => {
  const app = new App({
    file: 'app.cjs',
    source: `const http = require('node:http');${selfRequest}`,
    env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http-client, pino', OTEL_EXPORTER_OTLP_ENDPOINT: sink.url },
  });
  await app.exited;
  expect(sink.spans.map(({ kind }) => kind)).toEqual([2]);
});

test('OTEL_LOG_LEVEL: errors of the official packages unless set, with none nothing at all', async () => {
  const source = `import { diag } from '@opentelemetry/api'; diag.warn('a warning'); diag.error('an error'); console.log('end');`;
  const said = async (env: Record<string, string>) => {
    const app = new App({ file: 'app.mjs', source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env } });
    await app.exited;
    return app.stderr;
  };
  expect(await said({})).toBe('signalbox: an error\n');
  expect(await said({ OTEL_LOG_LEVEL: 'warn' })).toBe('signalbox: a warning\nsignalbox: an error\n');
  expect(await said({ OTEL_LOG_LEVEL: 'none', OTEL_TRACES_EXPORTER: 'nonsense' })).toBe('');
});

test('OTEL_*_EXPORTER=console prints every signal and sends nothing', async () => {
  const app = new App({
    file: 'app.mjs',
    source: `import { metrics, trace } from '@opentelemetry/api';
      trace.getTracer('app').startSpan('printed span').end();
      metrics.getMeter('app').createCounter('printed.counter').add(3);
      console.log('printed line');`,
    env: {
      OTEL_TRACES_EXPORTER: 'console',
      OTEL_METRICS_EXPORTER: 'console',
      OTEL_LOGS_EXPORTER: 'console',
      OTEL_NODE_CONSOLE_LOGS: 'true',
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    },
  });
  expect(await app.exited).toEqual({ code: 0, signal: null });
  expect(app.stdout).toMatch(/name: 'printed span'/);
  expect(app.stdout).toMatch(/name: 'printed\.counter'/);
  expect(app.stdout).toMatch(/body: 'printed line'/);
  expect(app.stderr).toBe('');
  expect(sink.requests).toEqual([]);
});

test('OTEL_TRACES_EXPORTER=otlp,console does both', async () => {
  const app = new App({
    file: 'app.mjs',
    source: `import { trace } from '@opentelemetry/api'; trace.getTracer('app').startSpan('both').end();`,
    env: { OTEL_TRACES_EXPORTER: 'otlp,console', OTEL_EXPORTER_OTLP_ENDPOINT: sink.url },
  });
  expect(await app.exited).toEqual({ code: 0, signal: null });
  expect(app.stdout).toMatch(/name: 'both'/);
  expect(sink.spans.map(({ name }) => name)).toEqual(['both']);
});

test.each([
  ['an ES module', 'app.mjs', ['--import', registerUrl], "import { trace } from '@opentelemetry/api';"],
  [
    'CommonJS that calls start',
    'app.cjs',
    [],
    "const { trace } = require('@opentelemetry/api'); require('@signalbox/node').start();",
  ],
] as const)('OTEL_CONFIG_FILE configures %s', async (_name, file, nodeArguments, prologue) => {
  const app = new App({
    file,
    nodeArguments,
    files: {
      'sdk.yaml': `file_format: "1.0"
resource: { attributes: [{ name: service.name, value: from-file }] }
tracer_provider:
  processors: [{ batch: { exporter: { otlp_http: { endpoint: "\${SINK}/v1/traces", encoding: json } } } }]
  sampler: { composite/development: { rule_based: { rules: [{ attribute_values: { key: keep, values: ["true"] }, sampler: { always_on: } }] } } }
colour: red`,
    },
    source: `${prologue} const tracer = trace.getTracer('app');
      tracer.startSpan('dropped').end(); tracer.startSpan('kept', { attributes: { keep: true } }).end();`,
    env: {
      OTEL_CONFIG_FILE: 'sdk.yaml',
      SINK: sink.url,
      OTEL_SERVICE_NAME: 'ignored',
      OTEL_TRACES_SAMPLER: 'always_on',
    },
  });
  expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
  expect(app.stderr).toBe('signalbox: OTEL_CONFIG_FILE: sdk.yaml:6:1: colour is not known\n');
  expect(sink.spans.map(({ name }) => name)).toEqual(['kept']);
  expect(sink.requests.map(({ path }) => path)).toEqual(['/v1/traces']);
  expect(sink.spans[0]?.resource).toMatchObject({ 'service.name': 'from-file' });
});

test('shutdown undoes what start did', async () => {
  const app = new App({
    file: 'app.cjs',
    nodeArguments: [],
    source: `const http = require('node:http'); const diagnostics = require('node:diagnostics_channel'); const { start } = require('@signalbox/node');
      (async () => {
      const telemetry = start({ endpoint: '${sink.url}' });
      if (start() !== telemetry) throw new Error('started twice');
      await telemetry.shutdown(); await telemetry.shutdown();
      const channels = ['http.server.request.start', 'http.client.response.finish', 'undici:request:create', 'tracing:pino_asJson:start', 'tracing:ioredis:command:start'];
      console.log(JSON.stringify({ listeners: ['SIGTERM', 'SIGINT', 'exit', 'beforeExit', 'uncaughtExceptionMonitor'].map((name) => process.listenerCount(name)),
        subscribed: channels.filter((name) => diagnostics.channel(name).hasSubscribers), patched: ${patched} }));
      ${selfRequest} })();`,
  });
  expect(await app.exited).toEqual({ code: 0, signal: null });
  expect(JSON.parse(app.stdout.split('\n')[0] ?? '')).toEqual({
    listeners: [0, 0, 0, 0, 0],
    subscribed: [],
    patched: [],
  });
  expect(sink.spans).toEqual([]);
});

describe('ways to start', () => {
  const cjs = `const http = require('node:http');${selfRequest}`;
  const cases = [
    {
      name: '--import with ESM',
      file: 'app.mjs',
      nodeArguments: ['--import', registerUrl],
      source: `import http from 'node:http';${selfRequest}`,
    },
    { name: '--import with CommonJS', file: 'app.cjs', nodeArguments: ['--import', registerUrl], source: cjs },
    {
      name: '--import of the package name',
      file: 'app.cjs',
      nodeArguments: ['--import', '@signalbox/node/register'],
      source: cjs,
    },
    {
      name: '--require of the package name',
      file: 'app.cjs',
      nodeArguments: ['--require', '@signalbox/node/register'],
      source: cjs,
    },
    {
      name: '--import with tsx',
      file: 'app.mts',
      nodeArguments: ['--import', 'tsx', '--import', registerUrl],
      source: `import http from 'node:http'; const n: number = 1;${selfRequest}`,
    },
    {
      name: 'tsx and then start',
      file: 'app.ts',
      nodeArguments: ['--import', 'tsx'],
      source: `import { start } from '@signalbox/node'; start(); import http from 'node:http'; const n: number = 1;${selfRequest}`,
    },
    {
      name: 'start in CommonJS',
      file: 'app.cjs',
      nodeArguments: [],
      source: `require('@signalbox/node').start();${cjs}`,
    },
  ] as const;
  test.each(cases)('$name', async ({ file, nodeArguments, source }) => {
    const app = new App({ file, source, nodeArguments, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url } });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    expect(sink.spans.map(({ kind }) => kind).sort()).toEqual([2, 3]);
    const [server, client] = [sink.spans.find(({ kind }) => kind === 2), sink.spans.find(({ kind }) => kind === 3)];
    expect(server?.traceId).toBe(client?.traceId);
    expect(server?.parentSpanId).toBe(client?.spanId);
  });

  test('NODE_OPTIONS, and worker threads report nothing twice', async () => {
    const app = new App({
      file: 'app.cjs',
      nodeArguments: [],
      source: `const { Worker } = require('node:worker_threads'); new Worker("require('@opentelemetry/api').trace.getTracer('w').startSpan('in worker').end()", { eval: true });
        require('@opentelemetry/api').trace.getTracer('m').startSpan('in main').end();`,
      env: { NODE_OPTIONS: `--import ${registerUrl}`, OTEL_EXPORTER_OTLP_ENDPOINT: sink.url },
    });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    expect(sink.spans.map(({ name }) => name).sort()).toEqual(['in main', 'worker.started', 'worker.terminated']);
  });
});

describe('what is sent', () => {
  const source = `import { metrics, trace } from '@opentelemetry/api'; import { logs } from '@opentelemetry/api-logs';
    trace.getTracer('app').startActiveSpan('job', (span) => { metrics.getMeter('app').createHistogram('app.size').record(7, { a: 1 });
      logs.getLogger('app').emit({ body: { nested: [1, 'two', null] }, severityNumber: 9 }); span.end(); });`;

  test.each([
    ['http/protobuf', 'application/x-protobuf'],
    ['http/json', 'application/json'],
  ])('%s, with gzip and headers', async (protocol, contentType) => {
    const app = new App({
      file: 'app.mjs',
      source,
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: `${sink.url}/`,
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
        OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20b',
      },
    });
    await app.exited;
    expect(app.stderr).toBe('');
    expect(new Set(sink.requests.map(({ path }) => path))).toEqual(new Set(['/v1/traces', '/v1/logs', '/v1/metrics']));
    for (const { headers } of sink.requests) {
      expect(headers).toMatchObject({ 'content-type': contentType, 'api-key': 'a b', 'content-encoding': 'gzip' });
    }
    const span = sink.span('job');
    expect(sink.logs[0]?.body).toMatchObject({ nested: [1, 'two', undefined] });
    const point = sink.point('app.size');
    expect(point).toMatchObject({
      count: 1,
      attributes: { a: 1 },
      exemplars: [{ value: 7, traceId: span.traceId, spanId: span.spanId }],
    });
  });

  test('one signal switched off leaves the others', async () => {
    const app = new App({
      file: 'app.mjs',
      source,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_LOGS_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' },
    });
    await app.exited;
    expect(new Set(sink.requests.map(({ path }) => path))).toEqual(new Set(['/v1/traces']));
  });

  test('runtime metrics by their conventions', async () => {
    const app = new App({
      file: 'app.mjs',
      source: 'globalThis.gc?.(); await new Promise((r) => setTimeout(r, 200));',
      nodeArguments: ['--expose-gc', '--import', registerUrl],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url },
    });
    await app.exited;
    expect(sink.point('nodejs.eventloop.delay.p99')).toMatchObject({ type: 'gauge', unit: 's' });
    expect(sink.point('nodejs.eventloop.delay.mean').value).toBeLessThan(0.1);
    expect(sink.point('nodejs.eventloop.time', { 'nodejs.eventloop.state': 'idle' }).value).toBeGreaterThan(0.1);
    const utilization = sink.point('nodejs.eventloop.utilization').value;
    expect(utilization).toBeGreaterThan(0);
    expect(utilization).toBeLessThanOrEqual(1);
    expect(sink.point('v8js.memory.heap.used', { 'v8js.heap.space.name': 'old_space' }).value).toBeGreaterThan(100_000);
    expect(sink.point('v8js.gc.duration', { 'v8js.gc.type': 'major' })).toMatchObject({
      type: 'histogram',
      bounds: [0.01, 0.1, 1, 10],
    });
  });
});

describe('exemplars', () => {
  const source = `import { metrics, trace } from '@opentelemetry/api';
    const histogram = metrics.getMeter('app').createHistogram('app.duration', { unit: 'ms', advice: { explicitBucketBoundaries: [5, 25, 100] } });
    histogram.record(1, { route: '/outside' });
    for (const value of [1, 50, 60, 500]) trace.getTracer('app').startActiveSpan('job ' + value, (span) => { histogram.record(value, { route: '/in' }); span.end(); });`;
  const points = async (env: Record<string, string>) => {
    const app = new App({ file: 'app.mjs', source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env } });
    await app.exited;
    expect(app.stderr).toBe('');
    return {
      inside: sink.point('app.duration', { route: '/in' }),
      outside: sink.point('app.duration', { route: '/outside' }),
    };
  };

  test('one for each bucket of a series, from sampled spans only', async () => {
    const { inside, outside } = await points({});
    expect(inside.bucketCounts).toEqual([1, 0, 2, 1]);
    expect(outside.exemplars).toEqual([]);
    expect(inside.exemplars).toHaveLength(3);
    for (const { value, traceId, spanId, time } of inside.exemplars) {
      const span = sink.span(`job ${value}`);
      expect({ traceId, spanId }).toEqual({ traceId: span.traceId, spanId: span.spanId });
      expect(time).toBeGreaterThanOrEqual(span.start - 2_000_000n);
      expect(time).toBeLessThanOrEqual(span.end + 2_000_000n);
    }
  });

  test('OTEL_METRICS_EXEMPLAR_FILTER=always_on takes measurements outside of traces too', async () => {
    const { inside, outside } = await points({ OTEL_METRICS_EXEMPLAR_FILTER: 'always_on' });
    expect(outside.exemplars).toMatchObject([{ value: 1, traceId: '', spanId: '' }]);
    expect(inside.exemplars).toHaveLength(3);
  });

  test('OTEL_METRICS_EXEMPLAR_FILTER=always_off gives none', async () => {
    const { inside, outside } = await points({ OTEL_METRICS_EXEMPLAR_FILTER: 'always_off' });
    expect([...inside.exemplars, ...outside.exemplars]).toEqual([]);
  });

  test('on exponential histograms and with delta temporality', async () => {
    const { inside } = await points({
      OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'base2_exponential_bucket_histogram',
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
    });
    expect(inside).toMatchObject({ type: 'exponentialHistogram', temporality: 1, count: 4 });
    expect(inside.exemplars.map(({ value }) => value)).toEqual([1, 50, 60, 500]);
  });
});
