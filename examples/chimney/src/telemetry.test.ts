// Every name, kind, attribute, unit, boundary and status that chimney promises, seen by a receiver that shares no code with the SDK.
import { type StandIn, startStandIn } from '@signalbox/example-github-stand-in';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChimneyProcess, type LogLine } from './testing/chimney-process.ts';
import { OtlpSink, type SinkLog, type SinkSpan } from './testing/otlp-sink.ts';

const repository = 'atvirokodosprendimai/wgmesh';
const serverKind = 2;
const statusError = 2;

let github: StandIn;
let sink: OtlpSink;
let chimney: ChimneyProcess;

beforeAll(async () => {
  github = await startStandIn({ repository });
  sink = await OtlpSink.listen();
  chimney = await ChimneyProcess.start({
    CHIMNEY_REPOSITORY: repository,
    CHIMNEY_DEBUG_ROUTES: '1',
    CHIMNEY_CACHE_TTL_SECONDS: '3600',
    GITHUB_API_URL: github.url,
    GITHUB_TOKEN: 'a-secret-token',
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.slot=blue',
    OTEL_METRIC_EXPORT_INTERVAL: '200',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_BLRP_SCHEDULE_DELAY: '50',
  });
});

afterAll(async () => {
  await chimney?.stop();
  await github?.close();
  await sink?.close();
});

/** One request and all that is told of it. */
async function ask(path: string, init: RequestInit = {}) {
  const response = await fetch(`${chimney.url}${path}`, init);
  const body = await response.text();
  const traceId = response.headers.get('x-trace-id') ?? '';
  const ours = <Record extends { traceId?: string }>(records: Record[]) =>
    records.filter((record) => record.traceId === traceId);
  const server: SinkSpan = await sink.eventually(`the span of ${path}`, () =>
    ours(sink.spans).find((span) => span.kind === serverKind),
  );
  const log: SinkLog = await sink.eventually(`the log record of ${path}`, () =>
    ours(sink.logs).find((record) => record.body === 'request'),
  );
  const line = chimney.lines.find((entry) => entry.msg === 'request' && entry.trace_id === traceId);
  const child = ours(sink.spans).find((span) => span.name === 'chimney.github_fetch');
  return { response, body, traceId, server, log, line: line as LogLine, child, logs: () => ours(sink.logs) };
}

async function points(name: string, kind: 'sum' | 'histogram' | 'gauge', wanted: Record<string, unknown>) {
  return await sink.eventually(`a point of ${name} with ${JSON.stringify(wanted)}`, () =>
    sink.metric(name)?.[kind]?.points.find((point) => sameAttributes(point.attributes, wanted)),
  );
}

function sameAttributes(attributes: Map<string, unknown>, wanted: Record<string, unknown>): boolean {
  const entries = Object.entries(wanted);
  return attributes.size === entries.length && entries.every(([key, value]) => attributes.get(key) === value);
}

describe('a request', () => {
  test('has a server span with the stable HTTP names and the old ones', async () => {
    const { server, response, body } = await ask('/api/github/issues?state=all');
    const size = Buffer.byteLength(body);
    expect(response.status).toBe(200);
    expect(server.name).toBe('GET /api/github/issues');
    expect(Object.fromEntries(server.attributes)).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/api/github/issues',
      'http.response.status_code': 200,
      'url.path': '/api/github/issues',
      'http.method': 'GET',
      'http.status_code': 200,
      'http.response_content_length': size,
      'http.response.body.size': size,
    });
    expect(server.status?.code ?? 0).toBe(0);
    expect(server.service).toBe('chimney');
  });

  test('names its trace in X-Trace-ID, whatever the answer', async () => {
    for (const path of ['/healthz', '/nowhere', '/api/github/%2e%2e/x', '/api/debug/panic']) {
      const { response, server } = await ask(path);
      expect(response.headers.get('x-trace-id')).toMatch(/^[0-9a-f]{32}$/);
      expect(response.headers.get('x-trace-id')).toBe(server.traceId);
    }
  });

  test('continues the trace of its client', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const { server, response } = await ask('/healthz', {
      headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    });
    expect(response.headers.get('x-trace-id')).toBe(traceId);
    expect(server.parentSpanId).toBe('00f067aa0ba902b7');
  });

  test('leaves the request line of the document, on standard output and over OTLP', async () => {
    await ask('/api/github/pulls');
    const { line, log, server, traceId, body } = await ask('/api/github/pulls');
    expect(line).toMatchObject({
      level: 'INFO',
      msg: 'request',
      method: 'GET',
      route: '/api/github/pulls',
      status: 200,
      latency_ms: expect.any(Number),
      cache_hit: true,
      cache_tier: 'memory',
      bytes: Buffer.byteLength(body),
      trace_id: traceId,
      span_id: server.spanId,
    });
    expect(Number.isInteger(line.latency_ms)).toBe(true);
    expect(log).toMatchObject({ severityNumber: 9, severityText: 'INFO', body: 'request', spanId: server.spanId });
    expect(Object.fromEntries(log.attributes)).toMatchObject({
      method: 'GET',
      route: '/api/github/pulls',
      status: 200,
      cache_hit: true,
      cache_tier: 'memory',
      bytes: Buffer.byteLength(body),
    });
  });
});

