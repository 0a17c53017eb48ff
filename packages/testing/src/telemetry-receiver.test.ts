import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { assertMetricValue, assertSpanCount, mustHaveSpan } from './assertions.ts';
import { TelemetryReceiver } from './telemetry-receiver.ts';

let receiver: TelemetryReceiver;

beforeAll(async () => {
  receiver = await TelemetryReceiver.listen();
});

beforeEach(() => receiver.reset());

afterAll(() => receiver.close());

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const bytes = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${receiver.endpoint}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: headers['content-encoding'] === 'gzip' ? new Uint8Array(gzipSync(bytes)) : bytes,
  });
}

function sums(value: number, temporality: 1 | 2): unknown {
  const point = { asInt: `${value}`, timeUnixNano: '1', attributes: [{ key: 'a', value: { stringValue: 'b' } }] };
  const sum = { aggregationTemporality: temporality, isMonotonic: true, dataPoints: [point] };
  return { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'jobs', sum }] }] }] };
}

test('JSON, packed or not, is kept like protobuf', async () => {
  const span = (name: string) => ({
    name,
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    kind: 3,
    startTimeUnixNano: '1000000000',
    endTimeUnixNano: '1002500000',
    attributes: [{ key: 'big', value: { intValue: '9007199254740993' } }],
  });
  const request = (name: string) => ({ resourceSpans: [{ scopeSpans: [{ spans: [span(name)] }] }] });
  expect((await post('/v1/traces', request('plain'))).status).toBe(200);
  expect((await post('/v1/traces', request('packed'), { 'content-encoding': 'gzip' })).status).toBe(200);
  const recording = receiver.recording();
  assertSpanCount(recording, 2);
  expect(mustHaveSpan(recording, 'packed')).toMatchObject({
    kind: 'client',
    parentSpanId: undefined,
    durationMillis: 2.5,
    attributes: { big: 9007199254740993n },
  });
});

test('delta points add up, of cumulative ones the last counts', async () => {
  for (const value of [2, 5]) await post('/v1/metrics', sums(value, 1));
  assertMetricValue(receiver.recording(), 'jobs', 7, { a: 'b' });
  receiver.reset();
  for (const value of [2, 5]) await post('/v1/metrics', sums(value, 2));
  assertMetricValue(receiver.recording(), 'jobs', 5, { a: 'b' });
});

test('what is no OTLP gets an error and is not kept', async () => {
  expect((await post('/v1/traces', '{"resourceSpans": [')).status).toBe(400);
  expect((await post('/v1/profiles', {})).status).toBe(404);
  assertSpanCount(receiver.recording(), 0);
});

test('waiting ends when more arrives, and otherwise says what was missing', async () => {
  const waiting = receiver.waitFor((recording) => assertMetricValue(recording, 'jobs', 3));
  await post('/v1/metrics', sums(3, 2));
  assertMetricValue(await waiting, 'jobs', 3);
  await expect(receiver.waitFor((recording) => mustHaveSpan(recording, 'x'), { timeoutMillis: 20 })).rejects.toThrow(
    'waited 20 ms in vain; 0 spans, 0 log records and 1 metrics arrived: expected a span named "x"; there are no span at all',
  );
});

test('a process of its own is recorded through its environment', async () => {
  const program = `
    const { trace } = await import('@opentelemetry/api');
    trace.getTracer('job').startSpan('nightly job').end();
  `;
  const register = import.meta.resolve('@signalbox/node/register').replace('/src/register.ts', '/dist/register.js');
  await promisify(execFile)(process.execPath, ['--import', register, '--input-type=module', '-e', program], {
    env: { PATH: process.env.PATH, ...receiver.environment },
    cwd: import.meta.dirname,
  });
  // It has ended, so all has arrived.
  mustHaveSpan(receiver.recording(), 'nightly job');
});
