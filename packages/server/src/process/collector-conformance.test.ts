import { decodeTraces } from '@signalbox/otlp';
import { describe, expect, it } from 'vitest';
import { settingsOf, testContext } from '../pipeline/testing/component-context.ts';
import { RecordSink } from '../pipeline/testing/record-sink.ts';
import { readConformanceFile } from '../receive/testing/conformance-file.ts';
import type { ServiceGraphConnector } from './service-graph/service-graph-connector.ts';
import { serviceGraphFactory } from './service-graph/service-graph-factory.ts';
import type { SpanMetricsConnector } from './span-metrics/span-metrics-connector.ts';
import { spanMetricsFactory } from './span-metrics/span-metrics-factory.ts';
import { isTraceSampled } from './tail-sampling/sampling-decision.ts';
import { tailSamplingFactory } from './tail-sampling/tail-sampling-factory.ts';
import { spansOf } from './testing/requests.ts';

// Cases that the Collector's own tests and documents hold. They are not part of this repository (CONTRIBUTING.md).

interface ExpectedMetric {
  readonly type?: 'sum' | 'histogram';
  readonly monotonic?: boolean;
  readonly temporality?: number;
  readonly unit?: string;
  readonly value?: number;
  readonly sum?: number;
  readonly bounds?: readonly number[];
  readonly buckets?: readonly number[];
  readonly attributes?: Readonly<Record<string, unknown>>;
}

interface Cases {
  readonly servicegraph: readonly {
    readonly name: string;
    readonly trace: object;
    readonly expected?: Readonly<Record<string, ExpectedMetric>> | null;
    readonly expected_server_variant?: Readonly<Record<string, ExpectedMetric>>;
  }[];
  readonly tail_sampling_policies: readonly string[];
  readonly tail_sampling_decision_order: readonly string[];
  readonly tail_sampling_defaults: Readonly<Record<string, string | number>>;
  readonly spanmetrics: {
    readonly metrics: readonly string[];
    readonly dimensions: readonly string[];
    readonly default_buckets_ms: readonly number[];
  };
  readonly goldendataset_pairwise_dimensions: object;
}

const text = readConformanceFile('collector/collector.json');
const cases = text === null ? null : (JSON.parse(text) as Cases);

/** What the file says only in words, in the settings that upstream's tests give. */
const SETTINGS: Readonly<Record<string, string>> = {
  'extra-dimensions-queue-db':
    '{dimensions: [db.system, messaging.system], latency_histogram_buckets: [100ms, 1s, 10s]}',
  'virtual-node-label':
    '{virtual_node_peer_attributes: [peer.service], virtual_node_extra_label: true, store: {ttl: 1s}}',
};

/** Cases of the file that nothing here can be held against. */
const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  'servicegraph: messaging-system (input only transcribed)': 'the file has no expected result',
  goldendataset_pairwise_dimensions:
    'lists the ingredients of test data, no behaviour; packages/otlp/src/testing/random-requests.ts makes such data',
};

