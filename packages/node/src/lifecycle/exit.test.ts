import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { App, type AppOptions, buildPackage } from '../testing/child.ts';
import { OtlpSink } from '../testing/otlp-sink.ts';

beforeAll(buildPackage, 120_000);

let sink: OtlpSink;
beforeEach(async () => {
  sink = await new OtlpSink().listen();
});
afterEach(() => sink.close());

const prelude = {
  'app.mjs': `import { metrics, trace } from '@opentelemetry/api'; import { logs } from '@opentelemetry/api-logs';`,
  'app.cjs': `const { metrics, trace } = require('@opentelemetry/api'); const { logs } = require('@opentelemetry/api-logs');`,
} as const;

/** Three spans, two log records and a count of 3, in every signal's default batching: nothing would leave by itself. */
const work = `
const counter = metrics.getMeter('app').createCounter('app.jobs');
const histogram = metrics.getMeter('app').createHistogram('app.job.duration');
function work() {
  for (let i = 0; i < 3; i++) trace.getTracer('app').startActiveSpan('job ' + i, (span) => { counter.add(1); histogram.record(5); span.end(); });
  logs.getLogger('app').emit({ body: 'one' }); logs.getLogger('app').emit({ body: 'two' });
}
`;

function run(file: 'app.mjs' | 'app.cjs', source: string, options: Partial<AppOptions> = {}): App {
  return new App({
    file,
    source: `${prelude[file]}${work}${source}`,
    ...options,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...options.env },
  });
}

/** `again`: the process was told to exit while requests were unanswered, so what they hold may have been sent twice. */
function expectEverything({ again = false } = {}): void {
  const once = <Value>(values: Value[]): Value[] => (again ? [...new Set(values)] : values);
  expect(once(sink.spans.map(({ name }) => name)).sort()).toEqual(['job 0', 'job 1', 'job 2']);
  expect(once(sink.logs.map(({ body }) => body).filter((body) => body === 'one' || body === 'two'))).toEqual([
    'one',
    'two',
  ]);
  expect(sink.point('app.jobs').value).toBe(3);
  expect(sink.point('app.job.duration').count).toBe(3);
}

const stayAlive = 'setInterval(() => {}, 1000); console.log("ready");';

test('what is postponed while the application starts is not missing when it ends before the first turn', async () => {
  const app = run('app.cjs', 'work();');
  expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
  for (const metric of ['nodejs.eventloop.time', 'process.uptime', 'otel.sdk.span.started'])
    expect(sink.point(metric).value, metric).toBeGreaterThan(0);
});

describe('the way out stays what it is', () => {
  test.each([
    ['an object that is no text', 'throw Object.create(null)', 1],
    [
      'an error without a readable message',
      "throw Object.defineProperty(new Error('x'), 'message', { get() { throw new Error('ours'); } })",
      undefined,
    ],
    ['a callback at exit that throws', 'setTimeout(() => process.exit(3), 20)', 3],
  ])('%s', async (_, end, code) => {
    const source = `import { start } from '@signalbox/node';
      start({ instrumentations: (all) => [...all, { name: 'faulty', enable({ onExit }) { onExit(() => { throw new Error('faulty callback'); }); return { [Symbol.dispose]() {} }; } }] });
      work(); ${end};`;
    const app = run('app.mjs', source, { nodeArguments: [] });
    const without = run('app.mjs', `work(); ${end};`, { nodeArguments: [] });
    const [outcome, expected] = [await app.exited, await without.exited];
    expect(outcome).toEqual(expected);
    if (code !== undefined) expect(outcome.code).toBe(code);
    expect(sink.spans.map(({ name }) => name).sort()).toEqual(['job 0', 'job 1', 'job 2']);
  });
});

