import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { HostCheck } from '../../page/host-check.ts';
import type { Connection } from '../../store/connection.ts';
import { checkOrigin } from '../check-origin.ts';
import type { QueryRegistry } from '../query-registry.ts';
import { Router } from '../router.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { searchRoutes } from './routes/search.ts';
import { statusRoutes } from './routes/status.ts';
import { tagRoutes } from './routes/tags.ts';
import { traceRoutes } from './routes/traces.ts';
import { toTempoError } from './tempo-error.ts';
import { TempoParameters } from './tempo-parameters.ts';
import type { TempoAnswer, TempoRoute } from './tempo-route.ts';

export interface TempoApiOptions {
  /** The store's: `store.connection`. */
  readonly connection: Connection;
  /** Shared with the page's API, whose list shows these requests, and can cancel them. */
  readonly registry: QueryRegistry;
  /** Milliseconds that one request may take. */
  readonly maxExecutionMs: number;
  /** Host names besides addresses and localhost under which it may be asked; see `HostCheck`. */
  readonly allowedHosts: readonly string[];
  /** Of the program, for `/api/status/buildinfo`. */
  readonly version: string;
  /** Told of errors that are bugs (`internal`). */
  readonly onError: (error: unknown) => void;
}

const prefix = '/tempo/';
const compressedFrom = 4_096;
const compress = promisify(gzip);

/**
 * Tempo's HTTP API (https://grafana.com/docs/tempo/latest/api_docs/), also below `/tempo`. A client that closes its connection
 * cancels its query.
 *
 * @returns a handler that answers and resolves to true, or gives false at once for what is not Tempo's; it never rejects
 */
export function createTempoApi(
  options: TempoApiOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<boolean> {
  const hosts = new HostCheck(options.allowedHosts);
  const router = new Router<TempoRoute>([
    ...traceRoutes,
    ...searchRoutes,
    ...tagRoutes,
    ...metricsRoutes,
    ...statusRoutes(options.version),
  ]);

  return async (request, response) => {
    const [path = '', search = ''] = (request.url ?? '').split(/\?(.*)/s, 2);
    const below = path.startsWith(prefix) ? path.slice(prefix.length) : path.slice(1);
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
    const match = router.find(method, below);
    // Others have paths below the same root, some of them for other methods.
    if (match === null || !('route' in match)) return false;
    const nowMs = Date.now();
    const query = options.registry.start(path, nowMs);
    const onClose = (): void => {
      if (!response.writableFinished) query.controller.abort();
    };
    response.on('close', onClose);
    response.on('error', onClose);
    response.setHeader('cache-control', 'no-store');
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('x-signalbox-query-id', query.id);
    try {
      checkOrigin(request, hosts);
      const context = {
        connection: options.connection,
        signal: query.controller.signal,
        deadlineMs: nowMs + options.maxExecutionMs,
        nowMs,
      };
      const parameters = new TempoParameters(new URLSearchParams(search), nowMs);
      await send(request, response, await match.route.run({ path: match.path, parameters, context }));
    } catch (error) {
      const { status, text, isBug } = toTempoError(error);
      if (isBug) options.onError(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
    } finally {
      query.finish();
    }
    return true;
  };
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status = 200, json, protobuf, text }: TempoAnswer,
): Promise<void> {
  const wantsProtobuf = protobuf !== undefined && (request.headers.accept ?? '').includes('application/protobuf');
  const [type, body] =
    text !== undefined
      ? ['text/plain; charset=utf-8', Buffer.from(text)]
      : wantsProtobuf
        ? ['application/protobuf', Buffer.from(protobuf())]
        : ['application/json', Buffer.from(JSON.stringify(json?.() ?? {}))];
  response.setHeader('content-type', type);
  response.setHeader('vary', 'Accept, Accept-Encoding');
  const isCompressed = body.length >= compressedFrom && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  const bytes = isCompressed ? await compress(body, { level: 1 }) : body;
  if (isCompressed) response.setHeader('content-encoding', 'gzip');
  response.writeHead(status, { 'content-length': bytes.length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
