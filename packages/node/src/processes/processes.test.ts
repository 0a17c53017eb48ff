import { exec, execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { functionSurface } from '../functions/function-surface.ts';
import { traced } from '../functions/traced.ts';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';
import { record } from '../testing/record.ts';
import { observeChild } from './observe-child.ts';
import { processSurface } from './process-surface.ts';

const surfaces = [processSurface.instrumentation, functionSurface.instrumentation];
const printTrace = 'echo $TRACEPARENT';

function traceparentOf({ traceId, spanId }: SinkSpan): string {
  return `00-${traceId}-${spanId}-01`;
}

function expectCounts(sink: OtlpSink, counts: { started: number; completed?: number; error?: number }): void {
  expect(sink.point('process_started_total')).toMatchObject({
    type: 'sum',
    monotonic: true,
    value: counts.started,
    attributes: {},
  });
  for (const result of ['completed', 'error'] as const) {
    const points = sink.points.filter(
      ({ metric, attributes }) => metric === 'process_terminated_total' && attributes.result === result,
    );
    expect(points.map(({ value }) => value)).toEqual(counts[result] === undefined ? [] : [counts[result]]);
  }
  expect(sink.point('process_active')).toMatchObject({ type: 'sum', monotonic: false, value: 0, attributes: {} });
}

describe('a child process', () => {
  test('has its start as a root span, its life as a child of that, and the trace in its environment', async () => {
    let pid: number | undefined;
    let out = '';
    const sink = await record(surfaces, async () => {
      const child = spawn('sh', ['-c', printTrace], { env: { ...process.env, TRACEPARENT: 'of-our-own-parent' } });
      pid = child.pid;
      child.stdout.on('data', (chunk) => {
        out += chunk;
      });
      await once(child, 'close');
    });
    const [started, terminated] = [sink.span('worker.started'), sink.span('worker.terminated')];
    expect(started).toMatchObject({ kind: 1, parentSpanId: '', status: { code: 0 } });
    expect(started.attributes).toEqual({
      'worker.type': 'process',
      'process.executable.name': 'sh',
      'process.pid': pid,
      'lifecycle.event': 'started',
    });
    expect(terminated).toMatchObject({ traceId: started.traceId, parentSpanId: started.spanId, status: { code: 0 } });
    expect(terminated.attributes).toMatchObject({
      'process.pid': pid,
      'process.exit.code': 0,
      'lifecycle.event': 'terminated',
      result: 'completed',
    });
    expect(terminated.start).toBeLessThanOrEqual(started.end);
    expect(terminated.end).toBeGreaterThan(started.end);
    expect(out.trim()).toBe(traceparentOf(started));
    expectCounts(sink, { started: 1, completed: 1 });
  });

  test('is seen whichever function starts it, below what is active', async () => {
    const outputs: string[] = [];
    const file = join(mkdtempSync(join(tmpdir(), 'signalbox-processes-')), 'child.cjs');
    writeFileSync(file, 'process.send(process.env.TRACEPARENT)');
    const run = traced(
      async () => {
        outputs.push(
          (await promisify(exec)(printTrace)).stdout,
          (await promisify(execFile)('sh', ['-c', printTrace])).stdout,
        );
        const child = fork(file);
        const [message] = await once(child, 'message');
        outputs.push(String(message));
        if (child.exitCode === null) await once(child, 'exit');
      },
      { name: 'run' },
    );
    const sink = await record(surfaces, run);
    rmSync(join(file, '..'), { recursive: true });
    const started = sink.spans.filter(({ name }) => name === 'worker.started');
    expect(started.map(({ parentSpanId }) => parentSpanId)).toEqual(Array(3).fill(sink.span('run').spanId));
    expect(outputs.map((output) => output.trim())).toEqual(started.map(traceparentOf));
    expectCounts(sink, { started: 3, completed: 3 });
  });

  test.each<[string, string, string, string, number | undefined]>([
    ['another code', 'exit 3', '3', 'exit code 3', 3],
    ['a signal', 'kill -KILL $$', 'SIGKILL', 'ended by SIGKILL', undefined],
  ])('that ends by %s has failed', async (_, script, type, message, code) => {
    const sink = await record(surfaces, () => once(spawn('sh', ['-c', script]), 'close'));
    const terminated = sink.span('worker.terminated');
    expect(terminated.status).toEqual({ code: 2, message });
    expect(terminated.attributes).toMatchObject({ result: 'error', 'error.type': type });
    expect(terminated.attributes['process.exit.code']).toBe(code);
    expectCounts(sink, { started: 1, error: 1 });
  });

  test("that cannot be started has failed, and the error is the application's to handle", async () => {
    const sink = await record(surfaces, async () => {
      const child = spawn('/no/such/program');
      expect(child.listenerCount('error')).toBe(0);
      expect((await once(child, 'error'))[0]).toMatchObject({ code: 'ENOENT' });
    });
    expect(sink.span('worker.terminated')).toMatchObject({
      status: { code: 2 },
      attributes: { result: 'error', 'error.type': 'ENOENT' },
    });
    expectCounts(sink, { started: 1, error: 1 });
  });

  test('is named by the application, or left alone', async () => {
    const nameOf = ({ file }: { file: string }) => (file === 'true' ? undefined : file);
    const sink = await record(
      surfaces,
      async () => {
        await once(spawn('true'), 'close');
        await once(spawn('cat', { stdio: 'ignore' }), 'close');
      },
      { processes: { nameOf } },
    );
    expect(sink.spans.map(({ name }) => name)).toEqual(['cat.started', 'cat.terminated']);
    expectCounts(sink, { started: 1, completed: 1 });
  });
});

describe('a worker thread', () => {
  const report = `require('node:worker_threads').parentPort.postMessage(process.env.TRACEPARENT ?? 'none');`;

  test('is given the trace, and counted', async () => {
    const sink = await record(surfaces, async () => {
      const worker = new Worker(report, { eval: true, env: { OWN: '1' } });
      expect(worker).toBeInstanceOf(Worker);
      const [message] = await once(worker, 'message');
      expect(message).toMatch(/^00-/);
      await once(worker, 'exit');
    });
    const started = sink.span('worker.started');
    expect(started.attributes).toMatchObject({
      'worker.type': 'thread',
      'worker.file': '[eval]',
      'thread.id': expect.any(Number),
    });
    expect(sink.span('worker.terminated')).toMatchObject({
      parentSpanId: started.spanId,
      attributes: { result: 'completed' },
    });
    expectCounts(sink, { started: 1, completed: 1 });
  });

  test('that throws has failed with what it threw', async () => {
    const sink = await record(surfaces, async () => {
      const worker = new Worker(`throw new RangeError('in the thread')`, { eval: true });
      worker.on('error', () => {});
      await new Promise((resolve) => worker.on('exit', resolve));
    });
    const { status, attributes, events } = sink.span('worker.terminated');
    expect(status).toEqual({ code: 2, message: 'in the thread' });
    expect(attributes).toMatchObject({ result: 'error', 'error.type': 'RangeError' });
    expect(events[0]?.attributes).toMatchObject({ 'exception.message': 'in the thread' });
    expectCounts(sink, { started: 1, error: 1 });
  });

  test.each([
    [
      '@temporalio/worker/lib/workflow/workflow-worker-thread.js',
      'setInterval(() => {}, 1000)',
      'completed',
      undefined,
    ],
    ['@temporalio/worker/lib/workflow/workflow-worker-thread.js', 'setImmediate(() => process.exit(3))', 'error', '3'],
    ['@temporalio/worker/lib/workflow/workflow-worker-thread.js', 'throw new RangeError("x")', 'error', 'RangeError'],
    ['other/thread.js', 'setInterval(() => {}, 1000)', 'error', '1'],
  ])('in %s that runs %s is %s: Temporal ends its threads when they are done', async (path, code, result, type) => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-threads-'));
    const file = join(folder, 'node_modules', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `require('node:worker_threads').parentPort.postMessage('runs');${code}`);
    const sink = await record(surfaces, async () => {
      const worker = new Worker(file);
      worker.on('error', () => {});
      const exited = new Promise((resolve) => worker.on('exit', resolve));
      if (code.startsWith('setInterval')) {
        await once(worker, 'message');
        expect(await worker.terminate()).toBe(1);
      }
      await exited;
    });
    rmSync(folder, { recursive: true });
    const { status, attributes } = sink.span('worker.terminated');
    expect(attributes).toMatchObject({ result, 'process.exit.code': code.includes('(3)') ? 3 : 1 });
    expect(attributes['error.type']).toBe(type);
    expect(status.code).toBe(result === 'completed' ? 0 : 2);
    expectCounts(sink, { started: 1, [result]: 1 });
  });

  test('that cannot be made throws as ever, and shares the environment where that is asked for', async () => {
    const sink = await record(surfaces, async () => {
      expect(() => new Worker('relative/without/dot.js')).toThrow(/absolute path/);
      const worker = new Worker(report, { eval: true, env: SHARE_ENV });
      expect(await once(worker, 'message')).toEqual(['none']);
      await once(worker, 'exit');
    });
    expectCounts(sink, { started: 2, completed: 1, error: 1 });
  });
});

