import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StatusResponse } from '@signalbox/api-contract';
import { HostCheck } from '../page/host-check.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';
import { LogTail } from '../query/logs/log-tail.ts';
import type { QueryContext } from '../query/query-context.ts';
import type { Connection } from '../store/connection.ts';
import { toApiError } from './api-error.ts';
import { checkOrigin } from './check-origin.ts';
import { QueryRegistry } from './query-registry.ts';
import { RequestParameters } from './request-parameters.ts';
import type { Route } from './route.ts';
import { type RouteMatch, Router } from './router.ts';
import { fieldRoutes } from './routes/fields.ts';
import { logRoutes } from './routes/logs.ts';
import { metricRoutes } from './routes/metrics.ts';
import { queryRoutes } from './routes/queries.ts';
import { serviceRoutes } from './routes/services.ts';
import { statusRoutes } from './routes/status.ts';
import { traceRoutes } from './routes/traces.ts';

export interface PageApiOptions {
  /** The store's: `store.connection`. */
  readonly connection: Connection;
  /** The answer of `GET /api/signalbox/status`. */
  readonly status: () => Promise<StatusResponse>;
  /** Fed by `tailLogs` on the way of log records into the store. Without it live tails stay silent. */
  readonly logTail?: LogTail;
  /** Milliseconds that all statements of one request may take together. Default: 20,000. */
  readonly maxExecutionMs?: number;
  /** Host names besides addresses and localhost under which the page may be opened; see `HostCheck`. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** Running requests are noted here, together with those of the other APIs. Default: one of its own. */
  readonly registry?: QueryRegistry;
  /** Told of errors that are bugs (`internal`), which the client is told nothing of. Default: a process warning. */
  readonly onError?: (error: unknown, route: string) => void;
}

/** What answers under `/api/signalbox/`. */
export interface PageApi {
  /** Answers and resolves to true; false at once for any other path. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Cancels what runs, for a quick shutdown; ends live tails. */
  cancelAll(): void;
}

export const apiRoot = '/api/signalbox/';

/**
 * The page's HTTP API. Answers are JSON (api-contract) and carry `X-Signalbox-Query-Id`; a client that closes its
 * connection cancels its query. Only pages of the same origin are answered: no CORS headers, and a strange `Host` or
 * `Origin` is refused, as DNS rebinding and forged requests of other sites have them.
 */
export function createPageApi(options: PageApiOptions): PageApi {
  const registry = options.registry ?? new QueryRegistry();
  const hosts = new HostCheck(options.allowedHosts ?? []);
  const maxExecutionMs = options.maxExecutionMs ?? 20_000;
  const onError = options.onError ?? ((error) => process.emitWarning(error instanceof Error ? error : String(error)));
  const router = new Router([
    ...serviceRoutes,
    ...traceRoutes,
    ...logRoutes(options.logTail ?? new LogTail()),
    ...metricRoutes,
    ...fieldRoutes,
    ...queryRoutes(registry),
    ...statusRoutes(options.status),
  ]);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const [path = '', search = ''] = splitOnce(request.url ?? '', '?');
    if (!path.startsWith(apiRoot)) return false;
    const nowMs = Date.now();
    const query = registry.start(path, nowMs);
    const onClose = (): void => {
      if (!response.writableFinished) query.controller.abort();
    };
    response.on('close', onClose);
    response.on('error', onClose);
    setHeaders(response, query.id);
    try {
      checkOrigin(request, hosts);
      const match = findRoute(router, request.method ?? '', path.slice(apiRoot.length), response);
      const context: QueryContext = {
        connection: options.connection,
        signal: query.controller.signal,
        deadlineMs: nowMs + maxExecutionMs,
        nowMs,
      };
      await run(match, new URLSearchParams(search), context, request, response);
    } catch (error) {
      sendError(response, error, (bug) => onError(bug, path));
    } finally {
      query.finish();
    }
    return true;
  }

  return { handle, cancelAll: () => registry.cancelAll() };
}

async function run(
  { route, path }: RouteMatch<Route>,
  search: URLSearchParams,
  context: QueryContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const routeRequest = { path, parameters: new RequestParameters(search, context.nowMs), context };
  if (route.stream !== undefined) return route.stream(routeRequest, { request, response });
  const answer = await requireJson(route)(routeRequest);
  if (answer === undefined) {
    response.writeHead(204).end();
    return;
  }
  sendJson(response, 200, answer);
}

function requireJson(route: Route): NonNullable<Route['json']> {
  if (route.json === undefined) throw new Error(`The route ${route.pattern} has nothing to answer with`);
  return route.json;
}

function findRoute(router: Router<Route>, method: string, path: string, response: ServerResponse): RouteMatch<Route> {
  const match = router.find(method === 'HEAD' ? 'GET' : method, path);
  if (match === null) throw new SignalboxError('not_found', 'There is no such path in the API');
  if ('route' in match) return match;
  response.setHeader('allow', match.join(', '));
  throw new SignalboxError('invalid_argument', `This path knows only ${match.join(', ')}`);
}

function setHeaders(response: ServerResponse, queryId: string): void {
  response.setHeader('x-signalbox-query-id', queryId);
  response.setHeader('cache-control', 'no-store');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
  response.setHeader('cross-origin-resource-policy', 'same-origin');
  response.setHeader('referrer-policy', 'no-referrer');
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
  });
  response.end(bytes);
}

function sendError(response: ServerResponse, error: unknown, onBug: (error: unknown) => void): void {
  const { status, body, retryAfterSeconds } = toApiError(error);
  if (status === 500) onBug(error);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
  sendJson(response, status, body);
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
