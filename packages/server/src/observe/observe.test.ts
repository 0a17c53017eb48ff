import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { TelemetryRegistry } from '../pipeline/telemetry-registry.ts';
import { testContext } from '../pipeline/testing/component-context.ts';
import { RecordSink } from '../pipeline/testing/record-sink.ts';
import { exposition } from './exposition.ts';
import { operatorRoutes } from './operator-routes.ts';
import { OwnMetrics } from './own-metrics.ts';

function registry(): TelemetryRegistry {
  const telemetry = new TelemetryRegistry();
  telemetry.counter('otelcol_exporter_sent_spans', 'Sent', { exporter: 'otlp/a"b\\' }).add(3);
  telemetry.gauge('queue_size', 'Waiting', () => 7);
  const sizes = telemetry.histogram('batch_size', 'Records', [10, 100], { processor: 'batch' });
  for (const value of [10, 11, 1000]) sizes.record(value);
  return telemetry;
}

// prometheus.io/docs/instrumenting/exposition_formats, "Text-based format".
test('metrics in the text format', () => {
  expect(exposition(registry().collect())).toBe(
    [
      '# HELP batch_size Records',
      '# TYPE batch_size histogram',
      'batch_size_bucket{processor="batch",le="10"} 1',
      'batch_size_bucket{processor="batch",le="100"} 2',
      'batch_size_bucket{processor="batch",le="+Inf"} 3',
      'batch_size_sum{processor="batch"} 1021',
      'batch_size_count{processor="batch"} 3',
      '# HELP otelcol_exporter_sent_spans_total Sent',
      '# TYPE otelcol_exporter_sent_spans_total counter',
      'otelcol_exporter_sent_spans_total{exporter="otlp/a\\"b\\\\"} 3',
      '# HELP queue_size Waiting',
      '# TYPE queue_size gauge',
      'queue_size 7',
      '',
    ].join('\n'),
  );
});

test('the last points are stored under the resource of the program when it stops', async () => {
  const sink = new RecordSink();
  const own = new OwnMetrics({
    registry: registry(),
    store: sink.consumers.metrics,
    resource: new Map([['service.name', 'signalbox']]),
    log: testContext().log,
  });
  await own.start();
  await own.shutdown();
  expect(sink.points.map(({ metric, resource }) => [metric.name, resource.service]).sort()).toEqual([
    ['batch_size', 'signalbox'],
    ['otelcol_exporter_sent_spans', 'signalbox'],
    ['queue_size', 'signalbox'],
  ]);
  const histogram = sink.points.find(({ metric }) => metric.name === 'batch_size');
  expect(histogram).toMatchObject({ count: 3n, sum: 1021, bucketCounts: [1n, 1n, 1n], explicitBounds: [10, 100] });
  const sum = sink.points.find(({ metric }) => metric.name === 'otelcol_exporter_sent_spans');
  expect(sum).toMatchObject({ value: 3, metric: { monotonic: true, temporality: 2 } });
});

test('health, readiness and metrics are answered on the page’s port', async () => {
  let ready = false;
  const handle = operatorRoutes(registry(), () => ready);
  const server = createServer((request, response) => {
    if (handle(request, response) === false) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const get = async (path: string, accept = '*/*') => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
    const response = await fetch(url, { headers: { accept } });
    return [response.status, (await response.text()).split('\n')[0]];
  };
  expect(await get('/-/healthy')).toEqual([200, 'Signalbox is healthy.']);
  expect(await get('/-/ready')).toEqual([503, 'Signalbox is not ready.']);
  ready = true;
  expect(await get('/-/ready')).toEqual([200, 'Signalbox is ready.']);
  expect(await get('/metrics')).toEqual([200, '# HELP batch_size Records']);
  expect((await get('/metrics', 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5'))[0]).toBe(200);
  // There a person finds the page of metrics.
  expect((await get('/metrics', 'text/html,application/xhtml+xml,*/*;q=0.8'))[0]).toBe(404);
  expect((await get('/'))[0]).toBe(404);
});
