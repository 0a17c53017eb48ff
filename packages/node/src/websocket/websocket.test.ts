import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';

const clientTrace = '0af7651916cd43dd8448eb211c80319c';
const clientSpan = 'b7ad6b7169203331';

beforeAll(buildPackage, 120_000);

/** A chat: what it hears as text goes to everybody. */
const chat = `
const step = (name) => traced(() => {}, { name })();
function serve(server, wss) {
  wss.on('connection', (socket) => {
    step('on connection');
    socket.on('message', (data, isBinary) => {
      step(isBinary ? 'on binary' : 'on text');
      if (isBinary) return;
      observeBroadcast({ room: 'lobby', sender: 'ann' }, () => { for (const client of wss.clients) client.send(String(data)); return wss.clients.size; });
    });
    socket.on('close', () => { step('on close'); server.close(); });
  });
}
function talk(WebSocket, port) {
  const headers = { traceparent: '00-${clientTrace}-${clientSpan}-01', 'x-forwarded-for': '203.0.113.7, 10.0.0.1' };
  const client = new WebSocket('ws://127.0.0.1:' + port, { headers });
  client.on('open', () => { client.send(Buffer.alloc(300)); client.send('grüße'); });
  client.on('message', () => client.close());
}
const server = http.createServer();
`;
const listening = `server.listen(0, '127.0.0.1', () => talk(WebSocket, server.address().port));`;
const environment = (sink: OtlpSink) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
  OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http-client,http-server',
});

const variants = [
  {
    name: 'ws, imported',
    file: 'app.mjs',
    source: `import http from 'node:http'; import { WebSocket, WebSocketServer } from 'ws'; import { observeBroadcast, traced } from '@signalbox/node';
      ${chat} serve(server, new WebSocketServer({ server })); ${listening}`,
  },
  {
    name: 'ws, required, given its requests by hand',
    file: 'app.cjs',
    source: `const http = require('node:http'); const { WebSocket, WebSocketServer } = require('ws'); const { observeBroadcast, traced } = require('@signalbox/node');
      ${chat} const wss = new WebSocketServer({ noServer: true }); serve(server, wss);
      server.on('upgrade', (request, socket, head) => wss.handleUpgrade(request, socket, head, (opened) => wss.emit('connection', opened, request)));
      ${listening}`,
  },
] as const;

/** A copy of the hook's work: for the long tier. */
const handedOver = [
  {
    name: 'a server of ws that is handed over, which the hook sees too',
    file: 'app.mjs',
    source: `import http from 'node:http'; import { WebSocket, WebSocketServer } from 'ws'; import { observeBroadcast, observeWebSocketServer, traced } from '@signalbox/node';
      ${chat} serve(server, observeWebSocketServer(new WebSocketServer({ server }))); ${listening}`,
  },
] as const;

