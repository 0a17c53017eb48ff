import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';
import type { PeerServer } from '../testing/peer-server.ts';
import { createTemporalServer, hasTemporal } from './testing/temporal-server.ts';

const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';
const workflows = readFileSync(new URL('./testing/workflows.js', import.meta.url), 'utf8');
const nexusWorkflows = readFileSync(new URL('./testing/nexus-workflows.js', import.meta.url), 'utf8');
const { internal, server, client } = { internal: 1, server: 2, client: 3 };

const names = {
  '@opentelemetry/api': 'trace',
  '@signalbox/node': 'temporalMetrics, temporalPlugin',
  '@temporalio/activity': 'ApplicationFailure, Context, log',
  '@temporalio/client': 'Client, Connection',
  '@temporalio/worker': 'DefaultLogger, MetricsBuffer, NativeConnection, Runtime, Worker',
};
const imports = Object.entries(names).map(([from, what]) => `import { ${what} } from '${from}';`);
const requires = Object.entries(names).map(([from, what]) => `const { ${what} } = require('${from}');`);

/** A service that runs workflows, asks for them, and does what the words of its command line say. */
const body = `
const tracer = trace.getTracer('app');
const address = '127.0.0.1:' + process.env.PEER;
const logger = new DefaultLogger('INFO', ({ message, meta }) => {
  if (/order is done|charged|unregistered|threw/.test(message)) console.log('log ' + message + ' ' + meta.trace_id + ' ' + meta.span_id);
});
Runtime.install({ logger, telemetryOptions: { metrics: temporalMetrics(MetricsBuffer) } });
const plugin = temporalPlugin();
let attempts = 0;
const activities = {
  async charge(cost) {
    attempts += 1;
    if (attempts < 3) throw ApplicationFailure.retryable('the bank is closed', 'BankClosed');
    log.info('charged');
    Context.current().metricMeter.createGauge('charged', 'int', '{euro}').set(cost);
    return 'receipt of ' + cost;
  },
  async price(item) { return item.length; },
  async refuse() { throw ApplicationFailure.nonRetryable('no such card', 'NoCard'); },
};
const patiently = async (attempt) => {
  for (let left = 300; ; left -= 1) {
    try { return await attempt(); } catch (error) { if (left === 0) throw error; await new Promise((resolve) => setTimeout(resolve, 200)); }
  }
};
const main = async () => {
  const connection = Connection.lazy({ address, connectTimeout: 1000 });
  const worked = new Client({ connection, plugins: [plugin] });
  const taskQueue = 'orders';
  if (process.env.DOWN) await tracer.startActiveSpan('while down', async (span) => {
    await worked.connection.withDeadline(Date.now() + 1000, () => worked.workflow.start('ship', { taskQueue, workflowId: 'never', args: ['x'] })).catch(() => {});
    span.end();
    console.log('was down');
  });
  const native = await patiently(() => NativeConnection.connect({ address }));
  const worker = await Worker.create({
    connection: native, taskQueue, workflowsPath: process.env.WORKFLOWS, activities, plugins: [plugin],
    maxCachedWorkflows: process.env.CACHED === '0' ? 0 : 100,
    ...(process.env.CACHED === '0' && { maxConcurrentWorkflowTaskExecutions: 1, maxConcurrentWorkflowTaskPolls: 1 }),
  });
  await worker.runUntil(async () => {
    const options = (workflowId, ...args) => ({ taskQueue, workflowId: workflowId + process.env.RUN, args });
    await tracer.startActiveSpan('request', async (span) => {
      const handle = await worked.workflow.start('order', options('order', 'book'));
      console.log('status=' + await handle.query('status'));
      console.log('renamed=' + await handle.executeUpdate('rename', { args: ['pen'] }));
      await handle.executeUpdate('rename', { args: [''] }).catch((error) => console.log('refused=' + error.name));
      await handle.signal('approve');
      console.log('result=' + JSON.stringify(await handle.result()));
      span.end();
    });
    await tracer.startActiveSpan('failing request', async (span) => {
      await worked.workflow.execute('failing', options('failing')).catch((error) => console.log('failed=' + error.name));
      span.end();
    });
    await tracer.startActiveSpan('counting request', async (span) => {
      await worked.workflow.execute('counting', options('counting', 3));
      span.end();
    });
    const plain = new Client({ connection });
    await plain.workflow.execute('ship', options('untraced', 'nobody'));
  });
  await native.close();
  await connection.close();
  console.log('done');
};
main();
`;