describe.each(['app.mjs', 'app.cjs'] as const)('everything is delivered (%s)', (file) => {
  test('when the event loop ends by itself', async () => {
    const app = run(file, 'work();');
    expect(await app.exited).toEqual({ code: 0, signal: null });
    expectEverything();
    expect(app.stderr).toBe('');
  });

  test('on process.exit, with its code', async () => {
    const app = run(file, 'setTimeout(() => { work(); process.exit(3); }, 20);');
    expect(await app.exited).toEqual({ code: 3, signal: null });
    expectEverything();
    expect(app.stderr).toBe('');
  });

  test('on process.exit in the first tick', async () => {
    const app = run(file, 'work(); process.exit();');
    expect(await app.exited).toEqual({ code: 0, signal: null });
    expectEverything();
  });

  test('on SIGTERM without a handler, which still kills', async () => {
    const app = run(file, `work(); ${stayAlive}`);
    await app.printed(/ready/);
    const { signal, millis } = await app.stop('SIGTERM');
    expect(signal).toBe('SIGTERM');
    expect(millis).toBeLessThan(5000);
    expectEverything();
  });

  test('on SIGINT with a handler of the application, which decides', async () => {
    const app = run(
      file,
      `process.on('SIGINT', () => { console.log('mine'); setTimeout(() => process.exit(7), 50); }); work(); ${stayAlive}`,
    );
    await app.printed(/ready/);
    expect(await app.stop('SIGINT')).toMatchObject({ code: 7, signal: null });
    expect(app.stdout).toContain('mine');
    expectEverything({ again: true });
  });

  test('on SIGTERM with a handler that was registered for one call', async () => {
    const app = run(
      file,
      `process.once('SIGTERM', () => setTimeout(() => { work(); process.exit(0); }, 30)); ${stayAlive}`,
    );
    await app.printed(/ready/);
    expect(await app.stop('SIGTERM')).toMatchObject({ code: 0, signal: null });
    expectEverything();
  });

  test('when an exception kills, which is itself recorded', async () => {
    const app = run(
      file,
      `work(); setTimeout(() => { trace.getTracer('app').startActiveSpan('doomed', () => { throw new RangeError('too far'); }); }, 20);`,
    );
    expect(await app.exited).toEqual({ code: 1, signal: null });
    expect(app.stderr).toContain('RangeError: too far');
    expectEverything();
    const record = sink.logs.find(({ severityText }) => severityText === 'FATAL');
    expect(record).toMatchObject({
      body: 'uncaughtException: too far',
      severityNumber: 21,
      attributes: { 'exception.type': 'RangeError', 'exception.message': 'too far' },
    });
    expect(record?.attributes['exception.stacktrace']).toContain('RangeError: too far');
  });

  test('when a rejection kills', async () => {
    const app = run(file, `work(); setTimeout(() => { Promise.reject(new Error('nobody caught me')); }, 20);`);
    expect(await app.exited).toEqual({ code: 1, signal: null });
    expectEverything();
    expect(sink.logs.some(({ body }) => body === 'unhandledRejection: nobody caught me')).toBe(true);
  });

  test('by shutdown, which tells what it did', async () => {
    const own =
      file === 'app.mjs' ? `import { start } from '@signalbox/node';` : `const { start } = require('@signalbox/node');`;
    const app = run(file, `${own} work(); start().shutdown().then((result) => console.log(JSON.stringify(result)));`);
    await app.exited;
    expectEverything();
    const result = JSON.parse(app.stdout);
    expect(result.flushed).toMatchObject({ spans: 3, logRecords: 2 });
    expect(result.flushed.dataPoints).toBeGreaterThan(2);
    expect(result).toMatchObject({ dropped: { spans: 0, logRecords: 0, dataPoints: 0 }, errors: [] });
  });
});

describe('work that the end of the process cuts off', () => {
  const begin = `
    import { observeQueue, scheduledJob, traced } from '@signalbox/node';
    const never = () => new Promise(() => {});
    const jobs = observeQueue({ name: 'jobs' });
    void jobs.process({ id: 'm1', headers: {} }, never);
    void scheduledJob('nightly', never)();`;

  test('has its spans and its counts, as failed, on process.exit', async () => {
    const app = run(
      'app.mjs',
      `${begin} void traced(never, { name: 'checkout' })(); setTimeout(() => process.exit(0), 10);`,
    );
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    for (const name of ['process jobs', 'nightly', 'checkout'])
      expect(sink.span(name), name).toMatchObject({
        status: { code: 2, message: 'the process ended before it was done' },
        attributes: { 'error.type': 'process_exit' },
        events: [],
      });
    expect(sink.point('queue_messages_total')).toMatchObject({ value: 1, attributes: { result: 'nack' } });
    expect(sink.point('function_calls')).toMatchObject({ value: 1, attributes: { status: 'error' } });
    expect(sink.point('job_runs_total')).toMatchObject({ value: 1, attributes: { result: 'error' } });
    for (const gauge of ['queue_in_flight', 'function_in_flight', 'job_active'])
      expect(sink.point(gauge).value).toBe(0);
  });

  test('says what killed the process, where the exception was its own', async () => {
    const dying = `traced(() => new Promise(() => setTimeout(() => { throw new TypeError('killer'); }, 10)), { name: 'dying' })()`;
    const app = run('app.mjs', `${begin} void ${dying};`);
    expect(await app.exited).toEqual({ code: 1, signal: null });
    expect(sink.span('dying')).toMatchObject({
      status: { code: 2, message: 'killer' },
      attributes: { 'error.type': 'process_exit' },
      events: [{ name: 'exception', attributes: { 'exception.type': 'TypeError' } }],
    });
    expect(sink.span('process jobs').status.message).toBe('the process ended before it was done');
  });
});