describe.each([...variants, ...(process.env.SIGNALBOX_TEST_TIER === 'full' ? handedOver : [])])(
  '$name',
  ({ file, source }) => {
    const sink = new OtlpSink();
    afterAll(() => sink.close());
    const named = (name: string): SinkSpan[] => sink.spans.filter((span) => span.name === name);
    const inside = (name: string): string => sink.span(name).parentSpanId;

    beforeAll(async () => {
      await sink.listen();
      const app = new App({ file, source, env: environment(sink) });
      expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
      expect(app.stderr).toBe('');
    }, 30_000);

    test('a connection belongs to what its client is doing', () => {
      const [connect] = named('websocket.connect');
      expect(named('websocket.connect')).toHaveLength(1);
      expect(connect).toMatchObject({ kind: 2, traceId: clientTrace, parentSpanId: clientSpan });
      expect(connect?.attributes).toEqual({
        'websocket.peer': '203.0.113.7',
        'websocket.connection_id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
      expect(inside('on connection')).toBe(connect?.spanId);
    });

    test('messages are traces of their own with a link to the connection, and their handlers run inside of them', () => {
      const { traceId, spanId, attributes } = sink.span('websocket.connect');
      const id = attributes['websocket.connection_id'];
      const [binary, text] = named('websocket.message');
      expect(named('websocket.message')).toHaveLength(2);
      expect(binary?.attributes).toEqual({
        'websocket.connection_id': id,
        'websocket.message_type': 'binary',
        'websocket.message_size': 300,
      });
      expect(text?.attributes).toEqual({
        'websocket.connection_id': id,
        'websocket.message_type': 'text',
        'websocket.message_size': 7,
      });
      for (const message of [binary, text])
        expect(message).toMatchObject({ kind: 2, parentSpanId: '', links: [{ traceId, spanId }] });
      expect([inside('on binary'), inside('on text')]).toEqual([binary?.spanId, text?.spanId]);
    });

    test('a broadcast says to how many it went', () => {
      expect(sink.span('chat.broadcast')).toMatchObject({
        kind: 1,
        parentSpanId: named('websocket.message')[1]?.spanId,
      });
      expect(sink.span('chat.broadcast').attributes).toEqual({
        'chat.room': 'lobby',
        'chat.sender': 'ann',
        'chat.recipients': 1,
        'chat.duration_us': expect.any(Number),
      });
    });

    test('the end of a connection says how long it was, and none is left', () => {
      const [disconnect] = named('websocket.disconnect');
      const { traceId, spanId, attributes } = sink.span('websocket.connect');
      expect(named('websocket.disconnect')).toHaveLength(1);
      expect(disconnect).toMatchObject({ kind: 1, parentSpanId: '', links: [{ traceId, spanId }] });
      expect(disconnect?.attributes).toEqual({ ...attributes, 'websocket.duration_ms': expect.any(Number) });
      expect(inside('on close')).toBe(disconnect?.spanId);
      expect(sink.point('websocket_connections_active')).toMatchObject({ monotonic: false, value: 0, attributes: {} });
      expect(sink.point('websocket_messages_total')).toMatchObject({ monotonic: true, value: 2, attributes: {} });
    });
  },
);

describe.each([
  [
    'app.mjs',
    `import http from 'node:http'; import { Server } from 'socket.io'; import { io } from 'socket.io-client'; import { traced } from '@signalbox/node';`,
  ],
  [
    'app.cjs',
    `const http = require('node:http'); const { Server } = require('socket.io'); const { io } = require('socket.io-client'); const { traced } = require('@signalbox/node');`,
  ],
] as const)('Socket.IO (%s)', (file, imports) => {
  const sink = new OtlpSink();
  afterAll(() => sink.close());

  test('events are messages by their names; nothing is seen twice for the transport below', async () => {
    await sink.listen();
    const source = `${imports}
      const step = (name) => traced(() => {}, { name })();
      const server = http.createServer();
      const sockets = new Server(server);
      sockets.on('connection', (socket) => {
        step('on connection');
        socket.on('say', (text, answer) => { step('on say'); answer(text.length); });
        socket.on('disconnect', () => { step('on disconnect'); sockets.close(); });
      });
      server.listen(0, '127.0.0.1', () => {
        const client = io('http://127.0.0.1:' + server.address().port, { transports: ['websocket'], extraHeaders: { traceparent: '00-${clientTrace}-${clientSpan}-01' } });
        client.on('connect', () => client.emit('say', 'hello', (length) => { console.log('length ' + length); client.close(); }));
      });`;
    const app = new App({ file, source, env: environment(sink) });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    expect(app.stdout).toContain('length 5');
    const names = sink.spans.map(({ name }) => name).filter((name) => name.startsWith('websocket.'));
    expect(names.sort()).toEqual(['websocket.connect', 'websocket.disconnect', 'websocket.message']);
    const [connect, message, disconnect] = ['connect', 'message', 'disconnect'].map((name) =>
      sink.span(`websocket.${name}`),
    );
    expect(connect).toMatchObject({
      traceId: clientTrace,
      parentSpanId: clientSpan,
      attributes: { 'websocket.peer': '127.0.0.1' },
    });
    expect(message).toMatchObject({
      attributes: { 'websocket.message_type': 'say' },
      links: [{ spanId: connect?.spanId }],
    });
    const parents = ['on connection', 'on say', 'on disconnect'].map((name) => sink.span(name).parentSpanId);
    expect(parents).toEqual([connect, message, disconnect].map((span) => span?.spanId));
    expect(sink.point('websocket_connections_active').value).toBe(0);
  });
});
