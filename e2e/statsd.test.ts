import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SignalboxProcess } from './signalbox-process.ts';

const CONFIGURATION = `receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}
  statsd:
    endpoint: localhost:0
    aggregation_interval: 500ms
    is_monotonic_counter: true
    timer_histogram_mapping:
      - {statsd_type: timing, observer_type: histogram, histogram: {explicit_buckets: [{matcher_pattern: ^render$, buckets: [100, 250]}]}}
      - {statsd_type: distribution, observer_type: summary, summary: {percentiles: [50, 100]}}
exporters: {clickhouse: }
service: {pipelines: {traces: {receivers: [otlp], exporters: [clickhouse]}, metrics: {receivers: [otlp, statsd], exporters: [clickhouse]}}}
`;

let signalbox: SignalboxProcess;
beforeAll(async () => {
  signalbox = new SignalboxProcess();
  const file = join(signalbox.data, 'config.yaml');
  writeFileSync(file, CONFIGURATION);
  await signalbox.start('--config', file);
});
afterAll(async () => {
  await signalbox?.dispose();
});

async function value(query: string): Promise<number | undefined> {
  const response = await fetch(`${signalbox.page}/api/v1/query?${new URLSearchParams({ query })}`);
  const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
  const [first] = data.result;
  return first && Number(first.value[1]);
}

test('what two clients of statsd send is found by PromQL, nothing lost between them', async () => {
  const port = Number((await signalbox.child.waitFor(/statsd\/UDP\s+127\.0\.0\.1:(\d+)/))[1]);
  const clients = [createSocket('udp4'), createSocket('udp4')];
  // As hot-shots 17.1.1 writes them; the same series from both, whose points end their interval together.
  const packets = [
    'hits:1|c|#route:/cart',
    'hits:4|c|@0.5|#route:/cart\nqueue:17|g\nqueue:-5|g',
    'render:212.5|ms',
    'lag:3|d',
  ];
  for (const client of clients) {
    for (const packet of packets) {
      await new Promise((sent) => client.send(packet, port, '127.0.0.1', sent));
    }
  }
  for (const client of clients) client.close();
  const expected: [query: string, value: number][] = [
    ['hits_total{route="/cart"}', 18],
    ['queue', 12],
    ['render_bucket{le="250"}', 2],
    ['render_bucket{le="100"}', 0],
    ['render_sum', 425],
    ['lag{quantile="0.5"}', 3],
    ['lag_count', 1],
  ];
  for (const [query, wanted] of expected) {
    // An interval may have ended between the clients.
    await expect.poll(() => value(query), { message: query }).toBe(wanted);
  }
});
