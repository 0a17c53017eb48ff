import { fileURLToPath } from 'node:url';
import type { TraceResponse } from '@signalbox/api-contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Child } from './child-process.ts';
import { eventually, SignalboxProcess } from './signalbox-process.ts';

// The example runtime as a real process: each of its surfaces is used over HTTP, and seen in Signalbox and at a scrape.
let signalbox: SignalboxProcess;
let wippy: Child;
let url = '';
const traces: Record<string, string> = {};

async function ask(method: 'GET' | 'POST', path: string, input?: unknown): Promise<number> {
  const body = input === undefined ? null : JSON.stringify(input);
  const response = await fetch(url + path, { method, body });
  await response.arrayBuffer();
  traces[`${path} ${JSON.stringify(input) ?? ''}`.trim()] = response.headers.get('x-trace-id') ?? '';
  return response.status;
}

/** The trace once it has as many spans. */
async function traceOf(request: string, spans: number): Promise<TraceResponse> {
  return await eventually(async () => {
    const trace = await signalbox.api<TraceResponse>(`traces/${traces[request]}`).catch(() => undefined);
    return trace !== undefined && trace.spans.length >= spans ? trace : undefined;
  });
}

type Series = Map<string, number>;

function seriesKey(name: string, labels: Record<string, string>): string {
  const own = Object.entries(labels).filter(([label]) => !/^(__name__|job|instance|otel_scope_.*)$/.test(label));
  return `${name}${JSON.stringify(own.sort(([one], [other]) => (one < other ? -1 : 1)))}`;
}

const isOurs = (name: string): boolean => /^(wippy_|eventbus_|runtime_log_)/.test(name) && !name.endsWith('_bucket');

/** What a Prometheus would read from the service itself. */
async function scraped(): Promise<Series> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const series: Series = new Map();
  for (const [, name = '', labels = '', value] of text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)/gm)) {
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', text = '']) => [label, text]);
    if (isOurs(name)) series.set(seriesKey(name, Object.fromEntries(pairs)), Number(value));
  }
  return series;
}

/** What Signalbox answers to PromQL. */
async function queried(): Promise<Series> {
  const query = '{job="wippy",__name__=~"(wippy_|eventbus_|runtime_log_).+"}';
  const response = await fetch(new URL(`/api/v1/query?query=${encodeURIComponent(query)}`, signalbox.page));
  const { data }: { data: { result: { metric: Record<string, string>; value: [number, string] }[] } } =
    await response.json();
  return new Map(
    data.result.flatMap(({ metric, value: [, text] }) =>
      isOurs(metric.__name__ ?? '') ? [[seriesKey(metric.__name__ ?? '', metric), Number(text)] as const] : [],
    ),
  );
}

beforeAll(async () => {
  signalbox = await new SignalboxProcess().start();
  wippy = new Child(process.execPath, [fileURLToPath(new URL('../examples/wippy/dist/main.js', import.meta.url))], {
    WIPPY_PORT: '0',
    WIPPY_COMPACT_MS: '200',
    OTEL_EXPORTER_OTLP_ENDPOINT: signalbox.otlpHttp,
    OTEL_METRIC_EXPORT_INTERVAL: '300',
  });
  url = (await wippy.waitFor(/"url":"(http:[^"]+)".*wippy listens/))[1] ?? '';
  expect(await ask('GET', '/hello')).toBe(200);
  expect(await ask('GET', '/stats')).toBe(200);
  expect(await ask('GET', '/no-such-page')).toBe(404);
  expect(await ask('POST', '/kv', { a: 1 })).toBe(200);
  expect(await ask('POST', '/kv', 'no JSON in here')).toBe(200);
  expect(await ask('POST', '/pub', { order: 7 })).toBe(200);
  expect(await ask('POST', '/pub', 'fail')).toBe(200);
  expect(await ask('POST', '/spawn')).toBe(200);
  expect(await ask('POST', '/spawn', 'fail')).toBe(200);
  const listeners = new AbortController();
  for (let n = 0; n < 5; n += 1) {
    const { status } = await fetch(`${url}/events`, { signal: listeners.signal });
    expect(status).toBe(n < 4 ? 200 : 503);
  }
  listeners.abort();
});

afterAll(async () => {
  await wippy?.stop();
  await signalbox?.dispose();
});