describe('a request that the end of the process cuts off', () => {
  const source = `server.listen(0, () => { console.log('port=' + server.address().port); http.get({ port: server.address().port }).on('error', () => {}); });`;

  test('is a failed server span when an exception kills, with the exception', async () => {
    const app = run(
      'app.mjs',
      `const { default: http } = await import('node:http'); const server = http.createServer(() => setTimeout(() => { throw new TypeError('killer'); }, 10)); ${source}`,
    );
    expect(await app.exited).toEqual({ code: 1, signal: null });
    const span = sink.spans.find(({ kind }) => kind === 2);
    expect(span).toMatchObject({
      status: { code: 2, message: 'killer' },
      attributes: { 'error.type': 'process_exit' },
    });
    expect(span?.events).toMatchObject([
      { name: 'exception', attributes: { 'exception.type': 'TypeError', 'exception.message': 'killer' } },
    ]);
    expect(sink.logs.find(({ severityText }) => severityText === 'FATAL')).toMatchObject({
      traceId: span?.traceId,
      spanId: span?.spanId,
    });
  });

  test.each([
    ['process.exit', `setTimeout(() => process.exit(0), 10)`],
    ['SIGTERM', `process.kill(process.pid, 'SIGTERM')`],
  ])('is a failed server span on %s', async (_name, act) => {
    const app = run(
      'app.mjs',
      `const { default: http } = await import('node:http'); const server = http.createServer(() => { ${act}; }); ${source}`,
    );
    await app.exited;
    expect(sink.spans.filter(({ kind }) => kind === 2)).toMatchObject([
      {
        status: { code: 2, message: 'the process ended before the response' },
        attributes: { 'error.type': 'process_exit' },
      },
    ]);
    expect(sink.point('http.server.active_requests').value).toBe(0);
  });

  test('is none of it when the application handles the exception', async () => {
    const app = run(
      'app.mjs',
      `process.on('uncaughtException', () => {}); setTimeout(() => { throw new Error('handled'); }, 10);`,
    );
    expect(await app.exited).toEqual({ code: 0, signal: null });
    expect(sink.logs).toMatchObject([
      { body: 'uncaughtException: handled', severityText: 'ERROR', severityNumber: 17 },
    ]);
  });
});