test('after the end of telemetry nothing is changed any more', async () => {
  await record(surfaces, () => {});
  const { stdout } = await promisify(exec)(printTrace);
  expect(stdout.trim()).toBe('');
});

describe('a pipeline of programs', () => {
  test('has a span for each stage, at the same time, below the whole', async () => {
    let out = '';
    const transcode = traced(
      async () => {
        const decode = observeChild('audio.decode', () => spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] }), {
          'audio.codec': 'flac',
        });
        const encode = observeChild('audio.encode', () =>
          spawn('tr', ['a-z', 'A-Z'], { stdio: ['pipe', 'pipe', 'inherit'] }),
        );
        decode.stdout.pipe(encode.stdin);
        encode.stdout.on('data', (chunk) => {
          out += chunk;
        });
        decode.stdin.end('sound');
        await Promise.all([once(decode, 'close'), once(encode, 'close')]);
      },
      { name: 'transcode' },
    );
    const sink = await record(surfaces, transcode);
    expect(out).toBe('SOUND');
    const [whole, decode, encode] = ['transcode', 'audio.decode', 'audio.encode'].map((name) => sink.span(name));
    expect([decode?.parentSpanId, encode?.parentSpanId]).toEqual([whole?.spanId, whole?.spanId]);
    expect(decode?.attributes).toMatchObject({
      'audio.codec': 'flac',
      'process.executable.name': 'cat',
      'process.exit.code': 0,
      'process.pid': expect.any(Number),
    });
    const started = sink.spans.filter(({ name }) => name === 'worker.started');
    expect(started.map(({ parentSpanId }) => parentSpanId)).toEqual([decode?.spanId, encode?.spanId]);
  });

  test('shows the stage that failed', async () => {
    const sink = await record(surfaces, async () => {
      await once(
        observeChild('audio.decode', () => spawn('sh', ['-c', 'exit 4'])),
        'close',
      );
      await once(
        observeChild('audio.probe', () => spawn('/no/such/program')),
        'error',
      );
    });
    expect(sink.span('audio.decode')).toMatchObject({
      status: { code: 2, message: 'exit code 4' },
      attributes: { 'error.type': '4' },
    });
    expect(sink.span('audio.probe')).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'ENOENT' } });
  });
});

