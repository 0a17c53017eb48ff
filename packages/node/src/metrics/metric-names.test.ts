// Every metric that the instrumentations of a team's own surfaces promise: name, kind, unit, and labels, under a prefix.
import { spawn } from 'node:child_process';
import { tracingChannel } from 'node:diagnostics_channel';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { logs, SeverityNumber } from '@opentelemetry/api-logs';
import { beforeAll, describe, expect, test } from 'vitest';
import { builtInInstrumentations } from '../built-in-instrumentations.ts';
import { observeChanges } from '../changes/observe-changes.ts';
import { observeEventBus } from '../events/observe-event-bus.ts';
import { traced } from '../functions/traced.ts';
import { setRoute } from '../http/request-state.ts';
import { observeQueue } from '../messaging/observe-queue.ts';
import { observeStore } from '../stores/observe-store.ts';
import type { OtlpSink, SinkPoint } from '../testing/otlp-sink.ts';
import { record } from '../testing/record.ts';

type Row = [
  name: string,
  kind: 'counter' | 'histogram' | 'up-down',
  unit: string,
  labels: Record<string, unknown>[],
  times?: number,
];

const result = (base: object, results: readonly string[]) => results.map((each) => ({ ...base, result: each }));
const hello = { method: 'GET', route: '/hello', status: '200' };
const unmatched = { method: 'GET', route: 'unmatched', status: '404' };
const kv = result({ namespace: 'app:kv', op: 'get' }, ['ok', 'not_found', 'error']);

const sql = ['query', 'exec'].flatMap((op) => result({ op }, ['ok', 'error']));

/** Times are how often each series is used below. */
const table: readonly Row[] = [
  ['wippy_http_requests_total', 'counter', '{request}', [hello, unmatched]],
  ['wippy_http_request_duration_seconds', 'histogram', 's', [hello, unmatched]],
  ['wippy_http_requests_in_flight', 'up-down', '{request}', [{ method: 'GET' }]],
  [
    'wippy_function_calls',
    'counter',
    '{call}',
    ['success', 'error'].map((status) => ({ function_id: 'app.api:hello', status })),
  ],
  ['wippy_function_duration', 'histogram', 's', [{ function_id: 'app.api:hello' }], 2],
  ['wippy_function_in_flight', 'up-down', '{call}', [{ function_id: 'app.api:hello' }]],
  ['wippy_queue_messages_total', 'counter', '{message}', result({ queue: 'orders' }, ['ack', 'nack'])],
  ['wippy_queue_process_duration_seconds', 'histogram', 's', result({ queue: 'orders' }, ['ack', 'nack'])],
  ['wippy_queue_in_flight', 'up-down', '{message}', [{ queue: 'orders' }]],
  ['wippy_process_started_total', 'counter', '{process}', [{}], 2],
  ['wippy_process_terminated_total', 'counter', '{process}', result({}, ['completed', 'error'])],
  ['wippy_process_active', 'up-down', '{process}', [{}]],
  ['wippy_kv_ops_total', 'counter', '{operation}', kv],
  ['wippy_kv_op_duration_seconds', 'histogram', 's', kv],
  ['wippy_sql_ops_total', 'counter', '{operation}', sql],
  ['wippy_sql_op_duration_seconds', 'histogram', 's', sql],
  ['wippy_cdc_changes_total', 'counter', '{change}', [{ slot: 'wal' }]],
  ['wippy_cdc_retained_wal_bytes', 'up-down', 'By', [{ slot: 'wal' }]],
  ['wippy_cdc_errors_total', 'counter', '{error}', [{ slot: 'wal' }]],
  ['eventbus_subscribers_active', 'up-down', '{subscriber}', [{}]],
  ['eventbus_subscribers_rejected_total', 'counter', '{subscriber}', [{ reason: 'cap' }]],
  [
    'runtime_log_emissions_total',
    'counter',
    '{record}',
    [
      { level: 'warn', component: 'raft' },
      { level: 'info', component: 'unnamed' },
    ],
  ],
];

const gauges = table.filter(([, kind]) => kind === 'up-down').map(([name]) => name);
const kinds = {
  counter: { type: 'sum', monotonic: true },
  'up-down': { type: 'sum', monotonic: false },
  histogram: { type: 'histogram' },
};