/** Asks for operations of Nexus, and does them. */
const nexusSource = `
import { trace } from '@opentelemetry/api';
import { temporalPlugin } from '@signalbox/node';
import { Client, Connection } from '@temporalio/client';
import { startWorkflow, WorkflowRunOperationHandler } from '@temporalio/nexus';
import { NativeConnection, Worker } from '@temporalio/worker';
import { operation, OperationError, service, serviceHandler } from 'nexus-rpc';
const tracer = trace.getTracer('app');
const address = '127.0.0.1:' + process.env.PEER;
const connection = Connection.lazy({ address });
const native = await NativeConnection.connect({ address });
const plugin = temporalPlugin();
const [endpoint, taskQueue] = ['payments' + process.env.RUN, 'payments' + process.env.RUN];
await connection.operatorService.createNexusEndpoint({ spec: { name: endpoint, target: { worker: { namespace: 'default', taskQueue } } } });
const byWorkflow = (name) => new WorkflowRunOperationHandler((context, item) =>
  startWorkflow(context, name, { workflowId: name + '-of-nexus' + process.env.RUN, args: [item] }));
const payments = service('payments', { quote: operation(), ship: operation(), refuse: operation(), wait: operation() });
const handler = serviceHandler(payments, {
  async quote(_context, item) { tracer.startSpan('quoting').end(); return item.length; },
  ship: byWorkflow('ship'),
  async refuse() { throw new OperationError('failed', 'no such card'); },
  wait: byWorkflow('wait'),
});
const worker = await Worker.create({
  connection: native, taskQueue, workflowsPath: process.env.WORKFLOWS, nexusServices: [handler], plugins: [plugin],
});
const client = new Client({ connection, plugins: [plugin] });
await worker.runUntil(() => tracer.startActiveSpan('request', async (span) => {
  console.log('result=' + JSON.stringify(await client.workflow.execute('buy', { taskQueue, workflowId: 'buy' + process.env.RUN, args: [endpoint] })));
  span.end();
}));
await native.close();
await connection.close();
`;

const variants = [
  ['ES module', 'app.mjs', `${imports.join('\n')}\n${body}`],
  ['CommonJS', 'app.cjs', `${requires.join('\n')}\n${body}`],
] as const;

