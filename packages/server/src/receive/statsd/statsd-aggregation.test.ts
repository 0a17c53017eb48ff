import { readFileSync } from 'node:fs';
import { ProtocolDecodeError } from '@signalbox/protocols';
import { type MetricPointObject, metricPointObjects } from '@signalbox/records';
import { describe, expect, it, test } from 'vitest';
import { FUZZ_TIMEOUT, fuzz } from '../../../../../tooling/fuzz.ts';
import { settingsOf } from '../../pipeline/testing/component-context.ts';
import { pointsOf } from '../../pipeline/testing/record-sink.ts';
import { StatsdAggregation } from './statsd-aggregation.ts';
import { readStatsdSettings } from './statsd-settings.ts';

interface CollectorCase {
  readonly name: string;
  readonly settings: {
    readonly isMonotonicCounter?: boolean;
    readonly enableMetricType?: boolean;
    readonly enableSimpleTags?: boolean;
    readonly enableIpOnlyAggregation?: boolean;
    readonly ignoreHost?: boolean;
    readonly counterType?: string;
    readonly mapping?: readonly {
      readonly type: string;
      readonly observer: string;
      readonly percentiles?: readonly number[];
      readonly maxSize?: number;
      readonly buckets?: readonly { readonly pattern: string; readonly bounds: readonly number[] }[];
    }[];
  };
  /** Each with its sender: 1 and 2 are ports of one address, 3 another address. */
  readonly lines: readonly (readonly [sender: '1' | '2' | '3', line: string])[];
  /** Places of the lines that were refused. */
  readonly refused: readonly number[];
  /** OTLP/JSON, without times. */
  readonly metrics: readonly object[];
}

/** What the parser of the Collector's statsdreceiver 0.165.0 answered to these lines under these settings. */
const CASES = JSON.parse(
  readFileSync(new URL('../testing/statsd-collector.json', import.meta.url), 'utf8'),
) as CollectorCase[];

const SENDERS = { 1: '10.0.0.1:1111', 2: '10.0.0.1:2222', 3: '10.0.0.2:1111' } as const;

function yamlOf({ settings }: CollectorCase): string {
  const mapping = settings.mapping?.map(({ type, observer, percentiles, maxSize, buckets }) => ({
    statsd_type: type,
    observer_type: observer,
    ...(percentiles && { summary: { percentiles } }),
    ...((maxSize ?? buckets) && {
      histogram: {
        ...(maxSize && { max_size: maxSize }),
        ...(buckets && {
          explicit_buckets: buckets.map(({ pattern, bounds }) => ({ matcher_pattern: pattern, buckets: bounds })),
        }),
      },
    }),
  }));
  return JSON.stringify({
    is_monotonic_counter: settings.isMonotonicCounter ?? false,
    enable_metric_type: settings.enableMetricType ?? false,
    enable_simple_tags: settings.enableSimpleTags ?? false,
    enable_ip_only_aggregation: settings.enableIpOnlyAggregation ?? false,
    ignore_host: settings.ignoreHost ?? false,
    counter_type: settings.counterType ?? 'int',
    ...(mapping && { timer_histogram_mapping: mapping }),
  });
}

function aggregation(yaml: string, nowMs = 0) {
  const settings = settingsOf(yaml);
  const read = readStatsdSettings(settings);
  settings.finish();
  return { aggregation: new StatsdAggregation(read.aggregation, nowMs), sender: read.sender };
}

/** Points as texts, without times and origins, in an order of their own. */
function comparable(points: readonly MetricPointObject[]): string[] {
  const plain = (_key: string, value: unknown) =>
    typeof value === 'bigint' ? `${value}` : value === undefined ? null : value;
  return points
    .map(({ time: _time, startTime: _startTime, resource: _resource, scope: _scope, ...point }) =>
      JSON.stringify({ ...point, attributes: [...point.attributes].sort() }, plain),
    )
    .sort();
}

