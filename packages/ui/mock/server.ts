import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type {
  AnyValue,
  ExemplarsResponse,
  FieldsResponse,
  FieldValuesResponse,
  KeyValue,
  LogHistogramResponse,
  LogRecord,
  LogSearchResponse,
  MetricDescription,
  MetricQueryResponse,
  MetricsResponse,
  NodeType,
  OperationsResponse,
  RedFigures,
  RedResponse,
  RedSeries,
  ServiceMapResponse,
  ServicesResponse,
  Severity,
  Span,
  StatusResponse,
  TraceResponse,
  TraceScatterResponse,
  TraceSearchResponse,
  TraceSummary,
} from '@signalbox/api-contract';
import { type FilterComparison, FilterSyntaxError, parseFilter } from '@signalbox/api-contract';
import { printValue } from '../src/data/attribute-value.ts';
import { parseInstant } from '../src/data/time-range.ts';
import { logCount, logTimeMs, makeLog } from './logs.ts';
import { Random } from './random.ts';
import { hostileName, makeBrokenTrace, makeHostileTrace, makeHugeTrace, makeTrace, services, text } from './traces.ts';

// The contract's API over made-up data, and the built page, with the policy that the real server sends. For looking at the page without a store.

export interface MockOptions {
  /** The built page. */
  readonly pageFolder: string;
  readonly port?: number;
  /** As a fresh install answers. */
  readonly empty?: boolean;
  /** Milliseconds before each answer. */
  readonly delayMs?: number;
  /** Routes (the part after /api/signalbox/) that fail. */
  readonly failing?: readonly string[];
}

const contentSecurityPolicy =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'";

