import { describe, expect, it, onTestFinished, test } from 'vitest';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { pointsOf } from '../../pipeline/testing/record-sink.ts';
import { prometheusExporterFactory } from './prometheus-exporter.ts';

async function exporter(yaml = '', now = () => 1_700_000_000_000) {
  const settings = settingsOf(`endpoint: "localhost:0"\n${yaml}`);
  const blueprint = prometheusExporterFactory.configure(settings);
  settings.finish();
  const context = testContext({ now });
  const component = blueprint.create(context);
  await component.start();
  onTestFinished(() => component.shutdown(1_000));
  const scrape = async (accept = 'text/plain') => {
    const response = await fetch(`${component.addresses?.[0]?.address}/metrics`, { headers: { accept } });
    return { text: await response.text(), type: response.headers.get('content-type') };
  };
  const send = async (metrics: object[], resource: object[] = [text('service.name', 'shop')]) => {
    const resourceMetrics = [{ resource: { attributes: resource }, scopeMetrics: [{ metrics }] }];
    await component.consumers.metrics?.consume(pointsOf({ resourceMetrics }));
  };
  return { context, scrape, send };
}

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const at = (seconds: number) => ({ timeUnixNano: `${1_700_000_000 + seconds}000000000` });
const sum = (name: string, value: number, more: object = {}, point: object = at(0)) => ({
  name,
  sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [{ asDouble: value, ...point }], ...more },
});
const DELTA = { aggregationTemporality: 1 };
const OPEN_METRICS = 'application/openmetrics-text;version=1.0.0';

test('a sum, a gauge, a histogram and a summary in the text format', async () => {
  const { scrape, send } = await exporter('namespace: agentstack\nconst_labels: {env: prod}\n');
  await send(
    [
      { ...sum('requests', 3), description: 'Taken\n"all" \\', unit: '{request}' },
      {
        name: 'load',
        unit: '1',
        gauge: { dataPoints: [{ asDouble: 0.5, ...at(0), attributes: [text('cpu.name', 'a"b')] }] },
      },
      {
        name: 'duration',
        unit: 's',
        histogram: {
          aggregationTemporality: 2,
          dataPoints: [{ count: '3', sum: 5.55, explicitBounds: [0.1, 1], bucketCounts: ['1', '1', '1'], ...at(0) }],
        },
      },
      {
        name: 'size',
        summary: { dataPoints: [{ count: '2', sum: 30, quantileValues: [{ quantile: 0.5, value: 10 }], ...at(0) }] },
      },
    ],
    [text('service.name', 'shop'), text('service.namespace', 'eu'), text('service.instance.id', 'a:80')],
  );
  const labels = 'env="prod",instance="a:80",job="eu/shop"';
  expect((await scrape()).text).toBe(`# TYPE agentstack_duration_seconds histogram
agentstack_duration_seconds_bucket{${labels},le="0.1"} 1
agentstack_duration_seconds_bucket{${labels},le="1"} 2
agentstack_duration_seconds_bucket{${labels},le="+Inf"} 3
agentstack_duration_seconds_sum{${labels}} 5.55
agentstack_duration_seconds_count{${labels}} 3
# TYPE agentstack_load_ratio gauge
agentstack_load_ratio{cpu_name="a\\"b",${labels}} 0.5
# HELP agentstack_requests_total Taken\\n"all" \\\\
# TYPE agentstack_requests_total counter
agentstack_requests_total{${labels}} 3
# TYPE agentstack_size summary
agentstack_size{${labels},quantile="0.5"} 10
agentstack_size_sum{${labels}} 30
agentstack_size_count{${labels}} 2
`);
});

test('OpenMetrics brings exemplars, and only where it is asked for and enabled', async () => {
  const exemplar = {
    timeUnixNano: '1700000000000000000',
    asDouble: 5,
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
  };
  const histogram = {
    name: 'duration',
    unit: 's',
    histogram: {
      aggregationTemporality: 2,
      dataPoints: [
        { count: '2', sum: 6, explicitBounds: [1], bucketCounts: ['1', '1'], ...at(0), exemplars: [exemplar] },
      ],
    },
  };
  const { scrape, send } = await exporter('enable_open_metrics: true\nsend_timestamps: true\n');
  await send([histogram, sum('requests', 3)]);
  const { text: shown, type } = await scrape(OPEN_METRICS);
  expect(type).toContain('application/openmetrics-text; version=1.0.0');
  expect(shown).toBe(`# TYPE duration_seconds histogram
# UNIT duration_seconds seconds
duration_seconds_bucket{job="shop",le="1.0"} 1 1700000000
duration_seconds_bucket{job="shop",le="+Inf"} 2 1700000000 # {span_id="eee19b7ec3c1b174",trace_id="5b8efff798038103d269b633813fc60c"} 5 1700000000
duration_seconds_sum{job="shop"} 6 1700000000
duration_seconds_count{job="shop"} 2 1700000000
# TYPE requests counter
requests_total{job="shop"} 3 1700000000
# EOF
`);
  expect((await scrape()).text).not.toContain('# {');
  const off = await exporter();
  await off.send([histogram]);
  expect((await off.scrape(OPEN_METRICS)).type).toContain('text/plain; version=0.0.4');
});

