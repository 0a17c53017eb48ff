import type { IncomingMessage, ServerResponse } from 'node:http';
import { HostCheck } from '../../page/host-check.ts';
import type { EngineOptions } from '../../query/promql/engine.ts';
import type { SeriesCatalog } from '../../query/promql-store/series-catalog.ts';
import { NO_RULES, type RuleStates } from '../../query/rule-states.ts';
import { NO_TARGETS, type ScrapeTargets } from '../../query/scrape-targets.ts';
import type { Connection } from '../../store/connection.ts';
import { checkOrigin, isAllowed } from '../check-origin.ts';
import type { QueryRegistry } from '../query-registry.ts';
import { readBody, readForm } from '../read-form.ts';
import { Router } from '../router.ts';
import { PrometheusError, toPrometheusAnswer } from './prometheus-error.ts';
import { PrometheusParameters } from './prometheus-parameters.ts';
import type { PrometheusRoute } from './prometheus-route.ts';
import { featureRoutes } from './routes/features.ts';
import { federateRoute } from './routes/federate.ts';
import { labelRoutes } from './routes/labels.ts';
import { metadataRoutes } from './routes/metadata.ts';
import { openApiRoute } from './routes/openapi.ts';
import { promqlRoutes } from './routes/queries.ts';
import { remoteReadRoutes } from './routes/remote-read.ts';
import { ruleRoutes } from './routes/rules.ts';
import { type PrometheusStatus, statusRoutes } from './routes/status.ts';
import { targetRoutes } from './routes/targets.ts';
import { sendAnswer, sendJson } from './send-answer.ts';

export interface PrometheusApiOptions {
  /** The store's: `store.connection`. */
  readonly connection: Connection;
  /** Shared with the page's API, whose list shows these requests, and can cancel them. */
  readonly registry: QueryRegistry;
  readonly catalog: SeriesCatalog;
  /** `maxSamples` bounds what one selector reads, and what a query holds. */
  readonly engine: EngineOptions & { readonly maxSamples: number };
  /** Milliseconds that one request may take. */
  readonly maxExecutionMs: number;
  readonly status: PrometheusStatus;
  readonly rules?: RuleStates;
  readonly targets?: ScrapeTargets;
  /** Host names besides addresses and localhost under which it may be asked; see `HostCheck`. */
  readonly allowedHosts: readonly string[];
  /** Origins of other sites whose pages may ask; `*`: any. */
  readonly corsOrigins: readonly string[];
  /** Told of errors that are bugs (`internal`), which the client is told nothing of. */
  readonly onError: (error: unknown) => void;
}

const roots = ['/api/v1/', '/prometheus/api/v1/'];
const besideRoot = /^(?:\/prometheus)?\/(federate)$/;
const probe = /^(?:\/prometheus)?\/-\/(ready|healthy)$/;

/**
 * Prometheus's HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/), also below `/prometheus`, and its probes.
 * A client that closes its connection cancels its query.
 *
 * @returns a handler that answers and resolves to true, or gives false at once for what is not Prometheus's; it never rejects
 */