describe('the way to GitHub', () => {
  test('a miss: attributes of the server span, and the fetch as its child', async () => {
    const { server, child, line } = await ask('/api/github/releases');
    expect(Object.fromEntries(server.attributes)).toMatchObject({
      'chimney.cache_hit': false,
      'chimney.cache_tier': 'none',
      'chimney.github_path': `/repos/${repository}/releases`,
    });
    expect(line).toMatchObject({ cache_hit: false, cache_tier: 'none' });
    expect(child?.parentSpanId).toBe(server.spanId);
    expect(Object.fromEntries(child?.attributes ?? [])).toEqual({
      'github.api.path': `/repos/${repository}/releases`,
      'github.api.status_code': 200,
      'github.conditional': false,
      'github.not_modified': false,
    });
    // The HTTP request itself is a span of the SDK's, below ours.
    const http = await sink.eventually('the client span', () =>
      sink.spans.find((span) => span.parentSpanId === child?.spanId),
    );
    expect(http).toMatchObject({ kind: 3, traceId: server.traceId });
    expect(github.requests.findLast(({ path }) => path.endsWith('/releases'))?.headers.traceparent).toBe(
      `00-${server.traceId}-${http.spanId}-01`,
    );
  });

  test('a hit: no fetch', async () => {
    await ask('/api/github/branches');
    const { server, child } = await ask('/api/github/branches');
    expect(Object.fromEntries(server.attributes)).toMatchObject({
      'chimney.cache_hit': true,
      'chimney.cache_tier': 'memory',
      'chimney.github_path': `/repos/${repository}/branches`,
    });
    expect(child).toBeUndefined();
  });

  test('an error of GitHub: recorded on the child, Error on both', async () => {
    github.behave({ errorRate: 1 });
    const { response, server, child, logs } = await ask('/api/github/contributors');
    github.behave({ errorRate: 0 });
    expect(logs().find(({ severityText }) => severityText === 'WARN')).toMatchObject({ body: 'no answer from GitHub' });
    expect(response.status).toBe(502);
    expect(child?.status).toMatchObject({
      code: statusError,
      message: expect.stringMatching(/^GitHub answered 50[023]$/),
    });
    expect(child?.attributes.get('github.api.status_code')).toBeGreaterThanOrEqual(500);
    const [event] = child?.events ?? [];
    expect(event?.name).toBe('exception');
    expect(event?.attributes.get('exception.type')).toBe('GithubError');
    expect(event?.attributes.get('exception.message')).toBe(child?.status?.message);
    expect(server.status).toMatchObject({ code: statusError, message: child?.status?.message });
  });

  test('no answer at all: recorded too, without a status code', async () => {
    github.behave({ resetRate: 1 });
    const { response, child } = await ask('/api/github/tags');
    github.behave({ resetRate: 0 });
    expect(response.status).toBe(502);
    expect(child?.status?.code).toBe(statusError);
    expect(child?.events?.[0]?.name).toBe('exception');
    expect(child?.attributes.has('github.api.status_code')).toBe(false);
  });

  test('many who ask at once: one fetch, and the others say that they waited for it', async () => {
    github.behave({ latencyMs: 300 });
    const asked = await Promise.all(Array.from({ length: 3 }, () => ask('/api/github/actions/workflows')));
    github.behave({ latencyMs: 0 });
    expect(asked.filter(({ child }) => child !== undefined)).toHaveLength(1);
    for (const { child, server } of asked) {
      expect(server.attributes.get('chimney.coalesced')).toBe(child ? undefined : true);
      expect(server.attributes.get('chimney.cache_hit')).toBe(false);
    }
  });

  test('a 404 of GitHub is no error', async () => {
    const { response, server, child } = await ask('/api/github/pulls/999999');
    expect(response.status).toBe(404);
    expect(server.attributes.get('http.route')).toBe('/api/github/pulls/{number}');
    expect(server.status?.code ?? 0).toBe(0);
    expect(child?.status?.code ?? 0).toBe(0);
  });

  test('the token is nowhere to be seen', () => {
    expect(github.requests.at(-1)?.headers.authorization).toBe('Bearer a-secret-token');
    expect(chimney.output).not.toContain('a-secret-token');
    const told = JSON.stringify([sink.spans, sink.logs], (_, value: unknown) =>
      value instanceof Map ? [...value] : typeof value === 'bigint' ? String(value) : value,
    );
    expect(told).not.toContain('a-secret-token');
  });
});