describe('deltas', () => {
  it('are added up, each once', async () => {
    const { scrape, send } = await exporter();
    for (const second of [1, 2, 2, 3]) await send([sum('jobs', 5, DELTA, at(second))]);
    expect((await scrape()).text).toContain('jobs_total{job="shop"} 15\n');
  });

  it('of histograms too, until their bounds change', async () => {
    const { scrape, send } = await exporter();
    const histogram = (second: number, bound: number) => ({
      name: 'd',
      histogram: {
        ...DELTA,
        dataPoints: [{ count: '3', sum: 4, explicitBounds: [bound], bucketCounts: ['1', '2'], ...at(second) }],
      },
    });
    await send([histogram(1, 1)]);
    await send([histogram(2, 1)]);
    expect((await scrape()).text).toContain(
      'd_bucket{job="shop",le="1"} 2\nd_bucket{job="shop",le="+Inf"} 6\nd_sum{job="shop"} 8',
    );
    await send([histogram(3, 9)]);
    expect((await scrape()).text).toContain('d_bucket{job="shop",le="9"} 1\nd_bucket{job="shop",le="+Inf"} 3\n');
  });

  it('that may fall are left out and counted', async () => {
    const { context, scrape, send } = await exporter();
    await send([sum('level', 5, { ...DELTA, isMonotonic: false })]);
    expect((await scrape()).text).toBe('');
    expect(context.counted('signalbox_prometheus_skipped_points')).toBe(1);
  });
});

test('a resource that says more than who it is has a target_info, or labels where that is asked for', async () => {
  const resource = [text('service.name', 'shop'), text('host.name', 'h')];
  const { scrape, send } = await exporter();
  await send([sum('a', 1)], resource);
  expect((await scrape()).text).toContain('# TYPE target_info gauge\ntarget_info{host_name="h",job="shop"} 1\n');
  const labelled = await exporter('resource_to_telemetry_conversion: {enabled: true}\n');
  await labelled.send([sum('a', 1)], resource);
  expect((await labelled.scrape()).text).toContain('a_total{host_name="h",job="shop",service_name="shop"} 1\n');
});

test('series of which nothing is heard for long are forgotten, and so are those that ended', async () => {
  let now = 1_700_000_000_000;
  const { scrape, send, context } = await exporter('metric_expiration: 1m\n', () => now);
  await send([sum('old', 1), sum('ended', 1)]);
  await send([sum('ended', 0, {}, { ...at(1), flags: 1 })]);
  expect((await scrape()).text).not.toContain('ended');
  now += 59_000;
  expect((await scrape()).text).toContain('old_total');
  now += 2_000;
  expect((await scrape()).text).toBe('');
  expect(context.gauged('signalbox_prometheus_series', { exporter: 'component' })).toBe(0);
});

test('memory is bounded by series, and a name has one type', async () => {
  const { scrape, send, context } = await exporter('max_series: 2\n');
  const gauge = { name: 'a.total', gauge: { dataPoints: [{ asDouble: 1, ...at(0) }] } };
  await send([sum('a', 1), gauge, sum('b', 1), sum('c', 1)]);
  expect((await scrape()).text.match(/^# TYPE .*/gm)).toEqual(['# TYPE a_total counter', '# TYPE b_total counter']);
  expect(context.counted('signalbox_prometheus_skipped_points')).toBe(2);
});

test.each([
  ['UnderscoreEscapingWithSuffixes', 'http_requests_total{http_code="200",job="shop"} 3'],
  ['UnderscoreEscapingWithoutSuffixes', 'http_requests{http_code="200",job="shop"} 3'],
  ['NoUTF8EscapingWithSuffixes', '{"http.requests_total","http.code"="200",job="shop"} 3'],
  ['NoTranslation', '{"http.requests","http.code"="200",job="shop"} 3'],
])('translation strategy %s', async (strategy, expected) => {
  const { scrape, send } = await exporter(`translation_strategy: ${strategy}\n`);
  await send([sum('http.requests', 3, {}, { ...at(0), attributes: [text('http.code', '200')] })]);
  expect((await scrape('text/plain;version=1.0.0;escaping=allow-utf-8')).text).toContain(`${expected}\n`);
  // Whoever does not say that it reads such names gets names that everybody reads.
  expect((await scrape()).text).toMatch(/^http_requests(_total)?\{http_code="200",job="shop"\} 3$/m);
});

test('exponential histograms have their count and sum in text', async () => {
  const { scrape, send } = await exporter();
  const dataPoints = [
    { count: '3', sum: 7, scale: 0, zeroCount: '1', positive: { offset: 0, bucketCounts: ['2'] }, ...at(0) },
  ];
  await send([{ name: 'size', exponentialHistogram: { aggregationTemporality: 2, dataPoints } }]);
  expect((await scrape()).text).toBe(
    '# TYPE size histogram\nsize_bucket{job="shop",le="+Inf"} 3\nsize_sum{job="shop"} 7\nsize_count{job="shop"} 3\n',
  );
});