describe('traces', () => {
  test('request, function, publish, process and function are one trace, each the child of the one before', async () => {
    const { spans } = await traceOf('/pub {"order":7}', 5);
    const chain = [
      'POST app.api:pub.endpoint',
      'app.api:pub',
      'publish app:orders',
      'process app:orders',
      'app.jobs:fulfil',
    ];
    const found = chain.map((name) => spans.find((span) => span.name === name));
    expect(found.map((span) => span?.kind)).toEqual(['SERVER', 'INTERNAL', 'PRODUCER', 'CONSUMER', 'INTERNAL']);
    expect(found.map((span) => span?.parentSpanId)).toEqual(['', ...found.slice(0, -1).map((span) => span?.spanId)]);
    expect(spans).toHaveLength(5);
  });

  test('a message that fails comes back in the same trace', async () => {
    const { spans } = await traceOf('/pub "fail"', 9);
    const attempts = spans.filter(({ name }) => name === 'process app:orders');
    expect(attempts.map(({ status }) => status.code)).toEqual(['ERROR', 'ERROR', 'ERROR']);
  });

  test('the store has no spans; a task has its start and its end', async () => {
    const kv = await traceOf('/kv {"a":1}', 2);
    expect(kv.spans.map(({ name }) => name).sort()).toEqual(['POST app.api:kv.endpoint', 'app.api:kv']);
    const spawned = await traceOf('/spawn "fail"', 4);
    const terminated = spawned.spans.find(({ name }) => name === 'worker.terminated');
    expect(spawned.spans.map(({ name }) => name)).toContain('worker.started');
    expect(terminated?.attributes).toContainEqual({ key: 'result', value: { stringValue: 'error' } });
    const missing = await traceOf('/no-such-page', 1);
    expect(missing.spans[0]?.name).toBe('GET');
  });
});

describe('metrics', () => {
  /** What Signalbox has once the last values have arrived, which must be what the service shows. */
  async function settled(): Promise<Series> {
    const both = async () => {
      const [there, here] = [await scraped(), await queried()];
      // Goes on by itself.
      for (const series of [there, here])
        for (const key of series.keys()) if (key.startsWith('wippy_job_')) series.delete(key);
      return { there, here };
    };
    const isSame = ({ there, here }: Awaited<ReturnType<typeof both>>): boolean =>
      here.size > 0 && here.size === there.size && [...there].every(([key, current]) => here.get(key) === current);
    await eventually(async () => isSame(await both()) || undefined).catch(() => {});
    const { there, here } = await both();
    expect(here).toEqual(there);
    return here;
  }
  const value = (series: Series, name: string, labels: Record<string, string> = {}) =>
    series.get(seriesKey(name, labels));

  test('are the same in Signalbox and at a scrape, and count everything once', async () => {
    const series = await settled();
    expect(
      value(series, 'wippy_http_requests_total', { method: 'GET', route: 'app.api:hello.endpoint', status: '200' }),
    ).toBe(1);
    expect(value(series, 'wippy_http_requests_total', { method: 'GET', route: 'unmatched', status: '404' })).toBe(1);
    expect(value(series, 'wippy_function_calls_total', { function_id: 'app.api:hello', status: 'success' })).toBe(1);
    expect(value(series, 'wippy_function_calls_total', { function_id: 'app.jobs:fulfil', status: 'error' })).toBe(3);
    expect(value(series, 'wippy_function_duration_seconds_count', { function_id: 'app.api:hello' })).toBe(1);
    expect(value(series, 'wippy_queue_messages_total', { queue: 'app:orders', result: 'ack' })).toBe(1);
    expect(value(series, 'wippy_queue_messages_total', { queue: 'app:orders', result: 'nack' })).toBe(3);
    expect(value(series, 'wippy_process_started_total')).toBe(2);
    expect(value(series, 'wippy_process_terminated_total', { result: 'completed' })).toBe(1);
    expect(value(series, 'wippy_process_terminated_total', { result: 'error' })).toBe(1);
    expect(value(series, 'wippy_kv_ops_total', { namespace: 'app:kv', op: 'put', result: 'ok' })).toBe(2);
    expect(value(series, 'wippy_cdc_changes_total', { slot: 'store' })).toBe(3);
    expect(value(series, 'wippy_cdc_errors_total', { slot: 'store' })).toBe(1);
    expect(value(series, 'eventbus_subscribers_rejected_total', { reason: 'cap' })).toBe(1);
    expect(value(series, 'wippy_business_events_total', { event: 'Order fulfilled' })).toBe(1);
    expect(value(series, 'runtime_log_emissions_total', { level: 'info', component: 'app' })).toBe(2);
  });

  test('that go up and down are back at 0', async () => {
    const series = await settled();
    const gauges = [...series].filter(([key]) => /in_flight|active|retained/.test(key));
    expect(gauges.map(([key]) => key.replace(/\[.*/, '')).sort()).toEqual(
      expect.arrayContaining([
        'eventbus_subscribers_active',
        'wippy_cdc_retained_wal_bytes',
        'wippy_http_requests_in_flight',
        'wippy_process_active',
        'wippy_queue_in_flight',
      ]),
    );
    expect(gauges.filter(([, current]) => current !== 0)).toEqual([]);
  });

  test('a job that is scheduled runs', async () => {
    await eventually(async () => {
      const runs = (await queried()).get(
        seriesKey('wippy_job_runs_total', { job_name: 'app.jobs:compact', result: 'completed' }),
      );
      return runs !== undefined && runs > 0 ? runs : undefined;
    });
  });
});
