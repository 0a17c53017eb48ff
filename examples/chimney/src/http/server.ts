import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { context } from '@opentelemetry/api';
import { setRoute } from '@signalbox/node';
import type { Logger } from 'pino';
import type { Instruments } from '../telemetry/instruments.ts';
import { type Incoming, readIncoming } from './incoming.ts';
import { describeReply, type Observation, recordCompletion } from './observe-request.ts';
import { recoverPanics } from './recover-panics.ts';
import { problem, type Reply } from './reply.ts';
import { findRoute, type Match, type Route } from './router.ts';

export interface ServerParts {
  routes: readonly Route[];
  log: Logger;
  instruments: Instruments;
}

/** Chimney's HTTP server, not yet listening. The SDK has made a span of each request before it gets here. */
export function createChimneyServer(parts: ServerParts): Server {
  const server = createServer((request, response) => {
    // Nothing in there throws; if something does, it is a bug of this file, and one request must not end the process.
    serve(parts, request, response).catch((error: unknown) => {
      parts.log.error({ error: String(error) }, 'request failed');
      response.destroy();
    });
  });
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  return server;
}

async function serve(parts: ServerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const started = performance.now();
  const at = context.active();
  const { log, instruments } = parts;
  let observation: Observation = { method: request.method ?? 'GET', route: 'unmatched', started, context: at };
  const reply = await recoverPanics({ log, panics: instruments.panics }, async () => {
    const incoming = readIncoming(request);
    const match = findRoute(parts.routes, incoming.method, incoming.path);
    if (match) {
      observation = { ...observation, route: match.name };
      setRoute(match.name);
    }
    return await answer(match, incoming);
  });
  describeReply(observation, reply);
  response.once('close', () => recordCompletion({ log, instruments }, observation, reply));
  write(request, response, reply);
}

async function answer(match: Match, incoming: Incoming): Promise<Reply> {
  if (!match) return problem(404, 'There is nothing here.');
  if ('allow' in match)
    return problem(405, `Allowed here: ${match.allow.join(', ')}.`, { allow: match.allow.join(', ') });
  return await match.route.handle(incoming);
}

function write(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  // What was not read of a body is read and forgotten, within the server's time limit: closing at once would cost the client its answer.
  request.resume();
  const length = reply.status === 304 ? {} : { 'content-length': String(reply.body.length) };
  response.writeHead(reply.status, { ...reply.headers, ...length });
  response.end(reply.body);
}

/** Takes no more connections, lets running requests end until `signal` fires, then cuts what is left. */
export async function closeServer(server: Server, signal: AbortSignal): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const cut = () => server.closeAllConnections();
  signal.addEventListener('abort', cut);
  await closed;
  signal.removeEventListener('abort', cut);
}
