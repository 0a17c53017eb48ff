import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Span, TraceResponse } from '@signalbox/api-contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { Child } from './child-process.ts';
import { eventually, SignalboxProcess } from './signalbox-process.ts';

// Three nodes, each a process, that call each other by an RPC of their own and send to Signalbox over gRPC.
let signalbox: SignalboxProcess;
let webserver: Child;
let urls: string[] = [];

beforeAll(async () => {
  signalbox = await new SignalboxProcess().start();
  webserver = new Child(
    process.execPath,
    [fileURLToPath(new URL('../examples/webserver/dist/main.js', import.meta.url))],
    {
      WEBSERVER_PORT: '0',
      OTEL_EXPORTER_OTLP_ENDPOINT: signalbox.otlpGrpc,
    },
  );
  urls = JSON.parse((await webserver.waitFor(/"urls":(\[[^\]]+\])/))[1] ?? '[]');
});

afterAll(async () => {
  await webserver?.stop();
  await signalbox?.dispose();
});

/** A key that lives on the node of that index. */
function keyOn(index: number): string {
  for (let n = 0; ; n += 1) {
    const key = `key-${n}`;
    if (createHash('sha256').update(key).digest().readUInt32BE() % 3 === index) return key;
  }
}

/** The trace once all of `names` are in it. */
async function traceWith(traceId: string, ...names: string[]): Promise<Record<string, Span>> {
  return await eventually(async () => {
    const trace = await signalbox.api<TraceResponse>(`traces/${traceId}`).catch(() => undefined);
    const found = Object.fromEntries((trace?.spans ?? []).map((span) => [span.name, span]));
    return names.every((name) => name in found) ? found : undefined;
  });
}

function attributesOf(span: Span | undefined): Record<string, unknown> {
  return Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]));
}

describe('the shared store', () => {
  test('a key that lives on another node is put and found there, in the trace of the request', async () => {
    const key = keyOn(1);
    const put = await fetch(`${urls[0]}/kv/${key}`, { method: 'PUT', body: 'blue' });
    expect(put.status).toBe(200);
    const spans = await traceWith(
      put.headers.get('x-trace-id') ?? '',
      'PUT /kv/:key',
      'rpc call',
      'rpc kv.put',
      'kv.put',
    );
    const chain = ['PUT /kv/:key', 'rpc call', 'rpc kv.put', 'kv.put'].map((name) => spans[name]);
    expect(chain.map((span) => span?.parentSpanId)).toEqual(['', ...chain.slice(0, -1).map((span) => span?.spanId)]);
    expect(attributesOf(chain[0])).toMatchObject({
      'http.method': 'PUT',
      'http.target': `/kv/${key}`,
      'http.status_code': '200',
    });
    expect(attributesOf(chain[3])).toMatchObject({
      'kv.key': key,
      'kv.node': 'node-2',
      'kv.duration_us': expect.anything(),
    });

    const got = await fetch(`${urls[2]}/kv/${key}`);
    expect(await got.json()).toEqual({ value: 'blue' });
    const found = await traceWith(got.headers.get('x-trace-id') ?? '', 'GET /kv/:key', 'kv.get');
    expect(attributesOf(found['kv.get'])).toMatchObject({ 'kv.key': key, 'kv.node': 'node-2', 'kv.found': true });
  });

  test('a key that is not there was not found, on the node itself', async () => {
    const missed = await fetch(`${urls[0]}/kv/${keyOn(0)}`);
    expect(missed.status).toBe(404);
    const spans = await traceWith(missed.headers.get('x-trace-id') ?? '', 'kv.get', 'GET /kv/:key');
    expect(attributesOf(spans['kv.get'])).toMatchObject({ 'kv.node': 'node-1', 'kv.found': false });
    expect(spans).not.toHaveProperty('rpc call');
    expect(spans['kv.get']?.parentSpanId).toBe(spans['GET /kv/:key']?.spanId);
  });
});

describe('the chat', () => {
  test('a message goes to everybody on all three nodes, in one trace', async () => {
    const sockets = urls.map((url) => new WebSocket(url.replace('http', 'ws')));
    const heard = sockets.map(
      (socket) =>
        new Promise<string>((resolve) =>
          socket.on('message', (data) => String(data).includes('hello') && resolve(String(data))),
        ),
    );
    for (const socket of sockets) {
      if (socket.readyState !== WebSocket.OPEN) await once(socket, 'open');
      const joined = once(socket, 'message');
      socket.send(JSON.stringify({ join: 'lobby' }));
      await joined;
    }
    sockets[0]?.send(JSON.stringify({ room: 'lobby', sender: 'ann', text: 'hello' }));
    expect(await Promise.all(heard)).toEqual(Array(3).fill('{"room":"lobby","sender":"ann","text":"hello"}'));
    for (const socket of sockets) socket.close();

    const traceId = await eventually(async () => {
      const search = new URL('/api/search', signalbox.page);
      search.searchParams.set('q', '{ name = "chat.broadcast" }');
      const { traces = [] }: { traces?: { traceID: string }[] } = await (await fetch(search)).json();
      // As Tempo does, the answer leaves leading zeros out.
      return traces[0]?.traceID.padStart(32, '0');
    });
    const { spans } = await eventually(async () => {
      const trace = await signalbox.api<TraceResponse>(`traces/${traceId}`);
      return trace.spans.length >= 6 ? trace : undefined;
    });
    const named = (name: string) => spans.filter((span) => span.name === name);
    const [message] = named('websocket.message');
    const [broadcast] = named('chat.broadcast');
    expect(message).toMatchObject({
      parentSpanId: '',
      kind: 'SERVER',
      links: [{ traceId: expect.stringMatching(/^[0-9a-f]{32}$/) }],
    });
    expect(broadcast?.parentSpanId).toBe(message?.spanId);
    expect(attributesOf(broadcast)).toMatchObject({
      'chat.room': 'lobby',
      'chat.sender': 'ann',
      'chat.recipients': '3',
      'chat.duration_us': expect.anything(),
    });
    const calls = named('rpc call');
    expect(calls.map(({ parentSpanId }) => parentSpanId)).toEqual(Array(2).fill(broadcast?.spanId));
    expect(
      named('rpc chat.deliver')
        .map(({ parentSpanId }) => parentSpanId)
        .sort(),
    ).toEqual(calls.map(({ spanId }) => spanId).sort());
    expect(JSON.stringify(spans)).not.toContain('hello');
  });
});
