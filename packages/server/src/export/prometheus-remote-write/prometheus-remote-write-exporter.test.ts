import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeRemoteWrite, decodeSnappy } from '@signalbox/protocols';
import { type MetricPointObject, metricPointObjects } from '@signalbox/records';
import { expect, onTestFinished, test } from 'vitest';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { pointsOf } from '../../pipeline/testing/record-sink.ts';
import { prometheusRemoteWriteExporterFactory } from './prometheus-remote-write-exporter.ts';

interface Request {
  readonly headers: IncomingHttpHeaders;
  readonly points: readonly MetricPointObject[];
}

/** An exporter and what it sends to; the receiver's decoder was tested with the bytes of Prometheus's own library. */
async function remote(yaml = '', answer = 204) {
  const requests: Request[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = decodeSnappy(Buffer.concat(chunks), 1 << 20);
      requests.push({
        headers: request.headers,
        points: metricPointObjects(decodeRemoteWrite(bytes, '1.0').batch),
      });
      response.writeHead(answer).end('no');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const settings = settingsOf(
    `endpoint: http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/write
sending_queue: {enabled: false}
retry_on_failure: {enabled: false}
${yaml}`,
  );
  const blueprint = prometheusRemoteWriteExporterFactory.configure(settings);
  settings.finish();
  const context = testContext();
  const exporter = blueprint.create(context);
  await exporter.start();
  onTestFinished(() => exporter.shutdown(1_000));
  const send = async (...metrics: object[]) =>
    await exporter.consumers.metrics?.consume(
      pointsOf({
        resourceMetrics: [
          {
            resource: {
              attributes: attributes({ 'service.name': 'shop', 'service.instance.id': 'a', 'host.name': 'h' }),
            },
            scopeMetrics: [{ metrics }],
          },
        ],
      }),
    );
  return { requests, send, context };
}

const attributes = (values: object) =>
  Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));

const time = { timeUnixNano: '1700000000123000000', startTimeUnixNano: '1700000000000000000' };

/** What arrived of metrics besides target_info: name, attributes as text, value. */
const values = (request: Request | undefined) =>
  (request?.points ?? [])
    .filter(({ metric }) => !metric.name.endsWith('target_info'))
    .map((point) => {
      const labels = point.attributes.map(([key, value]) => `${key}=${value}`).sort();
      return `${[point.metric.name, ...labels].join(' ')}: ${'value' in point ? point.value : ''}`;
    });

test('counters and gauges arrive under their names in Prometheus, with the time in milliseconds', async () => {
  const { requests, send } = await remote('namespace: acme\nexternal_labels: {region: eu}');
  await send(
    {
      name: 'http.requests',
      sum: {
        aggregationTemporality: 2,
        isMonotonic: true,
        dataPoints: [{ ...time, asInt: '7', attributes: attributes({ 'http.route': '/buy' }) }],
      },
    },
    { name: 'queue.depth', unit: 's', gauge: { dataPoints: [{ ...time, asDouble: 1.5 }] } },
  );
  const [request] = requests;
  expect(request?.headers).toMatchObject({
    'content-type': 'application/x-protobuf',
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': '0.1.0',
  });
  expect(values(request)).toEqual([
    'acme_http_requests_total http_route=/buy region=eu: 7',
    'acme_queue_depth_seconds region=eu: 1.5',
  ]);
  expect(request?.points[0]?.time).toBe(1700000000123000000n);
  expect(request?.points[0]?.resource.attributes).toEqual(
    expect.arrayContaining([
      ['service.name', 'shop'],
      ['service.instance.id', 'a'],
    ]),
  );
  expect(request?.points.map(({ metric }) => metric.name)).toContain('acme_target_info');
});

test('classic histograms and summaries are several series', async () => {
  const { requests, send } = await remote();
  await send(
    {
      name: 'latency',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [{ ...time, count: '6', sum: 9, explicitBounds: [1, 2.5], bucketCounts: ['1', '2', '3'] }],
      },
    },
    {
      name: 'size',
      summary: { dataPoints: [{ ...time, count: '4', sum: 8, quantileValues: [{ quantile: 0.5, value: 2 }] }] },
    },
  );
  expect(values(requests[0])).toEqual([
    'latency_bucket le=1: 1',
    'latency_bucket le=2.5: 3',
    'latency_bucket le=+Inf: 6',
    'latency_sum: 9',
    'latency_count: 6',
    'size quantile=0.5: 2',
    'size_sum: 8',
    'size_count: 4',
  ]);
});

test('exponential histograms are native ones, made coarser where they are too fine', async () => {
  const { requests, send } = await remote();
  const point = (scale: number, offset: number, bucketCounts: string[]) => ({
    name: `latency${scale}`,
    exponentialHistogram: {
      aggregationTemporality: 2,
      dataPoints: [{ ...time, count: '10', sum: 20, scale, zeroCount: '1', positive: { offset, bucketCounts } }],
    },
  });
  await send(point(3, -2, ['4', '0', '5']), point(10, -3, ['1', '2', '3', '3']));
  expect(requests[0]?.points.filter(({ metric }) => metric.name.startsWith('latency'))).toMatchObject([
    { count: 10n, sum: 20, scale: 3, zeroCount: 1n, positiveOffset: -2, positiveCounts: [4n, 0n, 5n] },
    // -3, -2, -1 of scale 10 are in -1 of scale 8, 0 is in 0.
    { scale: 8, positiveOffset: -1, positiveCounts: [6n, 3n] },
  ]);
});

test('the end of a series is marked; deltas are left out and counted', async () => {
  const { requests, send, context } = await remote();
  await send(
    { name: 'gone', gauge: { dataPoints: [{ ...time, flags: 1 }] } },
    { name: 'change', sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [{ ...time, asInt: '7' }] } },
  );
  expect(requests[0]?.points.filter(({ metric }) => metric.name === 'gone')).toMatchObject([{ flags: 1 }]);
  expect(values(requests[0])).toHaveLength(1);
  expect(context.counted('signalbox_prometheus_skipped_points')).toBe(1);
});

test('a refusal is handed on', async () => {
  const gauge = { name: 'a', gauge: { dataPoints: [{ ...time, asInt: '1' }] } };
  const { send } = await remote('', 400);
  await expect(send(gauge)).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining('400: no'),
  });
  const busy = await remote('', 429);
  await expect(busy.send(gauge)).rejects.toMatchObject({ code: 'resource_exhausted' });
});