describe('adds up as the Collector does:', () => {
  test.each(CASES.map((each) => [each.name, each] as const))('%s', (_name, each) => {
    const { aggregation: adding, sender } = aggregation(yamlOf(each));
    const refused: number[] = [];
    for (const [i, [from, line]] of each.lines.entries()) {
      const whole = SENDERS[from];
      const key = sender === 'all' ? '' : sender === 'address' ? whole.split(':')[0] : whole;
      try {
        adding.add(line, key ?? '', 1_000);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolDecodeError);
        refused.push(i);
      }
    }
    expect(refused).toEqual(each.refused);
    const batch = adding.take(2_000);
    const expected = pointsOf({ resourceMetrics: [{ scopeMetrics: [{ metrics: each.metrics }] }] });
    expect(comparable(batch === null ? [] : metricPointObjects(batch))).toEqual(
      comparable(metricPointObjects(expected)),
    );
  });
});

test('an interval begins where the last one ended, and knows nothing of it', () => {
  const { aggregation: adding } = aggregation(
    '{timer_histogram_mapping: [{statsd_type: timer, observer_type: summary}]}',
    1_000,
  );
  const take = (nowMs: number) => {
    const batch = adding.take(nowMs);
    return batch === null ? null : metricPointObjects(batch);
  };
  adding.add('a:3|c', 's', 5_000);
  adding.add('g:3|g', 's', 5_000);
  adding.add('t:3|ms', 's', 5_000);
  expect(take(61_000)).toMatchObject([
    { metric: { name: 'a' }, startTime: 1_000_000_000n, time: 61_000_000_000n, value: 3n },
    { metric: { name: 'g' }, startTime: 0n, value: 3 },
    { metric: { name: 't' }, startTime: 1_000_000_000n, time: 61_000_000_000n, count: 1n },
  ]);
  expect(take(121_000)).toBeNull();
  adding.add('a:4|c', 's', 130_000);
  adding.add('g:+4|g', 's', 130_000);
  expect(take(181_000)).toMatchObject([
    { metric: { name: 'a' }, startTime: 121_000_000_000n, time: 181_000_000_000n, value: 4n },
    { metric: { name: 'g' }, value: 4 },
  ]);
});

test('points of one series never have the same time, whoever sent them', () => {
  const { aggregation: adding } = aggregation('{}');
  for (const sender of ['a', 'b', 'c']) {
    adding.add('hits:1|c', sender, 1_000);
    adding.add('t:1|ms', sender, 1_000);
    adding.add('t:1|ms', sender, 1_000);
  }
  const batch = adding.take(2_000);
  const points = batch === null ? [] : metricPointObjects(batch);
  for (const [name, count] of [
    ['hits', 3],
    ['t', 6],
  ] as const) {
    const times = points.filter(({ metric }) => metric.name === name).map(({ time }) => time);
    if (name === 'hits') expect(times).toEqual([2_000_000_000n, 1_999_000_000n, 1_998_000_000n]);
    expect(times).toHaveLength(count);
    expect(new Set(times).size).toBe(count);
  }
});

test('the time that DogStatsD tells is the point’s', () => {
  const { aggregation: adding } = aggregation('{}', 1_700_000_100_000);
  adding.add('a:3|c|T1700000000', 's', 1_700_000_130_000);
  adding.add('g:3|g|T1700000000', 's', 1_700_000_130_000);
  const batch = adding.take(1_700_000_160_000);
  expect(batch === null ? [] : metricPointObjects(batch)).toMatchObject([
    { time: 1_700_000_000_000_000_000n, startTime: 1_700_000_000_000_000_000n },
    { time: 1_700_000_000_000_000_000n, startTime: 0n },
  ]);
});

test('rounding by chance loses nothing in the long run', () => {
  const { aggregation: adding } = aggregation('{counter_type: stochastic_int}');
  for (let i = 0; i < 10_000; i++) adding.add('a:0.25|c', 's', 0);
  const batch = adding.take(1_000);
  const [point] = batch === null ? [] : metricPointObjects(batch);
  const sum = Number((point as { value?: unknown } | undefined)?.value);
  // Eleven standard deviations.
  expect(sum).toBeGreaterThan(2_000);
  expect(sum).toBeLessThan(3_000);
});

