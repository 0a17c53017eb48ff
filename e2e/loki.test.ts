import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { logsRequest, post } from './otlp-json.ts';
import { SignalboxProcess } from './signalbox-process.ts';

let signalbox: SignalboxProcess;
beforeAll(async () => {
  signalbox = await new SignalboxProcess().start();
});
afterAll(async () => {
  await signalbox?.dispose();
});

interface Streams {
  data: { result: { stream: Record<string, string>; values: [string, string][] }[] };
}

async function ask<Answer>(path: string, parameters: Record<string, string>): Promise<Answer> {
  const response = await fetch(`${signalbox.page}/loki/api/v1/${path}?${new URLSearchParams(parameters)}`);
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

async function push(line: string): Promise<void> {
  const time = `${BigInt(Date.now()) * 1_000_000n}`;
  const response = await fetch(`${signalbox.page}/loki/api/v1/push`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ streams: [{ stream: { app: 'pushed', env: 'e2e' }, values: [[time, line]] }] }),
  });
  expect(response.status).toBe(204);
}

test('what was sent over OTLP and pushed as to Loki is found by LogQL', async () => {
  expect(await (await fetch(`${signalbox.page}/ready`)).text()).toBe('ready\n');
  await post(signalbox.otlpHttp, 'logs', logsRequest('shop', ['order 17 paid', 'order 18 failed']));
  await push('level=error msg="disk full" free=0B');
  const otlp = await ask<Streams>('query_range', { query: '{service_name="shop"} |= "failed"' });
  expect(otlp.data.result.map(({ stream, values }) => [stream.service_name, values[0]?.[1]])).toEqual([
    ['shop', 'order 18 failed'],
  ]);
  const pushed = await ask<Streams>('query_range', { query: '{app="pushed"} | logfmt | free < 1KB' });
  expect(pushed.data.result.map(({ stream }) => stream)).toEqual([
    { app: 'pushed', env: 'e2e', level: 'error', msg: 'disk full', free: '0B' },
  ]);
  const counted = await ask<{ data: { result: { metric: object; value: [number, string] }[] } }>('query', {
    query: 'sum by (service_name) (count_over_time({service_name=~".+"}[1h]))',
  });
  expect(counted.data.result.map(({ metric, value }) => [metric, value[1]])).toEqual([
    [{ service_name: 'pushed' }, '1'],
    [{ service_name: 'shop' }, '2'],
  ]);
});

test('a live tail tells a line as it is pushed, and ends with the program', async () => {
  const url = new URL(`/loki/api/v1/tail?${new URLSearchParams({ query: '{app="pushed"} |= "now"' })}`, signalbox.page);
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
  };
  const asking = request(url, { headers });
  asking.end();
  const [response, socket] = (await once(asking, 'upgrade')) as [IncomingMessage, Duplex];
  expect(response.statusCode).toBe(101);
  let text = '';
  socket.on('data', (data: Buffer) => {
    text += data.toString('latin1');
  });
  await push('it is now');
  while (!text.includes('it is now')) await once(socket, 'data');
  const closed = once(socket, 'close');
  const { code } = await signalbox.child.stop();
  expect(code).toBe(0);
  await closed;
});
