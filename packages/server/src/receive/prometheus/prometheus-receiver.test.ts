import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { RecordSink } from '../../pipeline/testing/record-sink.ts';
import { prometheusReceiverFactory } from './prometheus-receiver.ts';
import { readRelabelRules, relabel } from './relabel.ts';
import { readScrapeConfigs } from './scrape-settings.ts';

const FIXTURES = new URL('../../../../protocols/src/testing/go-clients.json', import.meta.url);
const clients = JSON.parse(readFileSync(FIXTURES, 'utf8')) as Record<string, string>;

async function target(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function scraping(job: string, context = testContext()) {
  const sink = new RecordSink();
  const indented = `job_name: shop\n${job}`.trimEnd().replaceAll('\n', '\n      ');
  const settings = settingsOf(`config:\n  scrape_configs:\n    - ${indented}\n`);
  const blueprint = prometheusReceiverFactory.configure(settings);
  settings.finish();
  const component = blueprint.create(context, sink.consumers);
  await component.start();
  onTestFinished(() => component.shutdown(1_000));
  const point = (name: string) => sink.points.findLast(({ metric }) => metric.name === name);
  const value = (name: string) => (point(name) as { value?: unknown } | undefined)?.value;
  return { sink, context, point, value, scrapes: () => component.scrapes?.() };
}

const static_ = (address: string, more = '') =>
  `static_configs: [{targets: ["${address}"], labels: {zone: a}}]\n${more}`;

test('a target of client_golang is scraped, with what Prometheus says about the scrape', async () => {
  let seen: IncomingMessage['headers'] = {};
  const address = await target((request, response) => {
    seen = request.headers;
    response
      .writeHead(200, { 'content-type': clients.golang_openMetrics_type, 'content-encoding': 'gzip' })
      .end(gzipSync(Buffer.from(clients.golang_openMetrics ?? '', 'base64')));
  });
  const { point, value } = await scraping(static_(address, 'basic_auth: {username: u, password: p}'));
  await vi.waitFor(() => expect(value('up')).toBe(1));
  expect(seen).toMatchObject({
    authorization: `Basic ${Buffer.from('u:p').toString('base64')}`,
    'accept-encoding': 'gzip',
  });
  expect(value('scrape_samples_scraped')).toBe(19);
  expect(point('http_requests_total')?.resource.attributes).toEqual([
    ['service.name', 'shop'],
    ['service.instance.id', address],
  ]);
  expect(point('temperature_celsius')).toMatchObject({ value: 21.5, attributes: [['zone', 'a']] });
});

describe('native histograms', () => {
  const exposing = () =>
    target((request, response) => {
      const wanted = request.headers.accept?.startsWith('application/vnd.google.protobuf') ? 'protobuf' : 'text';
      response
        .writeHead(200, { 'content-type': clients[`golang_${wanted}_type`] })
        .end(Buffer.from(clients[`golang_${wanted}`] ?? '', 'base64'));
    });

  test('are scraped where scrape_native_histograms asks for them', async () => {
    const { point, value } = await scraping(static_(await exposing(), 'scrape_native_histograms: true'));
    await vi.waitFor(() => expect(value('up')).toBe(1));
    expect(point('native_seconds')).toMatchObject({ scale: 1, count: 4n, attributes: [['zone', 'a']] });
    expect(value('http_requests_total')).toBe(1);
    expect(value('scrape_samples_scraped')).toBe(12);
  });

  test('are not asked for otherwise', async () => {
    const { point, value } = await scraping(static_(await exposing()));
    await vi.waitFor(() => expect(value('up')).toBe(1));
    expect(point('native_seconds')).toBeUndefined();
    expect(value('native_seconds_count')).toBe(4);
  });

  test('a series that was a number and is a native histogram now has ended, and the other way round', async () => {
    let native = false;
    const address = await target((_request, response) => {
      if (native) {
        response
          .writeHead(200, { 'content-type': clients.golang_protobuf_type })
          .end(Buffer.from(clients.golang_protobuf ?? '', 'base64'));
      } else response.writeHead(200).end('native_seconds 1\n');
    });
    const { sink } = await scraping(static_(address, 'scrape_native_histograms: true\nscrape_interval: 50ms'));
    const last = (kind: string) =>
      sink.points.findLast((point) => point.metric.name === 'native_seconds' && kind in point)?.flags;
    await vi.waitFor(() => expect(last('value')).toBe(0));
    native = true;
    await vi.waitFor(() => expect([last('value'), last('scale')]).toEqual([1, 0]));
    native = false;
    await vi.waitFor(() => expect([last('value'), last('scale')]).toEqual([0, 1]));
  });
});

test('scrape_protocols says what is asked for, in its order', async () => {
  let accept = '';
  const address = await target((request, response) => {
    accept = request.headers.accept ?? '';
    response.writeHead(200).end('a 1\n');
  });
  const protocols = 'scrape_protocols: [PrometheusText0.0.4, PrometheusProto]';
  const { value } = await scraping(static_(address, protocols));
  await vi.waitFor(() => expect(value('up')).toBe(1));
  expect(accept).toBe(
    'text/plain;version=0.0.4;q=0.3,application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.2,*/*;q=0.1',
  );
  await expect(scraping(static_(address, 'scrape_protocols: [PrometheusProt]'))).rejects.toThrow(
    'did you mean "PrometheusProto"',
  );
});

test.each([
  ['an error', (response: ServerResponse) => void response.writeHead(500).end()],
  ['no metrics', (response: ServerResponse) => void response.writeHead(200).end('<html>')],
  ['too many samples', (response: ServerResponse) => void response.writeHead(200).end('a 1\nb 1\nc 1\n')],
  ['too many bytes', (response: ServerResponse) => void response.writeHead(200).end(`# ${'x'.repeat(5_000)}\n`)],
  ['nothing in time', () => {}],
])('%s means that the target is down', async (_, answer) => {
  const address = await target((_request, response) => answer(response));
  const limits = 'sample_limit: 2\nbody_size_limit: 4KiB\nscrape_timeout: 300ms';
  const { sink, value } = await scraping(static_(address, limits));
  await vi.waitFor(() => expect(value('up')).toBe(0), { timeout: 5_000 });
  expect(sink.points.map(({ metric }) => metric.name).filter((name) => name.length === 1)).toEqual([]);
});

test('what is scraped can be asked for, and how it goes', async () => {
  let status = 200;
  const address = await target((_request, response) => void response.writeHead(status).end('a 1\n'));
  const drop = 'relabel_configs: [{source_labels: [__address__], regex: "gone:.*", action: drop}]\n';
  const { value, scrapes } = await scraping(
    `static_configs: [{targets: ["${address}", "gone:1"], labels: {zone: a}}]\n${drop}scrape_interval: 500ms`,
  );
  await vi.waitFor(() => expect(value('up')).toBe(1));
  const discovered = [
    ['job', 'shop'],
    ['__scheme__', 'http'],
    ['__metrics_path__', '/metrics'],
    ['zone', 'a'],
  ] as const;
  const expected = {
    jobs: [
      {
        name: 'shop',
        yaml: expect.stringMatching(/^job_name: shop\n/) as string,
        relabelSteps: expect.any(Function) as () => unknown,
      },
    ],
    active: [
      {
        job: 'shop',
        url: `http://${address}/metrics`,
        discoveredLabels: new Map([...discovered, ['__address__', address]]),
        labels: new Map([
          ['job', 'shop'],
          ['zone', 'a'],
          ['instance', address],
        ]),
        health: 'up',
        lastError: '',
        lastScrapeMs: expect.any(Number) as number,
        lastScrapeDurationMs: expect.any(Number) as number,
        intervalMs: 500,
        timeoutMs: 500,
      },
    ],
    dropped: [{ job: 'shop', discoveredLabels: new Map([...discovered, ['__address__', 'gone:1']]) }],
  };
  // A scrape that took too long on a busy machine is followed by one that did not.
  await vi.waitFor(() => expect(scrapes()).toEqual(expected));
  const rule = { sourceLabels: ['__address__'], separator: ';', pattern: 'gone:.*', action: 'drop' };
  const steps = (from: string) => scrapes()?.jobs[0]?.relabelSteps(new Map([['__address__', from]]));
  expect(steps('gone:2')).toMatchObject([{ rule, keep: false, labels: new Map() }]);
  expect(steps('here:2')).toMatchObject([{ rule, keep: true, labels: new Map([['__address__', 'here:2']]) }]);
  status = 500;
  await vi.waitFor(() =>
    expect(scrapes()?.active[0]).toMatchObject({ health: 'down', lastError: expect.stringContaining('500') as string }),
  );
});

test('its settings can be asked for, without what is secret', () => {
  const config = settingsOf(`config:
  global: {scrape_interval: 3s, scrape_native_histograms: true}
  scrape_configs:
    - job_name: shop
      params: {module: [a, b]}
      basic_auth: {username: ann, password: hunter2}
      relabel_configs: [{source_labels: [__address__], regex: "gone:.*", action: drop}]
      static_configs: [{targets: ["a:1"], labels: {zone: eu}}]
    - {job_name: other, scrape_timeout: 1s, scheme: https, authorization: {credentials: hunter2}}
`);
  const [shop = '', other = ''] = readScrapeConfigs(config).map(({ yaml }) => yaml);
  expect(`${shop}${other}`).not.toContain('hunter2');
  expect(shop).toMatch(/^job_name: shop\n/);
  expect(parse(shop)).toMatchObject({
    scrape_interval: '3s',
    scrape_timeout: '3s',
    scrape_native_histograms: true,
    scrape_protocols: expect.arrayContaining(['PrometheusProto']) as unknown,
    metrics_path: '/metrics',
    scheme: 'http',
    honor_labels: false,
    params: { module: ['a', 'b'] },
    basic_auth: { username: 'ann', password: '<secret>' },
    static_configs: [{ targets: ['a:1'], labels: { zone: 'eu' } }],
    relabel_configs: [{ source_labels: ['__address__'], separator: ';', regex: 'gone:.*', action: 'drop' }],
  });
  expect(parse(other)).toMatchObject({
    job_name: 'other',
    scrape_timeout: '1s',
    authorization: { type: 'Bearer', credentials: '<secret>' },
  });
});

test('a series that is gone is said to have ended', async () => {
  let text = 'a 1\nb{x="y"} 2\n';
  const address = await target((_request, response) => void response.writeHead(200).end(text));
  const { point } = await scraping(static_(address, 'scrape_interval: 50ms'));
  await vi.waitFor(() => expect(point('b')?.flags).toBe(0));
  text = 'a 1\n';
  await vi.waitFor(() => expect(point('b')).toMatchObject({ flags: 1, value: null }));
  await vi.waitFor(() => expect(point('a')?.flags).toBe(0));
});

test('targets of files come and go', async () => {
  const address = await target((_request, response) => void response.writeHead(200).end('a 1\n'));
  const context = testContext();
  const file = join(context.folder(), 'targets.json');
  writeFileSync(file, '[]');
  const pattern = join(context.folder(), 'targets*.json');
  const job = `file_sd_configs: [{files: ["${pattern}"], refresh_interval: 100ms}]\nscrape_interval: 100ms`;
  const { sink, point } = await scraping(job, context);
  writeFileSync(file, JSON.stringify([{ targets: [address], labels: { env: 'prod' } }]));
  await vi.waitFor(() => expect(point('a')?.attributes).toEqual([['env', 'prod']]), { timeout: 5_000 });
  writeFileSync(file, '[');
  await vi.waitFor(() => expect(context.logged.join()).toContain('Targets could not be read'), { timeout: 5_000 });
  const before = sink.points.length;
  await vi.waitFor(() => expect(sink.points.length).toBeGreaterThan(before), { timeout: 5_000 });
  writeFileSync(file, '[]');
  await vi.waitFor(() => expect(point('a')?.flags).toBe(1), { timeout: 5_000 });
});

test('labels of the target win unless honor_labels says otherwise; metrics are relabelled', async () => {
  const address = await target((_request, response) => {
    response.writeHead(200).end('a{zone="b",job="other"} 1 1700000000123\ngo_x 1\n');
  });
  const drop = 'metric_relabel_configs: [{source_labels: [__name__], regex: "go_.*", action: drop}]';
  const first = await scraping(static_(address, drop));
  await vi.waitFor(() => expect(first.value('up')).toBe(1));
  expect(first.point('a')).toMatchObject({ time: 1_700_000_000_123_000_000n, resource: { service: 'shop' } });
  expect(Object.fromEntries(first.point('a')?.attributes ?? [])).toEqual({
    zone: 'a',
    exported_zone: 'b',
    exported_job: 'other',
  });
  expect(first.point('go_x')).toBeUndefined();
  const second = await scraping(static_(address, 'honor_labels: true\nhonor_timestamps: false'));
  await vi.waitFor(() => expect(second.value('up')).toBe(1));
  expect(second.point('a')).toMatchObject({ attributes: [['zone', 'b']], resource: { service: 'other' } });
  expect(second.point('a')?.time).toBeGreaterThan(1_700_000_000_123_000_000n);
});

test('parameters and relabelling decide what is asked, as exporters that probe others need it', async () => {
  let url = '';
  const address = await target((request, response) => {
    url = request.url ?? '';
    response.writeHead(200).end('probe_success 1\n');
  });
  const relabelling = `metrics_path: /probe
params: {module: [http_2xx]}
relabel_configs:
  - {source_labels: [__address__], target_label: __param_target}
  - {source_labels: [__param_target], target_label: instance}
  - {target_label: __address__, replacement: "${address}"}`;
  const { point } = await scraping(static_('https://shop.example', relabelling));
  await vi.waitFor(() => expect(point('probe_success')).toBeDefined());
  const query = new URL(url, 'http://x').searchParams;
  expect([url.split('?')[0], query.get('module'), query.get('target')]).toEqual([
    '/probe',
    'http_2xx',
    'https://shop.example',
  ]);
  expect(point('probe_success')?.resource.attributes).toContainEqual(['service.instance.id', 'https://shop.example']);
});

// Prometheus's documentation, "<relabel_config>".
describe('relabelling', () => {
  const labels = new Map([
    ['a', 'foo'],
    ['b', 'bar'],
    ['__meta_x', 'y'],
  ]);
  const apply = (rule: string) => {
    const result = relabel(labels, readRelabelRules(settingsOf(`rules: [${rule}]`), 'rules'));
    return result && Object.fromEntries(result);
  };

  it.each([
    ['{source_labels: [a, b], regex: "(f.*);(.*)", target_label: c, replacement: "$$2-$$1$$$$"}', { c: 'bar-foo$' }],
    ['{source_labels: [a], regex: f, target_label: c, replacement: x}', {}],
    ['{source_labels: [a], target_label: a, replacement: ""}', { a: undefined }],
    ['{source_labels: [a], regex: "foo", action: keep}', {}],
    ['{source_labels: [a], target_label: c, action: uppercase}', { c: 'FOO' }],
    ['{source_labels: [a], target_label: c, action: hashmod, modulus: 1000}', { c: '696' }],
    ['{regex: "__meta_(.+)", action: labelmap}', { x: 'y' }],
    ['{regex: "b", action: labeldrop}', { b: undefined }],
    ['{regex: "a", action: labelkeep}', { b: undefined, __meta_x: undefined }],
    ['{source_labels: [a], target_label: b, action: dropequal}', {}],
  ])('%s', (rule, changes) => {
    const expected = Object.entries({ ...Object.fromEntries(labels), ...changes }).filter(
      ([, value]) => value !== undefined,
    );
    expect(apply(rule)).toEqual(Object.fromEntries(expected));
  });

  it.each(['{source_labels: [a], regex: fo, action: keep}', '{source_labels: [a], regex: fo+, action: drop}'])(
    '%s drops',
    (rule) => {
      expect(apply(rule)).toBeNull();
    },
  );

  it.each([
    ['{action: hashmod, target_label: x}', 'modulus'],
    ['{regex: "("}', 'regex'],
    ['{action: replace}', 'target_label'],
  ])('%s is refused', (rule, message) => {
    expect(() => apply(rule)).toThrow(message);
  });
});