describe.skipIf(cases === null)("the Collector's cases (skipped where collector/collector.json is absent)", () => {
  it('are all either executed or named with the reason', () => {
    expect(
      Object.keys(cases ?? {})
        .filter((key) => !key.startsWith('_'))
        .sort(),
    ).toEqual([
      'goldendataset_pairwise_dimensions',
      'servicegraph',
      'spanmetrics',
      'tail_sampling_decision_order',
      'tail_sampling_defaults',
      'tail_sampling_policies',
    ]);
    const unknown = (cases?.servicegraph ?? []).filter(
      ({ name }) => SETTINGS[name] === undefined && NOT_APPLICABLE[`servicegraph: ${name}`] === undefined,
    );
    expect(unknown).toEqual([]);
    for (const [name, reason] of Object.entries(NOT_APPLICABLE)) {
      process.stdout.write(`not applicable: ${name}: ${reason}\n`);
    }
  });

  for (const { name, trace, expected, expected_server_variant: variant } of cases?.servicegraph ?? []) {
    it.skipIf(SETTINGS[name] === undefined)(`servicegraph: ${name}`, async () => {
      const sink = new RecordSink();
      const clock = { now: Date.now() };
      const blueprint = serviceGraphFactory.configure(settingsOf(SETTINGS[name] ?? ''));
      const connector = blueprint.create(
        testContext({ now: () => clock.now }),
        sink.consumers,
      ) as ServiceGraphConnector;
      await connector.consume(decodeTraces(Buffer.from(JSON.stringify(trace)), 'json').batch);
      clock.now += 1_000;
      connector.expire();
      await connector.flush();
      let compared = 0;
      for (const [metric, wanted] of Object.entries({ ...expected, ...variant })) {
        if (typeof wanted !== 'object') continue;
        const points = sink.points
          .filter((point) => point.metric.name === metric)
          .map((point) => ({
            type: point.metric.type === 2 ? 'sum' : 'histogram',
            monotonic: point.metric.monotonic,
            temporality: point.metric.temporality,
            unit: point.metric.unit,
            attributes: Object.fromEntries(point.attributes),
            ...('value' in point && { value: Number(point.value) }),
            ...('bucketCounts' in point && {
              sum: point.sum,
              bounds: point.explicitBounds,
              buckets: point.bucketCounts.map(Number),
            }),
          }));
        expect(points).toContainEqual(expect.objectContaining(wanted));
        compared++;
      }
      expect(compared).toBeGreaterThan(0);
    });
  }

  it('spanmetrics: metrics, dimensions and default buckets', async () => {
    const sink = new RecordSink();
    const yaml = "{namespace: '', events: {enabled: true, dimensions: [{name: a}]}}";
    const blueprint = spanMetricsFactory.configure(settingsOf(yaml));
    const connector = blueprint.create(testContext(), sink.consumers) as SpanMetricsConnector;
    await connector.consume(spansOf({ events: [{ name: 'e', attributes: { a: 1 } }] }));
    await connector.flush();
    const metrics = new Map(sink.points.map((point) => [point.metric.name, point]));
    expect([...metrics.keys()].sort()).toEqual(cases?.spanmetrics.metrics.map((text) => text.split(' ')[0]).sort());
    expect(metrics.get('calls')?.attributes.map(([key]) => key)).toEqual(cases?.spanmetrics.dimensions);
    expect(metrics.get('duration')).toMatchObject({
      explicitBounds: cases?.spanmetrics.default_buckets_ms,
      metric: { unit: 'ms' },
    });
  });

  it('tail_sampling: every policy that is listed is configured by the keys that are listed', () => {
    const values: Readonly<Record<string, string>> = {
      status_codes: '[ERROR]',
      key: 'k',
      values: '[v]',
      enabled_regex_matching: 'true',
      value: 'true',
      error_mode: 'ignore',
      'span[]': `['name == "x"']`,
      'spanevent[]': `['name == "x"']`,
      and_sub_policy: '[{name: s, type: always_sample}]',
      drop_sub_policy: '[{name: s, type: always_sample}]',
      composite_sub_policy: '[{name: s, type: always_sample}]',
      policy_order: '[s]',
      rate_allocation: '[{policy: s, percent: 50}]',
      hash_salt: 'salt',
    };
    for (const listed of cases?.tail_sampling_policies ?? []) {
      const [, type = '', keys = ''] = /^(\w+)(?:\((.*)\))?$/.exec(listed) ?? [];
      const given = type === 'not' ? 'not_sub_policy' : keys;
      const entries = given
        .split(',')
        .map((key) => key.trim())
        .filter((key) => key !== '')
        .map((key) => {
          const value = key === 'not_sub_policy' ? '{name: s, type: always_sample}' : (values[key] ?? '10');
          return `${key.replace('[]', '')}: ${value}`;
        });
      const settings = settingsOf(`policies: [{name: p, type: ${type}, ${type}: {${entries.join(', ')}}}]`);
      expect(() => {
        tailSamplingFactory.configure(settings);
        settings.finish();
      }, listed).not.toThrow();
    }
    expect(cases?.tail_sampling_policies.length).toBeGreaterThan(10);
  });

  it('tail_sampling: the order of decisions', () => {
    expect(cases?.tail_sampling_decision_order).toEqual([
      'any drop -> not sampled',
      '(deprecated) any inverted-not-sample -> not sampled',
      'any sample -> sampled',
      '(deprecated) inverted-sample and no not-sample -> sampled',
      'otherwise not sampled',
    ]);
    expect(isTraceSampled(['dropped', 'sampled', 'inverted_sampled'])).toBe(false);
    expect(isTraceSampled(['inverted_not_sampled', 'sampled'])).toBe(false);
    expect(isTraceSampled(['not_sampled', 'sampled'])).toBe(true);
    expect(isTraceSampled(['inverted_sampled'])).toBe(true);
    expect(isTraceSampled(['not_sampled', 'inverted_sampled'])).toBe(false);
  });

  it('tail_sampling: defaults', () => {
    const settings = settingsOf('policies: [{name: a, type: always_sample}]');
    tailSamplingFactory.configure(settings);
    expect(settings.effective()).toMatchObject({
      decision_wait: cases?.tail_sampling_defaults.decision_wait,
      num_traces: cases?.tail_sampling_defaults.num_traces,
      decision_cache: { sampled_cache_size: 0, non_sampled_cache_size: 0 },
    });
  });
});