describe('across real processes', () => {
  const sink = new OtlpSink();
  beforeAll(async () => {
    buildPackage();
    await sink.listen();
  }, 120_000);
  afterAll(() => sink.close());

  test('cluster workers, threads and children continue the trace that started them', async () => {
    const app = new App({
      file: 'app.mjs',
      source: `
        import { fork } from 'node:child_process';
        import cluster from 'node:cluster';
        import { once } from 'node:events';
        import { isMainThread, Worker } from 'node:worker_threads';
        import { context } from '@opentelemetry/api';
        import { inheritedContext, start, traced } from '@signalbox/node';
        const url = new URL(import.meta.url);
        const telemetry = start();
        if (isMainThread && cluster.isPrimary && process.argv[2] !== 'child') {
          await traced(async () => {
            await once(cluster.fork(), 'exit');
            await once(new Worker(url), 'exit');
            await once(fork(url, ['child']), 'exit');
          }, { name: 'primary' })();
        } else {
          const name = !isMainThread ? 'in thread' : cluster.isWorker ? 'in cluster' : 'in child';
          context.with(inheritedContext(), traced(() => {}, { name }));
          await telemetry.shutdown();
          if (isMainThread) process.exit();
        }`,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url },
    });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    const started = sink.spans.filter(({ name }) => name === 'worker.started');
    expect(started.map(({ attributes }) => attributes['worker.type'])).toEqual(['cluster', 'thread', 'process']);
    const inside = ['in cluster', 'in thread', 'in child'].map((name) => sink.span(name));
    expect(inside.map(({ parentSpanId }) => parentSpanId)).toEqual(started.map(({ spanId }) => spanId));
    expect(new Set([...started, ...inside, sink.span('primary')].map(({ traceId }) => traceId)).size).toBe(1);
    expect(inside.map(({ kind }) => kind)).toEqual([1, 1, 1]);
    const terminated = sink.spans.filter(({ name }) => name === 'worker.terminated');
    expect(terminated.map(({ attributes }) => attributes.result)).toEqual(Array(3).fill('completed'));
  });
});
