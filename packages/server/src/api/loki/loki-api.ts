import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { HostCheck } from '../../page/host-check.ts';
import type { LogqlLimits } from '../../query/logql/engine.ts';
import type { StreamCatalog } from '../../query/logql-store/stream-catalog.ts';
import type { Connection } from '../../store/connection.ts';
import { checkOrigin } from '../check-origin.ts';
import type { QueryRegistry } from '../query-registry.ts';
import { readForm } from '../read-form.ts';
import { Router } from '../router.ts';
import { LokiError, toLokiError } from './loki-error.ts';
import { LokiParameters } from './loki-parameters.ts';
import type { LokiAnswer, LokiRoute } from './loki-route.ts';
import { detectedFieldRoutes } from './routes/detected-fields.ts';
import { indexRoutes } from './routes/index.ts';
import { labelRoutes } from './routes/labels.ts';
import { patternRoutes } from './routes/patterns.ts';
import { queryRoutes } from './routes/queries.ts';
import { type LokiStatus, statusRoutes } from './routes/status.ts';

export interface LokiApiOptions {
  /** The store's: `store.connection`. */
  readonly connection: Connection;
  /** Shared with the page's API, whose list shows these requests, and can cancel them. */
  readonly registry: QueryRegistry;
  readonly catalog: StreamCatalog;
  readonly limits: LogqlLimits;
  /** Milliseconds that one request may take. */
  readonly maxExecutionMs: number;
  readonly status: LokiStatus;
  /** Host names besides addresses and localhost under which it may be asked; see `HostCheck`. */
  readonly allowedHosts: readonly string[];
  /** Told of errors that are bugs (`internal`). */
  readonly onError: (error: unknown) => void;
}

const compressedFrom = 4_096;
const compress = promisify(gzip);

/**
 * Loki's HTTP API (https://grafana.com/docs/loki/latest/reference/loki-http-api/), but for pushing. A client that closes its
 * connection cancels its query.
 *
 * @returns a handler that answers and resolves to true, or gives false at once for what is not Loki's; it never rejects
 */
export function createLokiApi(
  options: LokiApiOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<boolean> {
  const hosts = new HostCheck(options.allowedHosts);
  const { catalog } = options;
  const router = new Router<LokiRoute>([
    ...queryRoutes(catalog, options.limits),
    ...labelRoutes(catalog),
    ...indexRoutes(catalog),
    ...detectedFieldRoutes(catalog),
    ...patternRoutes(catalog),
    ...statusRoutes(options.status),
  ]);

  return async (request, response) => {
    const [path = '', search = ''] = (request.url ?? '').split(/\?(.*)/s, 2);
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
    const match = router.find(method, path.slice(1));
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
      const form = await readForm(request, search, 'pairs');
      if (form.mistake !== undefined) throw new LokiError(400, form.mistake);
      const parameters = new LokiParameters(form.parameters, nowMs);
      const context = {
        connection: options.connection,
        signal: query.controller.signal,
        deadlineMs: nowMs + options.maxExecutionMs,
        nowMs,
      };
      const flags = String(request.headers['x-loki-response-encoding-flags'] ?? '');
      const categorizesLabels = flags.split(',').some((flag) => flag.trim() === 'categorize-labels');
      const asked = { path: match.path, parameters, context, categorizesLabels };
      await send(request, response, await match.route.run(asked));
    } catch (error) {
      const { status, text, isBug, retryAfterSeconds } = toLokiError(error);
      if (isBug) options.onError(error);
      if (response.headersSent) response.destroy();
      else {
        if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
        response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
      }
    } finally {
      query.finish();
    }
    return true;
  };
}

async function send(request: IncomingMessage, response: ServerResponse, answer: LokiAnswer): Promise<void> {
  const [type, body] =
    'text' in answer
      ? ['text/plain; charset=utf-8', Buffer.from(answer.text)]
      : ['application/json; charset=UTF-8', Buffer.from(JSON.stringify(answer.json))];
  response.setHeader('content-type', type);
  response.setHeader('vary', 'Accept-Encoding');
  const isCompressed = body.length >= compressedFrom && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  const bytes = isCompressed ? await compress(body, { level: 1 }) : body;
  if (isCompressed) response.setHeader('content-encoding', 'gzip');
  response.writeHead(200, { 'content-length': bytes.length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