describe('what is held is bounded', () => {
  it('in series', () => {
    const { aggregation: adding } = aggregation('{max_series: 2}');
    expect(['a:1|c', 'b:1|c', 'c:1|c', 'a:1|c'].map((line) => adding.add(line, 's', 0))).toEqual([
      'held',
      'held',
      'full',
      'held',
    ]);
    adding.take(1_000);
    expect(adding.add('c:1|c', 's', 0)).toBe('held');
  });

  it.each([
    ['series of long names', (i: number) => `${'n'.repeat(10_000)}${i}:1|c`],
    ['single values', () => 'a:1|ms|#k:v'],
    ['values of summaries', () => 'a:1|d'],
    ['buckets', (i: number) => `a${i >> 1}:${i % 2 === 0 ? 1 : 2.7}|h`],
  ])('in bytes, of %s', (_what, line) => {
    const observer = line(0).includes('|d') ? 'summary' : 'histogram, histogram: {max_size: 16384}';
    const yaml = `{max_in_flight_size: 1MiB, timer_histogram_mapping: [{statsd_type: timer, observer_type: gauge}, {statsd_type: histogram, observer_type: ${observer}}]}`;
    const { aggregation: adding } = aggregation(yaml);
    let held = 0;
    while (adding.add(line(held), 's', 0) === 'held') {
      held++;
      expect(held).toBeLessThan(100_000);
    }
    const batch = adding.take(1_000);
    expect(batch?.rowCount).toBeGreaterThan(0);
    expect(batch?.byteCount).toBeLessThan(2 * 1024 ** 2);
  });
});

it('makes points of whatever lines are accepted', { timeout: FUZZ_TIMEOUT }, () => {
  const mapping = CASES.find(({ name }) => name === 'explicit buckets');
  const { aggregation: adding } = aggregation(mapping === undefined ? '{}' : yamlOf(mapping));
  const lines = ['foo:-1e3|ms|@0.5|#k:v,l:w', 'bar:1e-3|ms|@0.1', 'exact:0.25|d|@0.1|#k:v|c:abc', 'c:12|c|@0.1|#k:v'];
  let added = 0;
  fuzz(
    lines.map((line) => Buffer.from(line)),
    (bytes) => {
      if (adding.add(Buffer.from(bytes).toString(), 's', 1_000) === 'full' || ++added % 500 === 0) {
        const batch = adding.take(2_000);
        if (batch !== null) metricPointObjects(batch);
      }
    },
    (error) => error instanceof ProtocolDecodeError,
  );
  expect(added).toBeGreaterThan(100);
});

test.each([
  ['{transport: unixgram}', 'component::transport: unixgram is not supported'],
  ['{transport: upd}', 'did you mean "udp"'],
  ['{aggregation_interval: 0s}', 'out of range; write 100ms to 24h'],
  ['{timer_histogram_mapping: [{observer_type: gauge}]}', '"statsd_type" is required'],
  ['{timer_histogram_mapping: [{statsd_type: timing}]}', '"observer_type" is required'],
  ['{timer_histogram_mapping: [{statsd_type: set, observer_type: gauge}]}', 'not one of timing'],
  ['{timer_histogram_mapping: [{statsd_type: timing, observer_type: gaug}]}', 'did you mean "gauge"'],
  [
    '{timer_histogram_mapping: [{statsd_type: timing, observer_type: histogram, histogram: {max_size: 1}}]}',
    'write 2 to 16384',
  ],
  [
    '{timer_histogram_mapping: [{statsd_type: timing, observer_type: summary, histogram: {max_size: 10}}]}',
    'belongs to observer_type: histogram',
  ],
  [
    '{timer_histogram_mapping: [{statsd_type: timing, observer_type: summary, summary: {percentiles: [101]}}]}',
    'write 0 to 100',
  ],
  [
    '{timer_histogram_mapping: [{statsd_type: timing, observer_type: histogram, histogram: {explicit_buckets: [{matcher_pattern: "(", buckets: [1]}]}}]}',
    'missing closing )',
  ],
  [
    '{timer_histogram_mapping: [{statsd_type: timing, observer_type: histogram, histogram: {explicit_buckets: [{matcher_pattern: a, buckets: [2, 1]}]}}]}',
    'upper bounds must rise',
  ],
  ['{max_in_flight_size: 1GiB}', 'write 1MiB to 128MiB'],
])('the setting %s is refused', (yaml, message) => {
  expect(() => aggregation(yaml)).toThrow(message);
});