describe.skipIf(!isFull || !hasTemporal)(
  "Temporal's SDK and a real server (long tier; the program temporal must be in PATH or named by SIGNALBOX_TEMPORAL)",
  () => {
    let peer: PeerServer;
    let sink: OtlpSink;
    let runs = 0;

    beforeAll(async () => {
      buildPackage();
      peer = await createTemporalServer();
      await peer.start();
    });
    afterAll(() => peer.remove());
    beforeEach(async () => {
      sink = await new OtlpSink().listen();
    });
    afterEach(() => sink.close());

    function application(file: 'app.mjs' | 'app.cjs', source: string, env: Record<string, string> = {}): App {
      runs += 1;
      return new App({
        file,
        source,
        files: { 'workflows.js': workflows, 'nexus-workflows.js': nexusWorkflows },
        env: {
          PEER: String(peer.port),
          WORKFLOWS: './workflows.js',
          RUN: String(runs),
          OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
          OTEL_SERVICE_NAME: 'shop',
          ...env,
        },
      });
    }

    /** The span of that name below `parent`, which must be the only one. */
    function below(parent: SinkSpan, name: string): SinkSpan {
      const found = sink.spans.filter((span) => span.name === name && span.parentSpanId === parent.spanId);
      expect(found, `${name} below ${parent.name}`).toHaveLength(1);
      return found[0] as SinkSpan;
    }

    const finished = async (app: App): Promise<void> =>
      expect(await app.exited, app.stdout + app.stderr).toEqual({ code: 0, signal: null });
    const temporalSpans = (): SinkSpan[] => sink.spans.filter(({ scope }) => scope === '@signalbox/node/temporal');
    const ok = { code: 0, message: '' };
    const errorStatus = 2;

    /** What every run of the application above has to yield. */
    function expectTraces(): void {
      const request = sink.span('request');
      const start = below(request, 'StartWorkflow:order');
      const run = below(start, 'RunWorkflow:order');
      expect([start.kind, run.kind]).toEqual([client, server]);
      expect(run).toMatchObject({
        status: ok,
        attributes: {
          temporalWorkflowID: start.attributes.temporalWorkflowID,
          temporalRunID: start.attributes.temporalRunID,
          temporalTaskQueue: 'orders',
        },
      });
      expect(start.attributes.temporalWorkflowID).toMatch(/^order\d+$/);

      expect(below(below(run, 'StartActivity:price'), 'RunActivity:price').status).toEqual(ok);
      const pay = below(run, 'pay');
      expect(pay).toMatchObject({ scope: 'shop', kind: internal, attributes: { cost: 4 } });
      const scheduled = below(pay, 'StartActivity:charge');
      expect(scheduled).toMatchObject({ kind: client, status: ok });
      const attempts = sink.spans.filter(({ parentSpanId }) => parentSpanId === scheduled.spanId);
      expect(
        attempts.map(({ name, kind, status, attributes }) => [name, kind, status, attributes.temporalAttempt]),
      ).toEqual([
        ['RunActivity:charge', server, { code: errorStatus, message: 'the bank is closed' }, 1],
        ['RunActivity:charge', server, { code: errorStatus, message: 'the bank is closed' }, 2],
        ['RunActivity:charge', server, ok, 3],
      ]);
      expect(attempts[0]?.attributes['error.type']).toBe('BankClosed');
      expect(below(below(run, 'StartChildWorkflow:ship'), 'RunWorkflow:ship').kind).toBe(server);

      for (const [asked, handled] of [
        ['QueryWorkflow:status', 'HandleQuery:status'],
        ['SignalWorkflow:approve', 'HandleSignal:approve'],
      ] as const) {
        const handler = below(below(request, asked), handled);
        expect([handler.kind, handler.links.map(({ spanId }) => spanId)]).toEqual([server, [run.spanId]]);
      }
      const [renamed, refused] = sink.spans.filter(({ name }) => name === 'StartWorkflowUpdate:rename');
      expect(below(renamed as SinkSpan, 'HandleUpdate:rename').status).toEqual(ok);
      expect(refused?.status.code).toBe(errorStatus);
      expect(below(refused as SinkSpan, 'ValidateUpdate:rename').status).toEqual({
        code: errorStatus,
        message: 'a name is needed',
      });
      const traceOfRequest = sink.spans.filter(({ traceId }) => traceId === request.traceId);
      expect(new Set(traceOfRequest.map(({ spanId }) => spanId)).size).toBe(traceOfRequest.length);
      expect(traceOfRequest).toHaveLength(21);

      const failing = below(below(sink.span('failing request'), 'StartWorkflow:failing'), 'RunWorkflow:failing');
      expect(failing).toMatchObject({
        status: { code: errorStatus, message: 'Activity task failed: no such card' },
        attributes: { 'error.type': 'NoCard' },
      });
      expect(failing.events.map(({ name }) => name)).toEqual(['exception']);

      const counting = below(sink.span('counting request'), 'StartWorkflow:counting');
      const counted = sink.spans.filter(({ parentSpanId }) => parentSpanId === counting.spanId);
      expect(counted.map(({ name, status }) => [name, status])).toEqual(Array(3).fill(['RunWorkflow:counting', ok]));
      expect(new Set(counted.map(({ attributes }) => attributes.temporalRunID)).size).toBe(3);

      const untraced = sink.spans.find(({ attributes }) => /^untraced/.test(String(attributes.temporalWorkflowID)));
      expect(untraced).toMatchObject({ name: 'RunWorkflow:ship', parentSpanId: '' });
    }

    test.each(variants)('one trace from the request to the activity (%s)', async (_name, file, source) => {
      const app = application(file, source);
      await finished(app);
      expectTraces();
      const { traceId, spanId } = sink.span('RunWorkflow:order');
      expect(app.stdout).toContain(`log order is done ${traceId} ${spanId}`);
      expect(app.stdout).toMatch(new RegExp(`log charged ${traceId} `));
      expect(app.stdout).not.toMatch(/unregistered|threw/);

      const order = { namespace: 'default', task_queue: 'orders', workflow_type: 'order' };
      expect(sink.point('temporal_workflow_completed', order)).toMatchObject({
        type: 'sum',
        monotonic: true,
        value: 1,
      });
      expect(sink.point('temporal_workflow_failed', { ...order, workflow_type: 'failing' }).value).toBe(1);
      expect(sink.point('temporal_activity_execution_failed', { ...order, activity_type: 'charge' }).value).toBe(2);
      const latency = sink.point('temporal_activity_execution_latency', { ...order, activity_type: 'charge' });
      expect(latency).toMatchObject({ type: 'histogram', unit: 's', count: 3 });
      for (const workerType of ['WorkflowWorker', 'ActivityWorker', 'LocalActivityWorker'])
        expect(sink.point('temporal_worker_task_slots_used', { worker_type: workerType })).toMatchObject({
          type: 'gauge',
          value: 0,
        });
      expect(sink.point('orders_done', { kind: 'test', workflowType: 'order' })).toMatchObject({
        unit: '{order}',
        value: 1,
      });
      expect(sink.point('charged', { activityType: 'charge' })).toMatchObject({ type: 'gauge', value: 4 });
    });

    test('a server that is down shows as an error, and one that is back serves; replays say nothing twice', async () => {
      await peer.stop('SIGKILL');
      const app = application('app.mjs', variants[0][2], { DOWN: '1', CACHED: '0', OTEL_PROPAGATORS: 'b3,baggage' });
      try {
        await app.printed(/was down/);
      } finally {
        await peer.start();
      }
      await finished(app);
      const failed = below(sink.span('while down'), 'StartWorkflow:ship');
      expect(failed).toMatchObject({ kind: client, status: { code: errorStatus } });
      expectTraces();
    });

    test('traces that are not kept cost workflows nothing, and those that began there ask the sampler', async () => {
      const app = application('app.mjs', variants[0][2], { OTEL_TRACES_SAMPLER: 'always_off' });
      await finished(app);
      expect(app.stdout).toContain('"receipt":"receipt of 4"');
      expect(sink.spans).toEqual([]);
      expect(sink.point('temporal_workflow_completed', { workflow_type: 'order' }).value).toBe(1);
    });

    test('workflows that began without it are replayed with it, and the other way round', async () => {
      const app = application('app.mjs', `${imports.join('\n')}\n${replaying}`);
      await finished(app);
      expect(app.stdout).toContain('replayed plain with, traced without, traced with');
      expect(temporalSpans().filter(({ name }) => name.startsWith('RunWorkflow'))).toHaveLength(2);
    });

    test('operations of Nexus are in the trace of who asks for them, and what they do is below', {
      timeout: 120_000,
    }, async () => {
      const app = application('app.mjs', nexusSource, { WORKFLOWS: './nexus-workflows.js' });
      await finished(app);
      const result = {
        quoted: 4,
        shipped: 'shipped pen',
        refused: 'NexusOperationFailure',
        cancelled: 'NexusOperationFailure',
      };
      expect(app.stdout).toContain(`result=${JSON.stringify(result)}`);
      const run = below(below(sink.span('request'), 'StartWorkflow:buy'), 'RunWorkflow:buy');
      const asked = (name: string): SinkSpan => below(run, `StartNexusOperation:payments/${name}`);
      const done = (name: string): SinkSpan => below(asked(name), `RunStartNexusOperationHandler:payments/${name}`);
      const attributes = { temporalNexusService: 'payments', temporalNexusOperation: 'quote' };
      expect(asked('quote')).toMatchObject({
        kind: client,
        status: ok,
        attributes: { ...attributes, temporalRunID: run.attributes.temporalRunID },
      });
      expect(done('quote')).toMatchObject({ kind: server, status: ok, attributes });
      expect(below(done('quote'), 'quoting').scope).toBe('app');
      expect(below(below(done('ship'), 'StartWorkflow:ship'), 'RunWorkflow:ship').status).toEqual(ok);
      expect(done('refuse').status).toEqual({ code: errorStatus, message: 'no such card' });
      expect(asked('refuse').status.code).toBe(errorStatus);
      expect(asked('refuse').status.message).toContain('no such card');
      expect(asked('wait').status).toEqual(ok);
      expect(below(asked('wait'), 'RunCancelNexusOperationHandler:payments/wait')).toMatchObject({
        kind: server,
        status: ok,
      });
      // The worker was shut down, and its threads with it.
      const threads = sink.spans.filter(
        ({ name, attributes: own }) =>
          name === 'worker.terminated' && own['worker.file'] === 'workflow-worker-thread.js',
      );
      expect(threads.length).toBeGreaterThan(0);
      for (const { attributes: own } of threads) expect(own.result).toBe('completed');
      expect(app.stderr).not.toContain('signalbox');
    });
  },
);

