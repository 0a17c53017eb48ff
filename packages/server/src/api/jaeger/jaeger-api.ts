import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { HostCheck } from '../../page/host-check.ts';
import { type ErrorCode, toSignalboxError } from '../../pipeline/signalbox-error.ts';
import type { Connection } from '../../store/connection.ts';
import { checkOrigin } from '../check-origin.ts';
import type { QueryRegistry } from '../query-registry.ts';
import { Router } from '../router.ts';
import { JaegerParameters } from './jaeger-parameters.ts';
import type { JaegerRoute } from './jaeger-route.ts';
import { jaegerV1Routes } from './jaeger-v1-routes.ts';
import { jaegerV3Routes } from './jaeger-v3-routes.ts';

export interface JaegerApiOptions {
  /** The store's: `store.connection`. */
  readonly connection: Connection;
  /** Shared with the page's API, whose list shows these requests, and can cancel them. */
  readonly registry: QueryRegistry;
  /** Milliseconds that one request may take. */
  readonly maxExecutionMs: number;
  /** Host names besides addresses and localhost under which it may be asked; see `HostCheck`. */
  readonly allowedHosts: readonly string[];
  /** Told of errors that are bugs (`internal`). */
  readonly onError: (error: unknown) => void;
}

const compressedFrom = 4_096;
const compress = promisify(gzip);

/**
 * Jaeger's query APIs: the JSON API of its older page, and api_v3 over HTTP. Both are at the root of a port of their own, as
 * Tempo has the same paths. A client that closes its connection cancels its query. The handler answers whatever comes
 * to this port, and never rejects.
 */
export function createJaegerApi(
  options: JaegerApiOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<true> {
  const hosts = new HostCheck(options.allowedHosts);
  const router = new Router<JaegerRoute>([...jaegerV1Routes, ...jaegerV3Routes]);

  return async (request, response) => {
    const [path = '', search = ''] = (request.url ?? '').split(/\?(.*)/s, 2);
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
    const nowMs = Date.now();
    const query = options.registry.start(path, nowMs);
    response.on('close', () => {
      if (!response.writableFinished) query.controller.abort();
    });
    response.setHeader('cache-control', 'no-store');
    response.setHeader('x-content-type-options', 'nosniff');
    try {
      checkOrigin(request, hosts);
      const match = router.find(method, path.slice(1));
      if (match === null || !('route' in match)) {
        await send(
          request,
          response,
          match === null ? 404 : 405,
          failure(path, match === null ? 404 : 405, 'There is no such path'),
        );
        return true;
      }
      const context = {
        connection: options.connection,
        signal: query.controller.signal,
        deadlineMs: nowMs + options.maxExecutionMs,
        nowMs,
      };
      const parameters = new JaegerParameters(new URLSearchParams(search), nowMs);
      await send(request, response, 200, await match.route.run({ path: match.path, parameters, context }));
    } catch (error) {
      const known = toSignalboxError(error);
      if (known.code === 'internal') options.onError(error);
      const status = STATUSES[known.code];
      if (response.headersSent) response.destroy();
      else await send(request, response, status, failure(path, status, known.message));
    } finally {
      query.finish();
    }
    return true;
  };
}

/** The one place where errors become statuses of Jaeger's APIs. */
const STATUSES: Readonly<Record<ErrorCode, number>> = {
  invalid_argument: 400,
  not_found: 404,
  unimplemented: 501,
  timeout: 504,
  cancelled: 499,
  resource_exhausted: 429,
  too_large: 422,
  unavailable: 503,
  unauthenticated: 503,
  permission_denied: 503,
  internal: 500,
};

/** Each API has a form of its own. */
function failure(path: string, status: number, message: string): object {
  if (path.startsWith('/api/v3/')) return { error: { httpCode: status, message } };
  return { data: null, total: 0, limit: 0, offset: 0, errors: [{ code: status, msg: message }] };
}

async function send(request: IncomingMessage, response: ServerResponse, status: number, body: object): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(body));
  const isCompressed = bytes.length >= compressedFrom && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  const sent = isCompressed ? await compress(bytes, { level: 1 }) : bytes;
  if (isCompressed) response.setHeader('content-encoding', 'gzip');
  response.writeHead(status, {
    'content-type': 'application/json',
    vary: 'Accept-Encoding',
    'content-length': sent.length,
  });
  response.end(request.method === 'HEAD' ? undefined : sent);
}