describe('a collector that does not take telemetry', () => {
  test('is named once, with what to do, and does not delay the end', async () => {
    const { port } = sink;
    await sink.close();
    const app = run('app.mjs', `work(); ${stayAlive}`, {
      env: { OTEL_BSP_SCHEDULE_DELAY: '50', OTEL_BLRP_SCHEDULE_DELAY: '50' },
    });
    await app.printed(/cannot send/);
    const { signal, millis } = await app.stop();
    expect(signal).toBe('SIGTERM');
    expect(millis).toBeLessThan(4000);
    const lines = app.stderr.trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      new RegExp(
        `^signalbox: cannot send telemetry to http://127\\.0\\.0\\.1:${port}/v1/\\w+: ECONNREFUSED\\. .*OTEL_EXPORTER_OTLP_ENDPOINT`,
      ),
    );
  });

  test('is retried, and its return is noted', async () => {
    const { port } = sink;
    await sink.close();
    const app = run('app.mjs', `work(); ${stayAlive}`, {
      env: { OTEL_BSP_SCHEDULE_DELAY: '50', OTEL_BLRP_SCHEDULE_DELAY: '50' },
    });
    await app.printed(/cannot send/);
    sink = await new OtlpSink().listen(port);
    await app.printed(/takes telemetry again after \d+ s; nothing was lost/);
    await app.stop();
    expectEverything();
  });

  test('may be silent: the end comes within the shutdown timeout', async () => {
    sink.answer = () => {};
    const app = run('app.mjs', `work(); ${stayAlive}`);
    await app.printed(/ready/);
    const { signal, millis } = await app.stop();
    expect(signal).toBe('SIGTERM');
    expect(millis).toBeGreaterThan(4000);
    expect(millis).toBeLessThan(20_000);
  });

  test('need not be waited for by who presses Ctrl-C twice', async () => {
    sink.answer = () => {};
    const app = run('app.mjs', `work(); ${stayAlive}`);
    await app.printed(/ready/);
    app.process.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { signal, millis } = await app.stop('SIGINT');
    expect(signal).toBe('SIGINT');
    expect(millis).toBeLessThan(4000);
  });

  test('may be silent at process.exit too', async () => {
    sink.answer = () => {};
    // Told by the process itself, after our own listener: how long it took to get there is the machine's business.
    const app = run(
      'app.mjs',
      `work(); const begun = performance.now(); process.on('exit', () => console.log(performance.now() - begun)); process.exit(4);`,
    );
    expect(await app.exited).toEqual({ code: 4, signal: null });
    expect(Number(app.stdout)).toBeGreaterThan(4000);
    expect(Number(app.stdout)).toBeLessThan(10_000);
    expect(app.stderr).toMatch(/could not be delivered/);
  });

  test('may speak gRPC or nonsense', async () => {
    const server = createServer();
    server.on('connection', (socket) => socket.end('\u0000\u0000\u0018\u0004nonsense'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const app = run('app.mjs', 'work();', { env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });
    expect(await app.exited).toEqual({ code: 0, signal: null });
    expect(app.stderr).toMatch(/does not speak HTTP\/1\.1 \(.+\)\. .*4318/);
    server.close();
  });

  test.each([
    ['the end of the event loop', 'app.mjs', 'work();'],
    ['process.exit', 'app.cjs', 'work(); process.exit();'],
    ['shutdown', 'app.mjs', "import { start } from '@signalbox/node'; work(); await start().shutdown();"],
  ] as const)('may be down, with a spool: the next process sends what %s left', async (_name, file, source) => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-spool-'));
    const { port } = sink;
    await sink.close();
    const env = { OTEL_NODE_SPOOL_FOLDER: folder };
    const first = run(file, source, { env });
    await first.exited;
    expect(first.stderr).toContain(`what could not be delivered waits in ${folder}`);
    expect(first.stderr).not.toContain('could not be delivered\n');
    sink = await new OtlpSink().listen(port);
    const second = new App({ file: 'app.mjs', source: '', env: { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: sink.url } });
    expect(await second.exited).toEqual({ code: 0, signal: null });
    expect(second.stderr).toMatch(/\d+ requests of earlier processes were sent/);
    expectEverything();
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  test('may be slower than what is recorded: what is dropped is said, and how much', async () => {
    const app = run(
      'app.mjs',
      `import { start } from '@signalbox/node'; for (let round = 0; round < 100; round++) work();
       console.log((await start().shutdown()).dropped.spans);`,
      { env: { OTEL_BSP_MAX_QUEUE_SIZE: '10', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '5' } },
    );
    await app.exited;
    const dropped = Number(app.stdout);
    expect(dropped).toBeGreaterThan(0);
    expect(sink.spans).toHaveLength(300 - dropped);
    expect(app.stderr).toMatch(/^signalbox: spans are being dropped: .* Raise OTEL_BSP_MAX_QUEUE_SIZE or sample\.$/m);
    expect(app.stderr).toMatch(new RegExp(`^signalbox: ${dropped} spans were dropped, because`, 'm'));
  });

  test('may refuse: the answer is explained, the records are counted', async () => {
    sink.answer = (_request, response) => {
      response.statusCode = 401;
      response.end();
    };
    const app = run(
      'app.mjs',
      `import { start } from '@signalbox/node'; work(); start().shutdown().then(({ dropped, errors }) => console.log(JSON.stringify({ dropped, errors: errors.map(String) })));`,
    );
    await app.exited;
    expect(app.stderr).toMatch(/answered 401 Unauthorized\. Set OTEL_EXPORTER_OTLP_HEADERS/);
    const { dropped, errors } = JSON.parse(app.stdout);
    expect(dropped).toMatchObject({ spans: 3, logRecords: 2 });
    expect(errors.join()).toContain('401');
  });

  test('may be overloaded for a while', async () => {
    let refusals = 2;
    sink.answer = (request, response, decode) => {
      if (request.url === '/v1/traces' && refusals > 0) {
        refusals -= 1;
        response.statusCode = 503;
        response.setHeader('Retry-After', '0');
      } else decode();
      response.end();
    };
    const app = run('app.mjs', 'work();');
    await app.exited;
    expectEverything();
  });
});

test('a slow collector loses nothing of 20,000 spans made in a second', async () => {
  // Decoding takes this process longer than 100 ms when the machine is busy, so that waits.
  const received: (() => void)[] = [];
  sink.answer = (_request, response, decode) => {
    received.push(decode);
    setTimeout(() => response.end(), 100);
  };
  const app = run(
    'app.mjs',
    `const tracer = trace.getTracer('app'); let made = 0;
     const timer = setInterval(() => { for (let i = 0; i < 400; i++) { tracer.startSpan('s').end(); made++; } if (made >= 20000) clearInterval(timer); }, 20);`,
  );
  await app.exited;
  for (const decode of received) decode();
  expect(sink.spans).toHaveLength(20_000);
  expect(app.stderr).toBe('');
}, 30_000);