describe('a panic', () => {
  test('takes its five steps', async () => {
    const before = sink.metric('chimney.panics')?.sum?.points[0]?.asInt ?? 0;
    const { response, server, logs, traceId } = await ask('/api/debug/panic');
    // 1. the exception on the span
    const exception = server.events?.find((event) => event.name === 'exception');
    expect(exception?.attributes.get('exception.message')).toBe('a panic that was asked for');
    // 2. its status
    expect(server.status).toEqual({ code: statusError, message: 'panic' });
    expect(server.attributes.get('http.status_code')).toBe(500);
    // 3. an ERROR record with the stack
    const record = logs().find((log) => log.severityText === 'ERROR');
    expect(record).toMatchObject({ severityNumber: 17, spanId: server.spanId });
    expect(record?.attributes.get('stack')).toContain('Error: a panic that was asked for\n    at ');
    const line = chimney.lines.find((entry) => entry.level === 'ERROR' && entry.trace_id === traceId);
    expect(Buffer.byteLength(String(line?.stack))).toBeLessThanOrEqual(4096);
    // 4. the counter
    await sink.eventually(
      'the panic in the counter',
      () => (sink.metric('chimney.panics')?.sum?.points[0]?.asInt ?? 0) > before,
    );
    // 5. the answer, which the request's metric and log record show too
    expect(response.status).toBe(500);
    expect(
      logs()
        .find((log) => log.body === 'request')
        ?.attributes.get('status'),
    ).toBe(500);
    await points('chimney.requests', 'sum', { route: '/api/debug/panic', status_class: '5xx' });
  });
});

describe('what changes chimney', () => {
  test('an invalidation leaves a log record and a span attribute', async () => {
    await ask('/api/github/commits');
    const { response, server, logs, body } = await ask('/api/cache/commits', { method: 'DELETE' });
    expect(response.status).toBe(200);
    expect(JSON.parse(body)).toEqual({ path: `/repos/${repository}/commits`, removed: { dragonfly: 0, memory: 1 } });
    expect(server.attributes.get('chimney.cache.invalidation')).toBe(`/repos/${repository}/commits`);
    expect(server.attributes.get('chimney.cache.invalidated_entries')).toBe(1);
    const record = logs().find((log) => log.body === 'cache invalidated');
    expect(record?.attributes.get('path')).toBe(`/repos/${repository}/commits`);
    const after = await ask('/api/github/commits');
    expect(after.server.attributes.get('chimney.cache_hit')).toBe(false);
  });

  test('deploy events are counted by outcome, and the last is shown', async () => {
    const post = (event: object) => ask('/api/deploy/events', { method: 'POST', body: JSON.stringify(event) });
    expect((await post({ outcome: 'success', version: '1.4.0' })).response.status).toBe(202);
    expect((await post({ outcome: 'failure', version: '1.5.0' })).response.status).toBe(202);
    expect((await post({ outcome: 'perhaps' })).response.status).toBe(400);
    const { body } = await ask('/api/deploy/last');
    expect(JSON.parse(body)).toMatchObject({ outcome: 'failure', version: '1.5.0' });
    for (const outcome of ['success', 'failure']) {
      expect(await points('chimney.deploy_events', 'sum', { outcome })).toMatchObject({ asInt: 1 });
    }
    expect(sink.metric('chimney.deploy_events')?.sum?.points).toHaveLength(2);
  });
});

