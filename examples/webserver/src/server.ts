import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { setRoute } from '@signalbox/node';
import { WebSocketServer } from 'ws';
import type { Chat } from './chat.ts';
import type { SharedStore } from './shared-store.ts';

const maxValueBytes = 16 * 1024;

/** `GET /nodes`, `GET` and `PUT /kv/:key`, and the chat over WebSockets at any path. */
export function createNodeServer(store: SharedStore, chat: Chat): http.Server {
  const server = http.createServer((request, response) => {
    answer(request, response, store).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else send(response, 502, { error: error instanceof Error ? error.message : 'failed' });
    });
  });
  new WebSocketServer({ server, maxPayload: maxValueBytes }).on('connection', (socket) => chat.accept(socket));
  return server;
}

async function answer(request: IncomingMessage, response: ServerResponse, store: SharedStore): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  if (path === '/nodes' && request.method === 'GET') {
    setRoute('/nodes');
    send(response, 200, { nodes: store.nodes });
    return;
  }
  const key = /^\/kv\/([^/]{1,200})$/.exec(path)?.[1];
  if (key === undefined || !['GET', 'PUT'].includes(request.method ?? '')) {
    send(response, 404, { error: 'not found' });
    return;
  }
  setRoute('/kv/:key');
  if (request.method === 'GET') {
    const value = await store.get(key);
    send(response, value === null ? 404 : 200, { value });
    return;
  }
  let value = '';
  for await (const chunk of request.setEncoding('utf8')) {
    value += chunk;
    if (value.length > maxValueBytes) {
      send(response, 413, { error: `a value has at most ${maxValueBytes} bytes` });
      return;
    }
  }
  await store.put(key, value);
  send(response, 200, { value });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
