import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { App, buildPackage } from '../../testing/child.ts';
import { OtlpSink } from '../../testing/otlp-sink.ts';

let sink: OtlpSink;
let app: App | undefined;
beforeAll(buildPackage, 120_000);
beforeEach(async () => {
  sink = await new OtlpSink().listen();
});
afterEach(async () => {
  app?.process.kill('SIGKILL');
  await app?.exited;
  app = undefined;
  await sink.close();
});

const openMetrics = 'application/openmetrics-text; version=1.0.0';

/** Starts an application that measures something, and answers where its metrics can be scraped. */
async function scraped(prometheus: object, env: Record<string, string> = {}): Promise<string> {
  const port = await freePort();
  app = new App({
    file: 'app.mjs',
    nodeArguments: [],
    source: `import { start } from '@signalbox/node';
      start({ endpoint: '${sink.url}', serviceName: 'shop', metrics: { prometheus: ${JSON.stringify({ host: '127.0.0.1', port, ...prometheus })} } });
      const { metrics, trace } = await import('@opentelemetry/api');
      const meter = metrics.getMeter('app', '1.2');
      meter.createCounter('jobs.done', { description: 'Jobs "done".' }).add(3, { 'queue.name': 'a"b' });
      const open = meter.createUpDownCounter('jobs.open', { unit: '{job}' }); open.add(1); open.add(-1);
      const duration = meter.createHistogram('job.duration', { unit: 's', advice: { explicitBucketBoundaries: [0.5, 2] } });
      trace.getTracer('app').startActiveSpan('job', (span) => { for (const value of [0.1, 0.5, 1, 9]) duration.record(value); span.end(); });
      process.on('SIGTERM', () => process.exit(0));
      setInterval(() => {}, 1000); console.log('ready');`,
    env,
  });
  await app.printed(/ready/);
  return `http://127.0.0.1:${port}/metrics`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function get(url: string, accept = ''): Promise<{ type: string; lines: string[] }> {
  // The endpoint begins to listen after `start` has returned.
  const response = await vi.waitFor(() => fetch(url, { headers: { accept } }), { timeout: 10_000 });
  expect(response.status).toBe(200);
  return { type: response.headers.get('content-type') ?? '', lines: (await response.text()).split('\n') };
}

const scope = 'otel_scope_name="app",otel_scope_version="1.2"';

test('text: types, units, counters that end in _total, gauges that come back to 0', async () => {
  const { type, lines } = await get(await scraped({}));
  expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(lines).toContain('# TYPE jobs_done_total counter');
  expect(lines).toContain('# HELP jobs_done_total Jobs "done".');
  expect(lines).toContain(`jobs_done_total{${scope},queue_name="a\\"b"} 3`);
  expect(lines).toContain('# TYPE jobs_open gauge');
  expect(lines).toContain(`jobs_open{${scope}} 0`);
  expect(lines.filter((line) => line.startsWith('job_duration_seconds'))).toEqual([
    `job_duration_seconds_bucket{${scope},le="0.5"} 2`,
    `job_duration_seconds_bucket{${scope},le="2"} 3`,
    `job_duration_seconds_bucket{${scope},le="+Inf"} 4`,
    `job_duration_seconds_sum{${scope}} 10.6`,
    `job_duration_seconds_count{${scope}} 4`,
  ]);
  expect(lines.find((line) => line.startsWith('target_info{'))).toContain('service_name="shop"');
  expect(lines.some((line) => line.includes(' # {'))).toBe(false);
});

test('OpenMetrics: exemplars of sampled spans, and the end', async () => {
  const { type, lines } = await get(await scraped({}), openMetrics);
  expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(lines).toContain('# TYPE jobs_done counter');
  expect(lines).toContain('# TYPE target info');
  const bucket = lines.find((line) => line.startsWith(`job_duration_seconds_bucket{${scope},le="2.0"}`));
  expect(bucket).toMatch(/ 3 # \{trace_id="[0-9a-f]{32}",span_id="[0-9a-f]{16}"\} 1 \d+\.\d{3}$/);
  expect(lines.slice(-2)).toEqual(['# EOF', '']);
});

test('beside OTLP nothing counts twice, and the buckets are the same', async () => {
  const url = await scraped({});
  for (let scrape = 0; scrape < 3; scrape += 1) await get(url, openMetrics);
  const { lines } = await get(url);
  expect(lines).toContain(`jobs_done_total{${scope},queue_name="a\\"b"} 3`);
  await app?.stop();
  expect(sink.point('jobs.done').value).toBe(3);
  expect(sink.point('job.duration')).toMatchObject({ bounds: [0.5, 2], bucketCounts: [2, 1, 1] });
  // Scraping took no exemplar away, and made neither spans nor series of its own.
  expect(sink.point('job.duration').exemplars).toHaveLength(3);
  expect(sink.spans.map(({ name }) => name)).toEqual(['job']);
  expect(sink.points.some(({ metric }) => metric === 'http.server.request.duration')).toBe(false);
});

test.each([
  ['UnderscoreEscapingWithoutSuffixes', '', `jobs_done{${scope},queue_name="a\\"b"} 3`],
  [
    'NoUTF8EscapingWithSuffixes',
    'text/plain;version=1.0.0;escaping=allow-utf-8',
    `{"jobs.done_total",${scope},"queue.name"="a\\"b"} 3`,
  ],
  ['NoTranslation', 'text/plain;version=1.0.0;escaping=allow-utf-8', `{"jobs.done",${scope},"queue.name"="a\\"b"} 3`],
  ['NoTranslation', '', `jobs_done{${scope},queue_name="a\\"b"} 3`],
])('%s for a scraper that accepts "%s"', async (translation, accept, line) => {
  const { lines } = await get(await scraped({ translation }), accept);
  expect(lines).toContain(line);
});

describe('scrape, for a route of the application', () => {
  const source = (prometheus: object | boolean): string => `import { start } from '@signalbox/node';
    const telemetry = start({ endpoint: '${sink.url}', serviceName: 'shop', metrics: { prometheus: ${JSON.stringify(prometheus)} } });
    const { metrics, trace } = await import('@opentelemetry/api');
    const { createServer } = await import('node:http');
    const meter = metrics.getMeter('app', '1.2');
    meter.createCounter('jobs.done').add(3);
    const duration = meter.createHistogram('job.duration', { unit: 's', advice: { explicitBucketBoundaries: [0.5, 2] } });
    trace.getTracer('app').startActiveSpan('job', (span) => { for (const value of [0.1, 1, 9]) duration.record(value); span.end(); });
    const server = createServer((request, response) => void start().scrape(request.headers.accept).then(
      ({ contentType, body }) => response.setHeader('content-type', contentType).end(body),
      (error) => response.writeHead(500).end(error.message),
    )).listen(0, '127.0.0.1', () => console.log('port=' + server.address().port));
    process.on('SIGTERM', () => process.exit(0));`;
  /** Starts it and gives its address. */
  async function began(prometheus: object | boolean, env: Record<string, string> = {}): Promise<string> {
    app = new App({ file: 'app.mjs', nodeArguments: [], source: source(prometheus), env });
    const [, port] = await app.printed(/port=(\d+)/);
    return `http://127.0.0.1:${port}/`;
  }

  test('answers what the server of ours does, in the format that is accepted, beside OTLP', async () => {
    const url = await began({ listen: false });
    const text = await get(url);
    expect(text.type).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text.lines).toContain(`jobs_done_total{${scope}} 3`);
    expect(text.lines).toContain(`job_duration_seconds_bucket{${scope},le="2"} 2`);
    const open = await get(url, openMetrics);
    expect(open.type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(open.lines.find((line) => line.startsWith(`job_duration_seconds_bucket{${scope},le="2.0"}`))).toMatch(
      / 2 # \{trace_id="[0-9a-f]{32}",span_id="[0-9a-f]{16}"\} 1 /,
    );
    await expect(fetch('http://localhost:9464/metrics')).rejects.toThrow();
    await app?.stop();
    expect(sink.point('jobs.done').value).toBe(3);
    expect(sink.point('job.duration')).toMatchObject({ bounds: [0.5, 2], bucketCounts: [1, 1, 1] });
  });

  test('says what to set where metrics are not to be scraped, and is empty where telemetry is off', async () => {
    const refused = await fetch(await began(false));
    expect([refused.status, await refused.text()]).toEqual([
      500,
      'metrics are not there to be scraped: start with metrics: { prometheus: { listen: false } }',
    ]);
    await app?.stop();
    const url = await began({ listen: false }, { OTEL_SDK_DISABLED: 'true' });
    expect((await get(url)).lines).toEqual(['']);
    await app?.stop();
  });
});

test('OTEL_METRICS_EXPORTER=prometheus scrapes and sends no metrics over OTLP', async () => {
  const port = await freePort();
  app = new App({
    file: 'app.mjs',
    source: `import { metrics, trace } from '@opentelemetry/api'; metrics.getMeter('app').createCounter('jobs').add(1); trace.getTracer('app').startSpan('job').end();
      process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000); console.log('ready');`,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      OTEL_METRICS_EXPORTER: 'prometheus',
      OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
    },
  });
  await app.printed(/ready/);
  // Loopback unless OTEL_EXPORTER_PROMETHEUS_HOST says otherwise.
  const { lines } = await get(`http://localhost:${port}/metrics`);
  expect(lines.some((line) => line.startsWith('jobs_total{'))).toBe(true);
  await app.stop();
  expect(new Set(sink.requests.map(({ path }) => path))).toEqual(new Set(['/v1/traces']));
});

test('a port that is taken is said, and the application goes on and ends by itself', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as AddressInfo;
  app = new App({
    file: 'app.mjs',
    source: `setTimeout(() => console.log('done'), 100);`,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      OTEL_METRICS_EXPORTER: 'otlp,prometheus',
      OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
      OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
    },
  });
  expect(await app.exited).toEqual({ code: 0, signal: null });
  taken.close();
  expect(app.stdout).toBe('done\n');
  expect(app.stderr).toMatch(/^signalbox: metrics cannot be scraped from .*EADDRINUSE.*OTEL_EXPORTER_PROMETHEUS_PORT/);
});