export function createPrometheusApi(
  options: PrometheusApiOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<boolean> {
  const hosts = new HostCheck(options.allowedHosts);
  const { catalog } = options;
  const { parser = {} } = options.engine;
  const routes: PrometheusRoute[] = [
    ...promqlRoutes({ catalog, engine: options.engine }),
    ...remoteReadRoutes({ catalog, engine: options.engine }),
    ...labelRoutes(catalog, parser),
    ...metadataRoutes(catalog, parser),
    ...ruleRoutes(options.rules ?? NO_RULES, parser),
    ...targetRoutes(options.targets ?? NO_TARGETS, catalog, parser),
    ...statusRoutes(options.status, catalog),
    ...featureRoutes(options.engine),
  ];
  routes.push(openApiRoute(routes, { version: options.status.version, roots: roots.map((root) => root.slice(0, -1)) }));
  const router = new Router(routes);
  const beside = new Router<PrometheusRoute>([federateRoute({ catalog, engine: options.engine })]);

  return async (request, response) => {
    const [path = '', search = ''] = (request.url ?? '').split(/\?(.*)/s, 2);
    const ready = probe.exec(path);
    if (ready !== null && request.method !== 'GET' && request.method !== 'HEAD') {
      refuseMethod(response, request.method ?? '', ['GET', 'HEAD', 'OPTIONS']);
      return true;
    }
    if (ready !== null) {
      const text = ready[1] === 'ready' ? 'Signalbox is Ready.\n' : 'Signalbox is Healthy.\n';
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
      return true;
    }
    const [, besidePath] = besideRoot.exec(path) ?? [];
    const root = roots.find((candidate) => path.startsWith(candidate));
    if (root === undefined && besidePath === undefined) return false;
    const { method = '' } = request;
    const match =
      root === undefined ? beside.find(method, besidePath ?? '') : router.find(method, path.slice(root.length));
    // Others, receivers say, have paths below the same root.
    if (match === null) return false;
    setHeaders(request, response, options.corsOrigins);
    const nowMs = Date.now();
    const query = options.registry.start(path, nowMs);
    const { signal } = query.controller;
    const onClose = (): void => {
      if (!response.writableFinished) query.controller.abort();
    };
    response.on('close', onClose);
    response.on('error', onClose);
    response.setHeader('x-signalbox-query-id', query.id);
    try {
      checkOrigin(request, hosts, options.corsOrigins);
      if (!('route' in match)) {
        refuseMethod(response, method, [...match, 'OPTIONS']);
        return true;
      }
      const { about, isStrict = false } = match.route;
      const formBody = about.body !== undefined ? 'none' : isStrict ? 'pairs' : 'pairs or parts';
      const form = await readForm(request, search, formBody);
      if (isStrict && form.mistake !== undefined) {
        throw new PrometheusError('bad_data', `error parsing form values: ${form.mistake}`);
      }
      const parameters = new PrometheusParameters(form.parameters, about.parameters);
      const context = {
        connection: options.connection,
        signal,
        deadlineMs: nowMs + options.maxExecutionMs,
        nowMs,
      };
      const body = (maxBytes: number): Promise<Buffer> =>
        readBody(request, maxBytes, `the body is longer than ${maxBytes} bytes`);
      const asked = { path: match.path, parameters, context, headers: request.headers, body };
      const answer = await match.route.run(asked);
      await sendAnswer(request, response, answer, { signal, patienceMs: options.maxExecutionMs });
    } catch (error) {
      const { status, body, retryAfterSeconds } = toPrometheusAnswer(error);
      // What a client's leaving breaks is no bug.
      if (body.errorType === 'internal' && !signal.aborted) options.onError(error);
      if (response.headersSent) response.destroy();
      else {
        if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
        if (root === undefined) {
          response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${body.error}\n`);
        } else sendJson(response, status, body);
      }
    } finally {
      query.finish();
    }
    return true;
  };
}

/** As Prometheus does: HEAD is no GET to it. */
function refuseMethod(response: ServerResponse, method: string, allowed: readonly string[]): void {
  response.setHeader('allow', allowed.toSorted().join(', '));
  if (method === 'OPTIONS') response.writeHead(204).end();
  else response.writeHead(405, { 'content-type': 'text/plain; charset=utf-8' }).end('Method Not Allowed\n');
}

/** Pages of other sites may read answers only where that was allowed; Prometheus itself allows it to all. */
function setHeaders(request: IncomingMessage, response: ServerResponse, corsOrigins: readonly string[]): void {
  response.setHeader('cache-control', 'no-store');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('vary', 'Origin, Accept-Encoding');
  const { origin } = request.headers;
  if (origin === undefined || !isAllowed(origin, corsOrigins)) return;
  response.setHeader('access-control-allow-origin', corsOrigins.includes('*') ? '*' : origin);
  response.setHeader('access-control-allow-headers', 'Accept, Authorization, Content-Type, Origin');
  response.setHeader('access-control-allow-methods', 'GET, POST, OPTIONS');
  response.setHeader('access-control-expose-headers', 'Date');
}