export async function startMockServer(
  options: MockOptions,
): Promise<{ server: Server; url: string; requests: string[] }> {
  const data = options.empty ? emptyData() : makeData(Date.now());
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (!url.pathname.startsWith('/api/signalbox/')) {
      servePage(options.pageFolder, url.pathname, response);
      return;
    }
    const route = decodeURI(url.pathname.slice('/api/signalbox/'.length));
    requests.push(`${route}${url.search}`);
    if (options.failing?.some((one) => route === one)) {
      answer(response, 503, {
        error: {
          code: 'timeout',
          message: 'The query ran into its time limit of 30 s.',
          hint: 'Choose a shorter time range or a more selective filter.',
        },
      });
      return;
    }
    setTimeout(() => {
      try {
        handle(data, route, url.searchParams, request, response);
      } catch (error) {
        if (error instanceof FilterSyntaxError) {
          const { message, expected, position } = error;
          answer(response, 400, {
            error: { code: 'bad_request', message, hint: `Expected ${expected}.`, parameter: 'filter', position },
          });
        } else answer(response, 500, { error: { code: 'internal', message: String(error) } });
      }
    }, options.delayMs ?? 0);
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

interface Data {
  nowMs: number;
  traces: TraceResponse[];
  byId: Map<string, TraceResponse>;
  spanRefs: { traceId: string; spanId: string }[];
  empty: boolean;
}

function emptyData(): Data {
  return { nowMs: Date.now(), traces: [], byId: new Map(), spanRefs: [], empty: true };
}

function makeData(nowMs: number): Data {
  const traces = Array.from({ length: 1400 }, (_, index) =>
    makeTrace(index, nowMs - 4000 - index * 3100 - (index % 7) * 311),
  );
  traces.splice(3, 0, makeHostileTrace(nowMs - 15_000));
  traces.splice(6, 0, makeBrokenTrace(nowMs - 24_000));
  traces.splice(9, 0, makeHugeTrace(nowMs - 90_000));
  const spanRefs = traces
    .slice(12, 600)
    .flatMap(({ traceId, spans }) => spans.slice(0, 3).map(({ spanId }) => ({ traceId, spanId })));
  return { nowMs, traces, byId: new Map(traces.map((trace) => [trace.traceId, trace])), spanRefs, empty: false };
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

function servePage(folder: string, pathname: string, response: ServerResponse): void {
  const wanted = join(folder, normalize(pathname));
  const isFile = wanted.startsWith(folder) && existsSync(wanted) && statSync(wanted).isFile();
  const file = isFile ? wanted : join(folder, 'index.html');
  response.writeHead(200, {
    'content-type': types[extname(file)] ?? 'application/octet-stream',
    'content-security-policy': contentSecurityPolicy,
    'cache-control': 'no-store',
  });
  createReadStream(file).pipe(response);
}

function answer(response: ServerResponse, status: number, body: unknown): ServerResponse {
  return response
    .writeHead(status, { 'content-type': 'application/json', 'x-signalbox-query-id': 'mock' })
    .end(JSON.stringify(body));
}

function range(search: URLSearchParams): { startMs: number; endMs: number } {
  const now = Date.now();
  return {
    startMs: parseInstant(search.get('start') ?? 'now-1h', now) ?? 0,
    endMs: parseInstant(search.get('end') ?? 'now', now) ?? now,
  };
}

function handle(
  data: Data,
  route: string,
  search: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): unknown {
  const parts = route.split('/');
  switch (parts[0]) {
    case 'status':
      return answer(response, 200, statusOf(data));
    case 'services':
      if (parts.length === 1) return answer(response, 200, servicesOf(data, search));
      if (parts[2] === 'operations') return answer(response, 200, operationsOf(data, parts[1] ?? '', search));
      return answer(response, 200, redOf(parts[1] ?? '', search.get('operation') ?? '', search));
    case 'service-map':
      return answer(response, 200, data.empty ? { nodes: [], edges: [] } : mapOf(search));
    case 'traces':
      if (parts.length === 1) return answerTraces(data, search, response);
      if (parts[1] === 'scatter') return answerScatter(data, search, response);
      return answerTrace(data, parts[1] ?? '', response);
    case 'logs':
      if (parts.length === 1) return answer(response, 200, logsOf(data, search));
      if (parts[1] === 'histogram') return answer(response, 200, histogramOf(data, search));
      return tail(data, search, request, response);
    case 'fields':
      return answer(response, 200, parts.length === 1 ? fieldsOf(search) : valuesOf(search));
    case 'metrics':
      if (parts.length === 1) return answer(response, 200, metricsOf(data, search));
      if (parts[1] === 'labels')
        return answer(response, 200, { labels: ['service.name', 'route', 'status_class', 'tier'] });
      if (parts[1] === 'label-values') return answer(response, 200, { values: ['a', 'b'] });
      if (parts[1] === 'query') return answer(response, 200, queryOf(search));
      return answer(response, 200, exemplarsOf(data, search));
    default:
      return answer(response, 404, { error: { code: 'not_found', message: `There is no route ${route}.` } });
  }
}

function statusOf(data: Data): StatusResponse {
  const oldest = `${BigInt(data.nowMs - 86_400_000) * 1_000_000n}`;
  return {
    version: '0.1.0-mock',
    uptimeMs: 8_040_000,
    store: {
      kind: 'embedded',
      signals: {
        spans: { rows: 1_204_331, bytes: 61_000_000, oldest },
        logs: { rows: 402_118, bytes: 18_400_000, oldest },
        metrics: { rows: 98_211, bytes: 2_100_000, oldest },
      },
      retention: { spans: '7d', logs: '7d', metrics: '7d' },
      maxBytes: 10_000_000_000,
    },
    endpoints: { otlpHttp: 'http://127.0.0.1:4318', otlpGrpc: '127.0.0.1:4317' },
    received: {
      spans: { accepted: 1_204_331, rejected: 2 },
      logs: { accepted: 402_118, rejected: 0 },
      metrics: { accepted: 98_211, rejected: 0 },
    },
  };
}

// ---- RED

const profiles: Record<string, { rate: number; errors: number; p50: number }> = {
  storefront: { rate: 42, errors: 0.004, p50: 46 },
  chimney: { rate: 118, errors: 0.011, p50: 6.4 },
  checkout: { rate: 3.1, errors: 0.052, p50: 212 },
  inventory: { rate: 12.6, errors: 0, p50: 3.4 },
  payments: { rate: 3.1, errors: 0.047, p50: 141 },
  search: { rate: 24, errors: 0.0002, p50: 33 },
  mailer: { rate: 0.05, errors: 0, p50: 61 },
};

function seriesOf(name: string, startMs: number, endMs: number, steps: number): RedSeries {
  const stepMs = Math.max(1000, Math.round((endMs - startMs) / steps));
  const profile = profiles[name] ?? { rate: 1.4, errors: 0.01, p50: 20 };
  const series: RedSeries = { times: [], stepMs, rate: [], errorRatio: [], p50: [], p95: [], p99: [] };
  for (let time = Math.ceil(startMs / stepMs) * stepMs; time < endMs; time += stepMs) {
    const random = new Random((time / stepMs) ^ (name.length * 7919));
    const wave = 1 + 0.25 * Math.sin(time / 900e3 + name.length);
    const incident =
      name === 'checkout' || name === 'payments'
        ? Math.exp(-(((time - (endMs - (endMs - startMs) * 0.35)) / ((endMs - startMs) * 0.05)) ** 2))
        : 0;
    series.times.push(time);
    series.rate.push(profile.rate * wave * (0.92 + random.next() * 0.16));
    series.errorRatio.push(Math.min(1, profile.errors * random.latency(1, 0.6) + incident * 0.3));
    const p50 = profile.p50 * (0.9 + random.next() * 0.2) * (1 + incident * 3);
    series.p50.push(p50);
    series.p95.push(p50 * random.latency(3.1, 0.12));
    series.p99.push(p50 * random.latency(6.4, 0.2));
  }
  return series;
}

function figures(name: string, seconds: number): RedFigures {
  const profile = profiles[name] ?? { rate: 1.4, errors: 0.01, p50: 20 };
  const count = Math.round(profile.rate * seconds);
  return {
    count,
    errorCount: Math.round(count * profile.errors),
    rate: profile.rate,
    errorRatio: profile.errors,
    durationMs: {
      p50: profile.p50,
      p95: profile.p50 * 3.1,
      p99: profile.p50 * 6.4,
      mean: profile.p50 * 1.3,
      max: profile.p50 * 21,
    },
  };
}

function servicesOf(data: Data, search: URLSearchParams): ServicesResponse {
  if (data.empty) return { services: [] };
  const { startMs, endMs } = range(search);
  const seconds = (endMs - startMs) / 1000;
  return {
    services: [...services]
      .sort()
      .map((name) => ({ name, red: figures(name, seconds), sparkline: seriesOf(name, startMs, endMs, 40) })),
  };
}

const operationNames: Record<string, [string, 'SERVER' | 'CLIENT' | 'INTERNAL' | 'CONSUMER' | 'PRODUCER'][]> = {
  chimney: [
    ['GET /api/github/pulls', 'SERVER'],
    ['GET /api/github/issues', 'SERVER'],
    ['GET /api/github/actions/runs', 'SERVER'],
    ['chimney.github_fetch', 'INTERNAL'],
    ['GET', 'CLIENT'],
    ['SET', 'CLIENT'],
  ],
  storefront: [
    ['GET /search', 'SERVER'],
    ['POST /checkout', 'SERVER'],
    ['session.load', 'INTERNAL'],
    ['render results', 'INTERNAL'],
    ['POST', 'CLIENT'],
  ],
};

function operationsOf(_data: Data, service: string, search: URLSearchParams): OperationsResponse {
  const { startMs, endMs } = range(search);
  const names = operationNames[service] ?? [
    ['POST /orders', 'SERVER'],
    ['reserve stock', 'INTERNAL'],
    ['INSERT shop.orders', 'CLIENT'],
    ['publish order.created', 'PRODUCER'],
  ];
  return {
    operations: names.map(([name, kind], index) => {
      const red = figures(service, (endMs - startMs) / 1000);
      const share = 1 / (index + 1.6);
      return {
        name,
        kind,
        red: {
          ...red,
          count: Math.round(red.count * share),
          rate: red.rate * share,
          errorCount: index === 1 ? 0 : Math.round(red.errorCount * share),
          errorRatio: index === 1 ? 0 : red.errorRatio,
        },
        sparkline: seriesOf(service + name, startMs, endMs, 40),
      };
    }),
  };
}

function redOf(service: string, operation: string, search: URLSearchParams): RedResponse {
  const { startMs, endMs } = range(search);
  const stepMs = Number(search.get('stepMs') ?? 0) || (endMs - startMs) / 120;
  return {
    red: figures(service, (endMs - startMs) / 1000),
    series: seriesOf(operation ? service : service, startMs, endMs, (endMs - startMs) / stepMs),
  };
}

function mapOf(search: URLSearchParams): ServiceMapResponse {
  const { startMs, endMs } = range(search);
  const seconds = (endMs - startMs) / 1000;
  const peers: [NodeType, string][] = [
    ['database', 'postgresql:shop'],
    ['cache', 'redis:dragonfly.internal'],
    ['messaging', 'rabbitmq:order.created'],
    ['external', 'api.github.com'],
    ['external', 'api.stripe.com'],
    ['external', 'api.mailgun.net'],
  ];
  const links: [string, string, string][] = [
    ['service:storefront', 'service:checkout', 'checkout'],
    ['service:storefront', 'service:search', 'search'],
    ['service:checkout', 'service:inventory', 'inventory'],
    ['service:checkout', 'service:payments', 'payments'],
    ['service:checkout', 'database:postgresql:shop', 'checkout'],
    ['service:checkout', 'messaging:rabbitmq:order.created', 'checkout'],
    ['service:inventory', 'database:postgresql:shop', 'inventory'],
    ['service:payments', 'external:api.stripe.com', 'payments'],
    ['messaging:rabbitmq:order.created', 'service:mailer', 'mailer'],
    ['service:mailer', 'external:api.mailgun.net', 'mailer'],
    ['service:chimney', 'cache:redis:dragonfly.internal', 'chimney'],
    ['service:chimney', 'external:api.github.com', 'chimney'],
    ['service:storefront', 'service:chimney', 'chimney'],
  ];
  return {
    nodes: [
      ...services.map((name) => ({
        id: `service:${name}`,
        name,
        type: 'service' as const,
        red: figures(name, seconds),
      })),
      ...peers.map(([type, name]) => ({ id: `${type}:${name}`, name, type, red: null })),
    ],
    edges: links.map(([source, target, as]) => ({ source, target, red: figures(as, seconds) })),
  };
}

// ---- traces

function summaryOf({ traceId, spans, startTimeUnixNano, durationNano }: TraceResponse, matched: Span[]): TraceSummary {
  const root = spans.find(({ parentSpanId }) => parentSpanId === '');
  const first = root ?? spans[0];
  const counts = new Map<string, number>();
  for (const { service } of spans) counts.set(service, (counts.get(service) ?? 0) + 1);
  const one = matched[0];
  return {
    traceId,
    rootService: first?.service ?? '',
    rootName: first?.name ?? '',
    rootMissing: !root,
    startTimeUnixNano,
    durationNano,
    spanCount: spans.length,
    errorCount: spans.filter(({ status }) => status.code === 'ERROR').length,
    services: [...counts].map(([name, spanCount]) => ({ name, spanCount })).sort((a, b) => b.spanCount - a.spanCount),
    matchedSpans: matched.length,
    matched: {
      spanId: one?.spanId ?? '',
      name: one?.name ?? '',
      service: one?.service ?? '',
      durationNano: one?.durationNano ?? 0,
      status: one?.status.code ?? 'UNSET',
    },
  };
}

function milliseconds(duration: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)$/.exec(duration.trim());
  if (!match) return null;
  return (
    Number(match[1]) * ({ ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 60e3, h: 3600e3 }[match[2] ?? 'ms'] ?? 1)
  );
}

class BadRequest extends Error {}

function findTraces(data: Data, search: URLSearchParams): TraceSummary[] {
  const { startMs, endMs } = range(search);
  const filters = search.getAll('filter').map((one) => {
    return parseFilter(one);
  });
  const min = milliseconds(search.get('minDuration') ?? '0ms');
  const max = search.get('maxDuration') ? milliseconds(search.get('maxDuration') ?? '') : Number.POSITIVE_INFINITY;
  if (min === null || max === null) throw new BadRequest('A duration is a number and a unit, such as 250ms.');
  const found: TraceSummary[] = [];
  for (const trace of data.traces) {
    const startTime = Number(trace.startTimeUnixNano.slice(0, -6));
    if (startTime < startMs || startTime >= endMs) continue;
    const matched = trace.spans.filter((span) => {
      if (search.get('service') && span.service !== search.get('service')) return false;
      if (search.get('operation') && span.name !== search.get('operation')) return false;
      if (search.get('status') && span.status.code !== search.get('status')) return false;
      if (search.get('kind') && span.kind !== search.get('kind')) return false;
      if (search.get('rootOnly') && span.parentSpanId !== '') return false;
      const duration = span.durationNano / 1e6;
      if (duration < min || duration > max) return false;
      return filters.every((filter) =>
        holds(filter, span.attributes, trace.resources[span.resource]?.attributes ?? []),
      );
    });
    if (matched.length) found.push(summaryOf(trace, matched));
  }
  return found;
}

function holds(filter: FilterComparison, own: readonly KeyValue[], resource: readonly KeyValue[]): boolean {
  const { scope, key, operator, value } = filter;
  const found =
    (scope === 'resource' ? undefined : own.find((one) => one.key === key)) ?? resource.find((one) => one.key === key);
  if (operator === 'exists') return found !== undefined;
  if (operator === '!exists') return found === undefined;
  if (!found || !value) return false;
  return compare(found.value, operator, value.type === 'number' ? value.text : String(value.value));
}

function compare(value: AnyValue, operator: string, wanted: string): boolean {
  const actual = printValue(value);
  switch (operator) {
    case '=':
      return actual === wanted;
    case '!=':
      return actual !== wanted;
    case '=~':
      return new RegExp(`^(?:${wanted})$`).test(actual);
    case '!~':
      return !new RegExp(`^(?:${wanted})$`).test(actual);
    case '<':
      return Number(actual) < Number(wanted);
    case '<=':
      return Number(actual) <= Number(wanted);
    case '>':
      return Number(actual) > Number(wanted);
    default:
      return Number(actual) >= Number(wanted);
  }
}

function answerTraces(data: Data, search: URLSearchParams, response: ServerResponse): unknown {
  try {
    const found = findTraces(data, search);
    const body: TraceSearchResponse = {
      traces: found.slice(0, Number(search.get('limit') ?? 50)),
      total: found.length,
      totalIsLowerBound: false,
    };
    return answer(response, 200, body);
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error;
    return answer(response, 400, { error: { code: 'bad_request', message: error.message, parameter: 'filter' } });
  }
}

function answerScatter(data: Data, search: URLSearchParams, response: ServerResponse): unknown {
  try {
    const found = findTraces(data, search);
    const body: TraceScatterResponse = {
      points: found.slice(0, 2000).map((one) => ({
        traceId: one.traceId,
        timeMs: Number(one.startTimeUnixNano.slice(0, -6)),
        durationMs: one.durationNano / 1e6,
        error: one.errorCount > 0,
        name: one.rootName,
        service: one.rootService,
      })),
      total: found.length,
    };
    return answer(response, 200, body);
  } catch {
    return answer(response, 400, {
      error: { code: 'bad_request', message: 'That is no filter.', parameter: 'filter' },
    });
  }
}

function answerTrace(data: Data, traceId: string, response: ServerResponse): unknown {
  const trace = data.byId.get(traceId.toLowerCase());
  if (!trace) return answer(response, 404, { error: { code: 'not_found', message: 'There is no such trace.' } });
  const found = data.spanRefs.some((one) => one.traceId === trace.traceId);
  answer(response, 200, { ...trace, logCount: found ? 12 : 0 });
}

// ---- logs

function matchesLog(log: LogRecord, search: URLSearchParams): boolean {
  const wanted = search.getAll('severity');
  if (wanted.length && !wanted.includes(log.severity)) return false;
  if (search.get('service') && log.service !== search.get('service')) return false;
  if (search.get('traceId') && log.traceId !== search.get('traceId')) return false;
  if (search.get('spanId') && log.spanId !== search.get('spanId')) return false;
  const body = printValue(log.body).toLowerCase();
  for (const word of (search.get('q') ?? '').toLowerCase().match(/-?"[^"]*"|\S+/g) ?? []) {
    const negative = word.startsWith('-') && word.length > 1;
    if (body.includes(word.replace(/^-/, '').replace(/"/g, '')) === negative) return false;
  }
  const filters = search.getAll('filter').map((one) => parseFilter(one));
  return filters.every((one) => holds(one, log.attributes, log.resourceAttributes));
}

function traceLogs(data: Data, search: URLSearchParams): LogRecord[] {
  const trace = data.byId.get(search.get('traceId') ?? '');
  if (!trace || !data.spanRefs.some(({ traceId }) => traceId === trace.traceId)) return [];
  const spans = search.get('spanId')
    ? trace.spans.filter(({ spanId }) => spanId === search.get('spanId'))
    : trace.spans.slice(0, 12);
  return spans
    .map((span, index) => ({
      ...makeLog(index + (trace.spans.length % 50), Number(span.endTimeUnixNano.slice(0, -6)), []),
      traceId: trace.traceId,
      spanId: span.spanId,
      service: span.service,
      ...(index === 0 ? { body: text('request') } : {}),
    }))
    .reverse();
}

function* logsIn(data: Data, search: URLSearchParams, from = 0): Generator<[number, LogRecord]> {
  if (data.empty) return;
  if (search.get('traceId')) {
    for (const [index, log] of traceLogs(data, search).entries()) if (index >= from) yield [index, log];
    return;
  }
  const { startMs, endMs } = range(search);
  for (let index = from; index < logCount; index++) {
    const time = logTimeMs(index, data.nowMs);
    if (time >= endMs) continue;
    if (time < startMs) return;
    const log = makeLog(index, time, data.spanRefs);
    if (index === 2) log.body = text(`${hostileName} and a line\nbreak`);
    if (matchesLog(log, search)) yield [index, log];
  }
}

const totals = new Map<string, number>();

function logsOf(data: Data, search: URLSearchParams): LogSearchResponse {
  const limit = Number(search.get('limit') ?? 200);
  const logs: LogRecord[] = [];
  let next: string | null = null;
  for (const [index, log] of logsIn(data, search, Number(search.get('cursor') ?? 0))) {
    if (logs.length === limit) {
      next = String(index);
      break;
    }
    logs.push(log);
  }
  const key = new URLSearchParams(search);
  key.delete('cursor');
  let total = totals.get(String(key)) ?? 0;
  if (!totals.has(String(key))) {
    for (const _ of logsIn(data, search)) total++;
    totals.set(String(key), total);
  }
  return { logs, total, nextCursor: next };
}

function histogramOf(data: Data, search: URLSearchParams): LogHistogramResponse {
  const { startMs, endMs } = range(search);
  const stepMs = Number(search.get('stepMs') ?? 0) || Math.ceil((endMs - startMs) / 60);
  const first = Math.floor(startMs / stepMs) * stepMs;
  const times: number[] = [];
  for (let time = first; time < endMs; time += stepMs) times.push(time);
  const counts: Partial<Record<Severity, number[]>> = {};
  let total = 0;
  for (const [, log] of logsIn(data, search)) {
    const index = Math.floor((Number(log.timeUnixNano.slice(0, -6)) - first) / stepMs);
    counts[log.severity] ??= times.map(() => 0);
    const list = counts[log.severity];
    if (list && index >= 0 && index < list.length) list[index] = (list[index] ?? 0) + 1;
    total++;
  }
  return { times, stepMs, counts, total };
}

function tail(data: Data, search: URLSearchParams, request: IncomingMessage, response: ServerResponse): unknown {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(': hello\n\n');
  let index = 500_000;
  const timer = setInterval(() => {
    const log = { ...makeLog(index, Date.now(), data.spanRefs), id: `tail-${index}` };
    index++;
    if (matchesLog(log, search)) response.write(`event: log\ndata: ${JSON.stringify(log)}\n\n`);
  }, 120);
  return request.on('close', () => clearInterval(timer));
}

function fieldsOf(search: URLSearchParams): FieldsResponse {
  const spans = search.get('signal') === 'spans';
  const all: FieldsResponse['fields'] = [
    { key: 'http.response.status_code', scope: spans ? 'span' : 'log', types: ['int'], count: 41_000 },
    { key: 'http.route', scope: spans ? 'span' : 'log', types: ['string'], count: 39_000 },
    { key: 'http.request.method', scope: spans ? 'span' : 'log', types: ['string'], count: 39_000 },
    { key: 'chimney.cache_hit', scope: spans ? 'span' : 'log', types: ['bool'], count: 20_400 },
    { key: 'chimney.cache_tier', scope: spans ? 'span' : 'log', types: ['string'], count: 20_400 },
    { key: 'db.system.name', scope: spans ? 'span' : 'log', types: ['string'], count: 17_000 },
    { key: 'server.address', scope: spans ? 'span' : 'log', types: ['string'], count: 12_200 },
    { key: 'user.id', scope: spans ? 'span' : 'log', types: ['string'], count: 3100 },
    { key: 'deployment.slot', scope: 'resource', types: ['string'], count: 60_000 },
    { key: 'service.version', scope: 'resource', types: ['string'], count: 60_000 },
    { key: 'exception.type', scope: 'event', types: ['string'], count: 310 },
  ];
  const prefix = (search.get('prefix') ?? '').toLowerCase();
  return { fields: all.filter(({ key }) => key.includes(prefix)) };
}

function valuesOf(search: URLSearchParams): FieldValuesResponse {
  const values: Record<string, string[]> = {
    'http.response.status_code': ['200', '201', '304', '404', '500', '502'],
    'http.route': ['/api/github/pulls', '/api/github/issues', '/checkout', '/search'],
    'http.request.method': ['GET', 'POST'],
    'chimney.cache_hit': ['true', 'false'],
    'chimney.cache_tier': ['dragonfly', 'memory', 'none'],
    'db.system.name': ['postgresql', 'redis'],
    'deployment.slot': ['blue', 'green'],
    name: ['POST /checkout', 'GET /search', 'POST /orders', 'GET /api/github/pulls'],
  };
  const key = (search.get('key') ?? '').replace(/^(resource|span|log|event)\./, '');
  const prefix = search.get('prefix') ?? '';
  return {
    values: (values[key] ?? [])
      .filter((value) => value.startsWith(prefix))
      .map((value, index) => ({ value, count: 4000 >> index })),
  };
}

// ---- metrics

const metricList: MetricDescription[] = [
  ['chimney.requests', 'sum', '{request}', 'Requests per route', 'chimney'],
  ['chimney.request.duration', 'histogram', 'ms', 'Latency of requests', 'chimney'],
  ['chimney.cache.hits', 'sum', '{hit}', 'Cache hits by tier', 'chimney'],
  ['chimney.cache.misses', 'sum', '{miss}', 'Cache misses: the upstream was asked', 'chimney'],
  ['chimney.cache.entries', 'gauge', '{entry}', 'Entries in the memory tier', 'chimney'],
  ['chimney.github.rate_limit.remaining', 'gauge', '{request}', 'Last observed X-RateLimit-Remaining', 'chimney'],
  ['chimney.dragonfly.connected', 'gauge', '1', '1 when connected', 'chimney'],
  ['http.server.request.duration', 'histogram', 's', 'Duration of HTTP server requests', 'storefront'],
  ['http.client.request.duration', 'histogram', 's', 'Duration of HTTP client requests', 'checkout'],
  ['process.memory.usage', 'sum', 'By', 'The amount of physical memory in use', 'storefront'],
  ['nodejs.eventloop.delay.p99', 'gauge', 's', 'Event loop 99 percentile delay', 'storefront'],
  ['nodejs.eventloop.utilization', 'gauge', '1', 'Event loop utilization', 'storefront'],
  ['v8js.memory.heap.used', 'sum', 'By', 'Heap memory used', 'storefront'],
  ['v8js.gc.duration', 'histogram', 's', 'Garbage collection duration', 'storefront'],
  ['rpc.server.duration', 'exponential_histogram', 'ms', 'Duration of inbound RPCs', 'inventory'],
  ['queue.batch.size', 'summary', '{message}', 'Messages per batch', 'mailer'],
].map(([name, type, unit, description, service]) => ({
  name: name as string,
  type: type as MetricDescription['type'],
  unit: unit as string,
  description: description as string,
  temporality: type === 'gauge' || type === 'summary' ? null : 'cumulative',
  monotonic: type === 'sum' && unit !== 'By',
  services: type === 'histogram' && unit === 's' ? [...services] : [service as string],
}));

function metricsOf(data: Data, search: URLSearchParams): MetricsResponse {
  const wanted = (search.get('search') ?? '').toLowerCase();
  return { metrics: data.empty ? [] : metricList.filter(({ name }) => name.toLowerCase().includes(wanted)) };
}

function queryOf(search: URLSearchParams): MetricQueryResponse {
  const { startMs, endMs } = range(search);
  const name = search.get('name') ?? '';
  const metric = metricList.find((one) => one.name === name) ?? metricList[0];
  const histogram = metric?.type === 'histogram' || metric?.type === 'exponential_histogram';
  const fn = (search.get('function') ??
    (histogram
      ? 'p95'
      : metric?.type === 'summary'
        ? 'mean'
        : metric?.monotonic
          ? 'rate'
          : 'value')) as MetricQueryResponse['function'];
  const stepMs = Number(search.get('stepMs') ?? 0) || Math.max(1000, Math.round((endMs - startMs) / 150));
  const times: number[] = [];
  for (let time = Math.ceil(startMs / stepMs) * stepMs; time < endMs; time += stepMs) times.push(time);
  const groups = search.getAll('groupBy');
  const values: Record<string, string[]> = {
    route: [
      '/api/github/pulls',
      '/api/github/issues',
      '/api/github/actions/runs',
      '/api/github/releases',
      '/api/cache',
    ],
    'service.name': metric?.services ?? [],
    status_class: ['2xx', '3xx', '4xx', '5xx'],
    tier: ['dragonfly', 'memory'],
  };
  let labels: Record<string, string>[] = [{}];
  for (const key of groups)
    labels = labels.flatMap((before) => (values[key] ?? ['']).map((value) => ({ ...before, [key]: value })));
  const scale =
    fn === 'rate'
      ? 40
      : metric?.unit === 'By'
        ? 210e6
        : metric?.unit === 's'
          ? 0.12
          : metric?.unit === 'ms'
            ? 90
            : metric?.unit === '1'
              ? 0.4
              : 4200;
  return {
    times,
    stepMs,
    unit: metric?.unit ?? '',
    type: metric?.type ?? 'gauge',
    function: fn,
    aggregation: (search.get('aggregation') ?? 'sum') as MetricQueryResponse['aggregation'],
    series: labels.slice(0, 50).map((label, index) => ({
      labels: label,
      values: times.map((time) => {
        const random = new Random((time / stepMs) ^ (index * 104_729) ^ (name.length * 31));
        if (index === 2 && time > endMs - (endMs - startMs) * 0.4 && time < endMs - (endMs - startMs) * 0.3)
          return null;
        return (
          (scale / (1 + index * 0.6)) *
          (1 + 0.3 * Math.sin(time / 700e3 + index * 1.3)) *
          (0.9 + random.next() * 0.2) *
          (fn === 'p99' ? 1.7 : 1)
        );
      }),
    })),
    total: labels.length,
  };
}

function exemplarsOf(data: Data, search: URLSearchParams): ExemplarsResponse {
  const metric = metricList.find(({ name }) => name === search.get('name'));
  if (data.empty || !metric || (metric.type !== 'histogram' && metric.type !== 'exponential_histogram'))
    return { exemplars: [] };
  const { startMs, endMs } = range(search);
  const divide = metric.unit === 's' ? 1e9 : 1e6;
  return {
    exemplars: data.traces
      .filter((trace) => {
        const time = Number(trace.startTimeUnixNano.slice(0, -6));
        return time >= startMs && time < endMs && trace.spans.length < 1000;
      })
      .filter((_, index) => index % 9 === 0)
      .slice(0, Number(search.get('limit') ?? 100))
      .map((trace) => ({
        timeUnixNano: trace.startTimeUnixNano,
        value: trace.durationNano / divide,
        traceId: trace.traceId,
        spanId: trace.spans[0]?.spanId ?? '',
        labels: { route: '/api/github/pulls', 'service.name': 'chimney' },
        filteredAttributes: [],
      })),
  };
}