async function serve(): Promise<void> {
  const server = http.createServer((request, response) => {
    if (request.url === '/hello') setRoute('/hello');
    else response.statusCode = 404;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const path of ['/hello', '/no-such-page']) await (await fetch(url + path)).text();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** Each surface once in each way that its labels tell apart. */
async function useEverything(): Promise<void> {
  await serve();
  const call = traced(
    (fails: boolean) => {
      if (fails) throw new Error('fails');
    },
    { name: 'app.api:hello' },
  );
  call(false);
  expect(() => call(true)).toThrow();
  const orders = observeQueue<object>({ name: 'orders' });
  orders.process({}, () => {});
  orders.process({}, (_, delivery) => delivery.nack());
  for (const script of ['exit 0', 'exit 1']) await once(spawn('sh', ['-c', script]), 'close');
  const store = observeStore(new Map<string, number>([['a', 1]]), { namespace: 'app:kv' });
  store.get('a');
  store.get('b');
  const broken = observeStore(
    {
      get: () => {
        throw new Error('down');
      },
    },
    { namespace: 'app:kv' },
  );
  expect(() => broken.get()).toThrow();
  // As mysql2 announces its statements.
  const statements = tracingChannel('mysql2:query');
  for (const query of ['SELECT 1', 'DELETE FROM users', 'BEGIN']) {
    await statements.tracePromise(async () => [], { query });
    const down = async (): Promise<void> => {
      throw new Error('down');
    };
    await expect(statements.tracePromise(down, { query })).rejects.toThrow('down');
  }
  const changes = observeChanges({ slot: 'wal' });
  changes.received();
  changes.retained(512);
  changes.retained(0);
  changes.fail(new Error('gone'));
  const bus = observeEventBus(new EventEmitter(), { maxSubscribers: 1 }).on('event', () => {});
  expect(() => bus.on('event', () => {})).toThrow();
  bus.removeAllListeners();
  logs.getLogger('raft.transport').emit({ severityNumber: SeverityNumber.WARN });
  logs.getLogger('@signalbox/node/pino').emit({ severityNumber: SeverityNumber.INFO2 });
}

function pointsOf(sink: OtlpSink, name: string): SinkPoint[] {
  return sink.points.filter(({ metric }) => metric === name);
}

const byText = (one: object, other: object): number => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);

describe('with a prefix', () => {
  let sink: OtlpSink;

  beforeAll(async () => {
    sink = await record(builtInInstrumentations, useEverything, { metricPrefix: 'wippy_' });
  });

  test.each(table)('%s is a %s in %s by its labels, counted once', (name, kind, unit, labels, times = 1) => {
    const points = pointsOf(sink, name);
    expect(points.map(({ attributes }) => attributes).sort(byText)).toEqual([...labels].sort(byText));
    for (const point of points) expect(point).toMatchObject({ unit, ...kinds[kind] });
    if (kind === 'counter') expect(points.map(({ value }) => value)).toEqual(labels.map(() => times));
    if (kind === 'histogram') expect(points.map(({ count }) => count)).toEqual(labels.map(() => times));
  });

  test.each(gauges)('%s is back to 0', (name) => {
    expect(pointsOf(sink, name).map(({ value }) => value)).toEqual([0]);
  });
});

test('no series is there before its first use', async () => {
  const sink = await record(builtInInstrumentations, () => {}, { metricPrefix: 'wippy_' });
  const names = new Set(sink.points.map(({ metric }) => metric));
  expect(table.map(([name]) => name).filter((name) => names.has(name))).toEqual([]);
});

test('without a prefix nothing is counted that a convention counts already', async () => {
  const sink = await record(builtInInstrumentations, useEverything);
  const names = new Set(sink.points.map(({ metric }) => metric));
  expect([...names].filter((name) => /^(http_|runtime_log)/.test(name))).toEqual([]);
  expect(names).toContain('http.server.request.duration');
  expect(names).toContain('function_calls');
});

test('more series than there may be are counted together, and said', async () => {
  const said: string[] = [];
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = (text: string | Uint8Array) => said.push(String(text)) > 0;
  const sink = await record(
    builtInInstrumentations,
    () => {
      for (let n = 0; n < 2100; n += 1) observeStore(new Map(), { namespace: `tenant ${n}` }).has('a');
    },
    { metricPrefix: 'wippy_', traces: false },
  ).finally(() => {
    process.stderr.write = write;
  });
  expect(pointsOf(sink, 'wippy_kv_ops_total')).toHaveLength(2001);
  expect(sink.point('wippy_kv_ops_total', { 'otel.metric.overflow': true }).value).toBe(100);
  expect(said.filter((line) => line.includes('wippy_kv_ops_total'))).toEqual([
    expect.stringMatching(/more than 2000 series/),
  ]);
});