/** Runs a workflow with and without the plugin, and replays each history with and without. */
const replaying = `
const address = '127.0.0.1:' + process.env.PEER;
const plugin = temporalPlugin();
const taskQueue = 'replays';
const activities = { async charge(cost) { return 'receipt of ' + cost; }, async price(item) { return item.length; } };
const workflowsPath = process.env.WORKFLOWS;
const historyOf = async (workflowId, plugins) => {
  const native = await NativeConnection.connect({ address });
  const connection = await Connection.connect({ address });
  const worked = new Client({ connection, plugins });
  const worker = await Worker.create({ connection: native, taskQueue, workflowsPath, activities, plugins });
  const history = await worker.runUntil(async () => {
    const handle = await worked.workflow.start('order', { taskQueue, workflowId: workflowId + process.env.RUN, args: ['book'] });
    await handle.executeUpdate('rename', { args: ['pen'] });
    await handle.signal('approve');
    await handle.result();
    return handle.fetchHistory();
  });
  await native.close();
  await connection.close();
  return history;
};
const plain = await historyOf('plain', []);
const traced = await historyOf('traced', [plugin]);
const name = (kind) => kind + process.env.RUN;
await Worker.runReplayHistory({ workflowsPath, plugins: [plugin] }, plain, name('plain'));
await Worker.runReplayHistory({ workflowsPath }, traced, name('traced'));
await Worker.runReplayHistory({ workflowsPath, plugins: [plugin] }, traced, name('traced'));
console.log('replayed plain with, traced without, traced with');
`;
