import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { setRoute, type Telemetry } from '@signalbox/node';
import type { Logger } from 'pino';
import type { Application } from './application.ts';

const maxInputBytes = 16 * 1024;

/** The endpoints by method and path: an id, which names their requests, and the function that serves them. */
const endpoints: Readonly<Record<string, { readonly id: string; readonly function: string }>> = {
  'GET /hello': { id: 'app.api:hello.endpoint', function: 'app.api:hello' },
  'GET /stats': { id: 'app.api:stats.endpoint', function: 'app.api:stats' },
  'POST /kv': { id: 'app.api:kv.endpoint', function: 'app.api:kv' },
  'POST /pub': { id: 'app.api:pub.endpoint', function: 'app.api:pub' },
  'POST /spawn': { id: 'app.api:spawn.endpoint', function: 'app.api:spawn' },
};

export function createServer(application: Application, log: Logger, scrape: Telemetry['scrape']): http.Server {
  return http.createServer((request, response) => {
    answer(request, response, application, scrape).catch((error: unknown) => {
      log.error(error, 'request failed');
      if (response.headersSent) response.destroy();
      else send(response, 500, { error: error instanceof Error ? error.message : 'failed' });
    });
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { functions, bus }: Application,
  scrape: Telemetry['scrape'],
): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  if (path === '/metrics') {
    const { contentType, body } = await scrape(request.headers.accept);
    response.setHeader('content-type', contentType).end(body);
    return;
  }
  if (path === '/events') {
    setRoute('app.api:events.endpoint');
    followOrders(response, bus);
    return;
  }
  const endpoint = endpoints[`${request.method} ${path}`];
  if (endpoint === undefined) {
    send(response, 404, { error: `no endpoint ${request.method} ${path}` });
    return;
  }
  setRoute(endpoint.id);
  const input = await readInput(request);
  if (input === undefined) send(response, 400, { error: `a body is JSON of at most ${maxInputBytes} bytes` });
  else send(response, 200, await functions.call(endpoint.function, input));
}

/** The events of the bus for as long as the client listens. */
function followOrders(response: ServerResponse, bus: Application['bus']): void {
  const tell = (order: unknown): void =>
    void response.write(`event: order.fulfilled\ndata: ${JSON.stringify(order)}\n\n`);
  try {
    bus.on('order.fulfilled', tell);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    send(response, 503, { error: 'too many listen already' });
    return;
  }
  response.on('close', () => bus.off('order.fulfilled', tell));
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
}

/** The body as JSON, null for none; undefined when it is too large or no JSON. */
async function readInput(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > maxInputBytes) return undefined;
  }
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
