import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink } from '../testing/otlp-sink.ts';

beforeAll(buildPackage, 120_000);

let sink: OtlpSink;
beforeEach(async () => {
  sink = await new OtlpSink().listen();
});
afterEach(() => sink.close());

/** Nothing leaves by itself before the end: the delays are an hour. */
const env = () => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
  OTEL_BSP_SCHEDULE_DELAY: '3600000',
  OTEL_BLRP_SCHEDULE_DELAY: '3600000',
  OTEL_METRIC_EXPORT_INTERVAL: '3600000',
  OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'processes',
});

describe('a worker thread that calls start delivers everything', () => {
  test.each([
    ['when it ends by itself', '', 'exit 0'],
    ['on process.exit', 'setTimeout(() => process.exit(3), 20);', 'exit 3'],
    ['when an exception ends it', "setTimeout(() => { throw new Error('broken'); }, 20);", 'error broken'],
  ])('%s', async (_, end, outcome) => {
    const app = new App({
      file: 'app.mjs',
      source: `
        import { isMainThread, Worker } from 'node:worker_threads';
        import { metrics, trace } from '@opentelemetry/api';
        import { logs } from '@opentelemetry/api-logs';
        import { start } from '@signalbox/node';
        if (isMainThread) {
          const worker = new Worker(new URL(import.meta.url));
          worker.on('error', (error) => console.log('error ' + error.message));
          worker.on('exit', (code) => console.log('exit ' + code));
        } else {
          start();
          for (let i = 0; i < 3; i++) trace.getTracer('app').startSpan('job ' + i).end();
          logs.getLogger('app').emit({ body: 'one' });
          metrics.getMeter('app').createCounter('app.jobs').add(3);
          ${end}
        }`,
      env: env(),
    });
    expect(await app.exited).toEqual({ code: 0, signal: null });
    expect(app.stdout).toContain(outcome);
    expect([...new Set(sink.spans.map(({ name }) => name))].sort()).toEqual(['job 0', 'job 1', 'job 2']);
    expect(sink.logs.map(({ body }) => body)).toContain('one');
    expect(sink.point('app.jobs').value).toBe(3);
  });
});

describe('a cluster worker delivers everything, under --import', () => {
  test.each([
    ['when the primary kills it', 'kill', 'null SIGTERM'],
    ['when the primary disconnects it', 'disconnect', '0 null'],
  ])('%s', async (_, verb, outcome) => {
    const app = new App({
      file: 'app.mjs',
      source: `
        import cluster from 'node:cluster';
        import { trace } from '@opentelemetry/api';
        if (cluster.isPrimary) {
          const worker = cluster.fork();
          worker.on('exit', (code, signal) => console.log('worker ' + code + ' ' + signal));
          worker.on('message', () => worker.${verb}());
        } else {
          trace.getTracer('app').startSpan('in the worker').end();
          process.send('ready');
          setInterval(() => {}, 1000).unref();
        }`,
      env: env(),
    });
    expect(await app.exited).toEqual({ code: 0, signal: null });
    expect(app.stdout).toContain(`worker ${outcome}`);
    expect(sink.spans.map(({ name }) => name)).toEqual(['in the worker']);
  });
});
