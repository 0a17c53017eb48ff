import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyValues } from '../../query/promql-store/testing/otlp-store.ts';
import { readConformanceJson } from '../testing/conformance-file.ts';
import { BesidePrometheus } from './testing/beside-prometheus.ts';
import { PromqlGenerator, randomFrom } from './testing/generate-promql.ts';
import { prometheusProgram } from './testing/peer-prometheus.ts';

/** `SIGNALBOX_PROMQL_SEED` repeats a run; 1 otherwise, so that a failure here is one everywhere. */
const seed = Number(process.env.SIGNALBOX_PROMQL_SEED ?? 1);
const generatedCount = process.env.SIGNALBOX_TEST_TIER === 'full' ? 1_000 : 150;

const compliance = readConformanceJson('promql/compliance_queries.json') as { cases: { query: string }[] } | undefined;

const durationSeconds = 3_600;
const t0 = Math.floor(Date.now() / 1000) - durationSeconds;
const nanos = (seconds: number): string => String(BigInt(Math.round((t0 + seconds) * 1_000)) * 1_000_000n);

/** What the compliance tests' demonstration service tells, with resets, gaps and series that end, as the seed has them. */
class DemoService {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly #random: () => number;
  readonly #totals = new Map<string, number>();

  constructor(instance: number) {
    this.resource = { 'service.name': 'demo', 'service.instance.id': `demo.promlabs.com:${10_000 + instance}` };
    this.#random = randomFrom(seed * 1_000 + instance);
  }

  metricsAt(t: number): object[] {
    const at = { startTimeUnixNano: nanos(0), timeUnixNano: nanos(t + this.#below(5)) };
    const point = (value: number, attributes: Record<string, unknown> = {}) => ({
      ...at,
      asDouble: value,
      attributes: keyValues(attributes),
    });
    const gauge = (name: string, dataPoints: object[]) => ({ name, gauge: { dataPoints } });
    const memory = ['used', 'free', 'buffers', 'cached'].map((type) => point(this.#below(1_000_000), { type }));
    const metrics: object[] = [
      gauge('demo_memory_usage_bytes', memory),
      gauge('demo_num_cpus', [point(4)]),
      gauge('demo_disk_usage_bytes', [point(1_000 + t * 8 + this.#below(64))]),
      gauge('demo_batch_last_success_timestamp_seconds', [point(t0 + Math.floor(t / 300) * 300)]),
      {
        name: 'demo_cpu_usage_seconds_total',
        sum: {
          aggregationTemporality: 2,
          isMonotonic: true,
          dataPoints: ['user', 'system', 'idle'].map((mode) => point(this.#counted(mode), { mode })),
        },
      },
      {
        name: 'demo_api_request_duration_seconds',
        histogram: {
          aggregationTemporality: 2,
          dataPoints: ['GET', 'POST'].map((method) => {
            const counts = [0, 1, 2, 3].map((bucket) => this.#counted(`${method} ${bucket}`));
            const count = counts.reduce((sum, one) => sum + one, 0);
            const bucketCounts = counts.map(String);
            const attributes = keyValues({ method });
            return {
              ...at,
              attributes,
              count: String(count),
              sum: count * 2,
              bucketCounts,
              explicitBounds: [0.1, 0.5, 2.5],
            };
          }),
        },
      },
      {
        name: 'demo_sizes',
        exponentialHistogram: {
          aggregationTemporality: 2,
          dataPoints: ['GET', 'POST'].map((method) => {
            const counts = [0, 1, 2].map((bucket) => this.#counted(`size ${method} ${bucket}`));
            const zeroCount = this.#counted(`size ${method} zero`);
            const count = counts.reduce((sum, one) => sum + one, zeroCount);
            const positive = { offset: -1, bucketCounts: counts.map(String) };
            const attributes = keyValues({ method });
            return {
              ...at,
              attributes,
              count: String(count),
              sum: count * 2,
              scale: 1,
              zeroCount: String(zeroCount),
              positive,
            };
          }),
        },
      },
    ];
    if (t % 600 < 300) metrics.push(gauge('demo_intermittent_metric', [point(this.#below(10))]));
    if (t % 1_200 === 900) metrics.push(gauge('demo_ending', [{ ...at, flags: 1 }]));
    else if (t % 1_200 < 900) metrics.push(gauge('demo_ending', [point(this.#below(3) - 1)]));
    return metrics;
  }

  /** A counter's next value: a whole number that grows, and now and then begins anew. */
  #counted(name: string): number {
    const total = this.#random() < 0.02 ? 0 : (this.#totals.get(name) ?? 0) + this.#below(20);
    this.#totals.set(name, total);
    return total;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

const metrics = {
  counters: ['demo_cpu_usage_seconds_total', 'demo_api_request_duration_seconds_count'],
  gauges: [
    'demo_memory_usage_bytes',
    'demo_disk_usage_bytes',
    'demo_intermittent_metric',
    'demo_ending',
    'demo_num_cpus',
  ],
  histograms: ['demo_api_request_duration_seconds'],
  nativeHistograms: ['demo_sizes'],
  labels: ['instance', 'job', 'type', 'mode', 'method'],
  matchers: [
    'instance=~".*1"',
    'instance!="demo.promlabs.com:10000"',
    'type=~"u.*|free"',
    'mode!~"idle|x"',
    'method="GET"',
  ],
};

/** The same OTLP to both; then the compliance tests' queries and generated ones, at moments and over ranges. */
describe.skipIf(prometheusProgram === undefined)('PromQL beside the Prometheus that SIGNALBOX_PROMETHEUS names', () => {
  let both: BesidePrometheus;
  const range = { start: String(t0 + 600), end: String(t0 + durationSeconds), step: '73' };
  const moments = [t0 + 1_000, t0 + 2_345.678, t0 + durationSeconds];

  beforeAll(async () => {
    both = await BesidePrometheus.start(prometheusProgram ?? '', ['promql-extended-range-selectors']);
    const services = [0, 1, 2].map((instance) => new DemoService(instance));
    for (let t = 0; t <= durationSeconds; t += 600) {
      const times = Array.from({ length: 40 }, (_, at) => t + at * 15).filter((time) => time <= durationSeconds);
      for (const service of services) {
        const sent = times.flatMap((time) => service.metricsAt(time));
        await both.send(service.resource, sent);
      }
    }
  }, 300_000);

  afterAll(() => both?.stop());

  async function compare(query: string): Promise<void> {
    const [own, theirs] = await both.ask('query_range', { query, ...range });
    expect(own, query).toEqual(theirs);
    for (const time of moments) {
      const [ownThen, theirsThen] = await both.ask('query', { query, time: String(time) });
      expect(ownThen, query).toEqual(theirsThen);
    }
  }

  test.skipIf(compliance === undefined).each((compliance?.cases ?? []).map(({ query }) => query))('%s', compare);

  const generator = new PromqlGenerator(metrics, seed);
  test.each(Array.from({ length: generatedCount }, () => generator.expression()))('%s', compare);
});