describe('the instruments', () => {
  const instruments = [
    ['chimney.requests', 'sum', '{request}', 'Requests per route; status_class = 2xx/3xx/4xx/5xx'],
    ['chimney.request.duration', 'histogram', 'ms', 'Latency (ms)'],
    ['chimney.cache.hits', 'sum', '{hit}', 'Cache hits by tier (dragonfly / memory)'],
    ['chimney.cache.misses', 'sum', '{miss}', 'Cache misses (upstream required)'],
    ['chimney.cache.entries', 'gauge', '{entry}', 'Current in-memory entry count (observed at collection)'],
    ['chimney.github.rate_limit.remaining', 'gauge', '{request}', 'Last observed X-RateLimit-Remaining'],
    ['chimney.github.rate_limit.reset', 'gauge', 's', 'Last observed X-RateLimit-Reset (Unix epoch)'],
    ['chimney.dragonfly.connected', 'gauge', '', '1 = connected, 0 = not'],
    ['chimney.panics', 'sum', '{panic}', 'Recovered panics'],
    ['chimney.deploy_events', 'sum', '{event}', 'Deploy events received (success / failure)'],
  ] as const;

  test.each(instruments)('%s is a %s in "%s"', async (name, kind, unit, description) => {
    const metric = await sink.eventually(name, () => sink.metric(name));
    expect(metric.unit ?? '').toBe(unit);
    expect(metric.description).toBe(description);
    const kinds = (['sum', 'histogram', 'gauge'] as const).filter((candidate) => metric[candidate] !== undefined);
    expect(kinds).toEqual([kind]);
    if (kind === 'sum') expect(metric.sum?.monotonic).toBe(true);
  });

  test('there are exactly these ten of chimney.*', () => {
    const names = new Set(sink.metrics.map(({ name }) => name).filter((name) => name.startsWith('chimney.')));
    expect([...names].sort()).toEqual(instruments.map(([name]) => name).sort());
  });

  test('chimney.requests counts by route and class', async () => {
    await ask('/api/deploy/last', { method: 'PUT' });
    expect(await points('chimney.requests', 'sum', { route: '/api/deploy/last', status_class: '4xx' })).toMatchObject({
      asInt: 1,
    });
    for (const { attributes } of sink.metric('chimney.requests')?.sum?.points ?? []) {
      expect([...attributes.keys()].sort()).toEqual(['route', 'status_class']);
      expect(attributes.get('status_class')).toMatch(/^[2345]xx$/);
    }
  });

  test('a copy that is still good is a 304, and counts as 3xx', async () => {
    const { response } = await ask('/api/github/releases/latest');
    const etag = response.headers.get('etag') ?? '';
    const again = await ask('/api/github/releases/latest', { headers: { 'if-none-match': etag } });
    expect(again.response.status).toBe(304);
    expect(again.line).toMatchObject({ status: 304, bytes: 0, cache_hit: true });
    await points('chimney.requests', 'sum', { route: '/api/github/releases/latest', status_class: '3xx' });
  });

  test('chimney.request.duration has the boundaries of the document, and exemplars that name a trace', async () => {
    const { traceId } = await ask('/healthz');
    const point = await points('chimney.request.duration', 'histogram', { route: '/healthz' });
    expect(point.explicitBounds).toEqual([5, 25, 100, 500, 2000]);
    expect(point.bucketCounts).toHaveLength(6);
    expect(point.bucketCounts?.reduce((sum, count) => sum + count, 0n)).toBe(point.count);
    const exemplar = await sink.eventually('the exemplar', () =>
      sink
        .metric('chimney.request.duration')
        ?.histogram?.points.flatMap(({ exemplars = [] }) => exemplars)
        .find((candidate) => candidate.traceId === traceId),
    );
    expect(exemplar.spanId).toMatch(/^[0-9a-f]{16}$/);
  });

  test('hits are by tier; misses have no attributes', async () => {
    expect((await points('chimney.cache.hits', 'sum', { tier: 'memory' })).asInt).toBeGreaterThan(0);
    expect((await points('chimney.cache.misses', 'sum', {})).asInt).toBeGreaterThan(0);
  });

  test('the gauges say what was last seen', async () => {
    const { body } = await ask('/api/cache');
    const { memory_entries: entries } = JSON.parse(body) as { memory_entries: number };
    const value = (name: string) => sink.metric(name)?.gauge?.points[0]?.asInt;
    await sink.eventually('the number of entries', () => value('chimney.cache.entries') === entries);
    expect(entries).toBeGreaterThan(0);
    expect(value('chimney.dragonfly.connected')).toBe(0);
    const remaining = value('chimney.github.rate_limit.remaining') ?? 0;
    expect(remaining).toBeGreaterThan(4900);
    expect(remaining).toBeLessThan(5000);
    const reset = value('chimney.github.rate_limit.reset') ?? 0;
    expect(Math.abs(reset - Date.now() / 1000 - 3600)).toBeLessThan(120);
  });
});

test('all is sent as protobuf, from a resource with the service and the slot, and understood', () => {
  expect([...sink.contentTypes]).toEqual(['application/x-protobuf']);
  for (const resource of sink.resources) {
    expect(resource.get('service.name')).toBe('chimney');
    expect(resource.get('deployment.slot')).toBe('blue');
  }
  expect(sink.failures).toEqual([]);
});
