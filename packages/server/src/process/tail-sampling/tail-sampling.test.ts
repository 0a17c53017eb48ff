import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError } from '../../config/config-error.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { RecordSink } from '../../pipeline/testing/record-sink.ts';
import { type SpanInput, START_MS, spansOf } from '../testing/requests.ts';
import { isTraceSampled } from './sampling-decision.ts';
import type { TailSampler } from './tail-sampler.ts';
import { tailSamplingFactory } from './tail-sampling-factory.ts';

const trace = (n: number) => n.toString(16).padStart(32, '0');

/** A started sampler with a clock of its own before a sink. */
async function started(yaml: string) {
  const clock = { now: START_MS };
  const context = testContext({ now: () => clock.now, pipeline: 'traces' });
  // What is on disk is the matter of restart.test.ts.
  const settings = settingsOf(`${yaml}\ndurable: false`);
  const blueprint = tailSamplingFactory.configure(settings);
  settings.finish();
  const sink = new RecordSink();
  const sampler = blueprint.create(context, sink.consumers) as TailSampler;
  await sampler.start();
  onTestFinished(() => sampler.shutdown(100));
  const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  return {
    sink,
    context,
    clock,
    sampler,
    /** Traces that came through, by their last digits. */
    kept: () => [...new Set(sink.spans.map(({ traceId }) => Number.parseInt(traceId.slice(-8), 16)))],
    async send(...spans: SpanInput[]) {
      await sampler.consume(spansOf(...spans));
    },
    async pass(milliseconds: number) {
      clock.now += milliseconds;
      sampler.decideDue();
      await settle();
    },
  };
}

/** Which of some traces a single policy keeps. Each input is a trace of some spans. */
async function keptBy(policy: string, ...traces: SpanInput[][]): Promise<number[]> {
  const { send, pass, kept } = await started(`decision_wait: 1s\npolicies:\n  - ${policy}`);
  await send(...traces.flatMap((spans, i) => spans.map((span) => ({ traceId: trace(i + 1), ...span }))));
  await pass(1_000);
  return kept();
}

// By the README and the configuration of the Collector's tail sampling processor.
describe('policies', () => {
  it('always_sample', async () => {
    expect(await keptBy('{name: a, type: always_sample}', [{}], [{}])).toEqual([1, 2]);
  });

  it('latency: from the earliest start to the latest end', async () => {
    const slow = [{ durationMs: 300 }, { start: START_MS + 400, durationMs: 200 }];
    const policy = (keys: string) => `{name: a, type: latency, latency: {${keys}}}`;
    expect(await keptBy(policy('threshold_ms: 500'), [{ durationMs: 499 }], slow, [{ durationMs: 500 }])).toEqual([
      2, 3,
    ]);
    expect(await keptBy(policy('threshold_ms: 500, upper_threshold_ms: 600'), slow, [{ durationMs: 601 }])).toEqual([
      1,
    ]);
  });

  it('numeric_attribute', async () => {
    const policy = '{name: a, type: numeric_attribute, numeric_attribute: {key: k, min_value: 50, max_value: 100}}';
    const of = (k: number | string) => [{ attributes: { k } }];
    expect(await keptBy(policy, of(49), of(50), of(99.5), of(100), of(101), of('75'))).toEqual([2, 3, 4]);
    expect(await keptBy(policy, [{ resource: { k: 60 } }])).toEqual([1]);
    const atLeast = '{name: a, type: numeric_attribute, numeric_attribute: {key: k, min_value: 50}}';
    expect(await keptBy(atLeast, of(49), of(5_000))).toEqual([2]);
  });

  it('probabilistic', async () => {
    // FNV mixes numbers that follow each other badly; ids are random.
    const traces = Array.from({ length: 1_000 }, () => [{ traceId: randomBytes(16).toString('hex') }]);
    const policy = (percentage: number, salt = '') =>
      `{name: a, type: probabilistic, probabilistic: {sampling_percentage: ${percentage}, hash_salt: "${salt}"}}`;
    const tenth = await keptBy(policy(10), ...traces);
    // Six standard deviations.
    expect(Math.abs(tenth.length - 100)).toBeLessThan(6 * Math.sqrt(1_000 * 0.1 * 0.9));
    expect(await keptBy(policy(10), ...traces)).toEqual(tenth);
    expect(await keptBy(policy(10, 'other'), ...traces)).not.toEqual(tenth);
    expect(await keptBy(policy(50), ...traces)).toEqual(expect.arrayContaining(tenth));
    expect(await keptBy(policy(100), ...traces)).toHaveLength(1_000);
    expect(await keptBy(policy(150), ...traces)).toHaveLength(1_000);
    expect(await keptBy(policy(0), ...traces)).toEqual([]);
  });

  it('status_code', async () => {
    const policy = '{name: a, type: status_code, status_code: {status_codes: [ERROR, UNSET]}}';
    expect(await keptBy(policy, [{ status: 1 }], [{ status: 1 }, { status: 2 }], [{ status: 0 }])).toEqual([2, 3]);
  });

  it('string_attribute: values, patterns, and neither', async () => {
    const of = (k: string) => [{ attributes: { k } }];
    const policy = (keys: string) => `{name: a, type: string_attribute, string_attribute: {key: k, ${keys}}}`;
    expect(await keptBy(policy('values: [v1, v2]'), of('v1'), of('v11'), [{ resource: { k: 'v2' } }])).toEqual([1, 3]);
    const pattern = 'values: ["^v[0-9]"], enabled_regex_matching: true, cache_max_size: 10';
    expect(await keptBy(policy(pattern), of('v1'), of('xv1'), of('v1'))).toEqual([1, 3]);
    expect(await keptBy(policy('values: [v1], invert_match: true'), of('v1'), of('v2'), [{}])).toEqual([2, 3]);
  });

  it('boolean_attribute', async () => {
    const policy = '{name: a, type: boolean_attribute, boolean_attribute: {key: k, value: true}}';
    const of = (k: boolean | string) => [{ attributes: { k } }];
    expect(await keptBy(policy, of(true), of(false), of('true'))).toEqual([1]);
  });

  it('trace_state and trace_flags', async () => {
    const policy = '{name: a, type: trace_state, trace_state: {key: k, values: [v1, v2]}}';
    expect(await keptBy(policy, [{ traceState: 'x=y, k=v1' }], [{ traceState: 'k=v11' }], [{}])).toEqual([1]);
    expect(await keptBy('{name: a, type: trace_flags}', [{ flags: 0x101 }], [{ flags: 0x100 }])).toEqual([1]);
  });

  it('span_count', async () => {
    const policy = '{name: a, type: span_count, span_count: {min_spans: 2, max_spans: 3}}';
    const of = (n: number) => Array.from({ length: n }, () => ({}));
    expect(await keptBy(policy, of(1), of(2), of(3), of(4))).toEqual([2, 3]);
  });

  it('rate_limiting: a bucket of twice the rate that fills up again', async () => {
    const { send, pass, kept } = await started(`decision_wait: 1s
policies: [{name: a, type: rate_limiting, rate_limiting: {spans_per_second: 2}}]`);
    await send(...[1, 2, 3, 4, 5, 6].map((n) => ({ traceId: trace(n) })));
    await pass(1_000);
    expect(kept()).toEqual([1, 2, 3, 4]);
    await send(...[7, 8, 9].map((n) => ({ traceId: trace(n) })));
    await pass(1_000);
    expect(kept()).toEqual([1, 2, 3, 4, 7, 8]);
  });

  it('bytes_limiting', async () => {
    const policy = (bytes: number) =>
      `{name: a, type: bytes_limiting, bytes_limiting: {bytes_per_second: ${bytes}, burst_capacity: ${bytes}}}`;
    const large = [{ attributes: { text: 'x'.repeat(2_000) } }];
    expect(await keptBy(policy(2_500), large, large, [{}])).toEqual([1, 3]);
    expect(await keptBy(policy(10_000), large, large, [{}])).toEqual([1, 2, 3]);
  });

  it('ottl_condition on spans and events', async () => {
    const policy = `{name: a, type: ottl_condition, ottl_condition: {error_mode: ignore,
      span: ['attributes["k"] == "v" and IsRootSpan()'], spanevent: ['name == "exception"']}}`;
    const traces = [
      [{ attributes: { k: 'v' } }],
      [{ attributes: { k: 'w' } }],
      [{}, { events: [{ name: 'exception' }] }],
    ];
    expect(await keptBy(policy, ...traces)).toEqual([1, 3]);
  });

  it('and, drop and not', async () => {
    const error = '{name: e, type: status_code, status_code: {status_codes: [ERROR]}}';
    const slow = '{name: s, type: latency, latency: {threshold_ms: 100}}';
    const traces = [[{ status: 2 }], [{ status: 2, durationMs: 100 }], [{ durationMs: 100 }], [{}]];
    expect(await keptBy(`{name: a, type: and, and: {and_sub_policy: [${error}, ${slow}]}}`, ...traces)).toEqual([2]);
    expect(await keptBy(`{name: a, type: not, not: {not_sub_policy: ${error}}}`, ...traces)).toEqual([3, 4]);
    const drop = `{name: d, type: drop, drop: {drop_sub_policy: [${slow}]}}`;
    expect(await keptBy(`{name: all, type: always_sample}\n  - ${drop}`, ...traces)).toEqual([1, 4]);
  });

  it('composite: the first that says yes, within its share of the spans per second', async () => {
    const policy = `name: c
    type: composite
    composite:
      max_total_spans_per_second: 10
      policy_order: [errors, rest]
      composite_sub_policy:
        - {name: rest, type: always_sample}
        - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
      rate_allocation:
        - {policy: errors, percent: 30}
        - {policy: rest, percent: 20}`;
    const errors = Array.from({ length: 5 }, () => [{ status: 2 }]);
    const others = Array.from({ length: 5 }, () => [{}]);
    expect(await keptBy(policy, ...errors, ...others)).toEqual([1, 2, 3, 6, 7]);
  });

  it.each([
    ['policies: []', 'needs at least one policy'],
    ['policies: [{name: a, type: always}]', '"always" is not one of'],
    ['policies: [{name: a, type: always_sample}, {name: a, type: always_sample}]', 'another policy is named "a"'],
    [
      'policies: [{name: a, type: status_code, status_code: {status_codes: [BAD]}}]',
      '"BAD" is not one of UNSET, OK, ERROR',
    ],
    ['policies: [{name: a, type: ottl_condition, ottl_condition: {span: ["nam == 1"]}}]', 'span has no field nam'],
    ['policies: [{name: a, type: probabilistic, probabilistic: {sampling_percentage: -1}}]', 'must be 0 or more'],
    [
      'policies: [{name: a, type: string_attribute, string_attribute: {key: k, values: ["("], enabled_regex_matching: true}}]',
      'missing closing )',
    ],
    ['policies: [{name: a, type: latency, latency: {threshold: 1}}]', '"threshold_ms" is required'],
  ])('refuse %s', (yaml, message) => {
    const configure = () => {
      const settings = settingsOf(yaml);
      tailSamplingFactory.configure(settings);
      settings.finish();
    };
    expect(configure).toThrow(ConfigError);
    expect(configure).toThrow(message);
  });
});

describe('a trace', () => {
  const ERRORS = `decision_wait: 10s
policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]`;

  it('waits for its spans, and goes on whole', async () => {
    const { send, pass, sink, kept } = await started(ERRORS);
    await send({ traceId: trace(1) }, { traceId: trace(2) });
    await pass(5_000);
    await send({ traceId: trace(1), status: 2 }, { traceId: trace(3), status: 2 });
    await pass(4_999);
    expect(sink.spans).toEqual([]);
    await pass(1);
    expect(kept()).toEqual([1]);
    expect(sink.spans).toHaveLength(2);
    await pass(5_000);
    expect(kept()).toEqual([1, 3]);
  });

  it('that was decided decides over its late spans', async () => {
    const { send, pass, sink } = await started(ERRORS);
    await send({ traceId: trace(1), status: 2 }, { traceId: trace(2) });
    await pass(10_000);
    await send({ traceId: trace(1), name: 'late' }, { traceId: trace(2), name: 'late', status: 2 });
    expect(sink.spans.map(({ name, traceId }) => [name, traceId])).toEqual([
      ['GET /', trace(1)],
      ['late', trace(1)],
    ]);
    await pass(10_000);
    expect(sink.spans).toHaveLength(2);
  });

  it('is decided early when there are too many, not lost', async () => {
    const { send, kept, pass, context } = await started(`decision_wait: 10s
num_traces: 2
policies: [{name: a, type: always_sample}]`);
    await send({ traceId: trace(1) });
    await send({ traceId: trace(2) });
    await send({ traceId: trace(3) });
    await pass(0);
    expect(kept()).toEqual([1]);
    expect(context.counted('signalbox_tail_sampling_decided_early')).toBe(1);
    expect(context.gauged('otelcol_processor_tail_sampling_sampling_traces_on_memory')).toBe(2);
  });

  it('is decided early for want of memory, no more than makes room', async () => {
    const { send, kept, pass, context } = await started(`decision_wait: 10s
max_memory: 30KiB
policies: [{name: a, type: always_sample}]`);
    for (let n = 1; n <= 8; n++) {
      await send({ traceId: trace(n), attributes: { text: 'x'.repeat(5_000) } });
      await pass(0);
    }
    // Five of 5 KB are more than four fifths of 30 KiB: from the sixth on, each makes the oldest go.
    expect(kept()).toEqual([1, 2, 3]);
    expect(context.counted('signalbox_tail_sampling_decided_early')).toBe(3);
  });

  it('is handed on again and again until it is taken, and senders wait meanwhile', async () => {
    const { send, sink, pass, context } = await started(`decision_wait: 1s
max_memory: 8KiB
policies: [{name: a, type: always_sample}]`);
    let down = true;
    sink.respond = () => {
      if (down) throw new SignalboxError('unavailable', 'down', { retryAfterMs: 1 });
      return { rejected: 0, reason: '' };
    };
    const large = { attributes: { text: 'x'.repeat(5_000) } };
    await send({ traceId: trace(1), ...large });
    await send({ traceId: trace(2), ...large });
    await expect(send({ traceId: trace(3) })).rejects.toMatchObject({ code: 'resource_exhausted', retryable: true });
    expect(sink.spans).toEqual([]);
    down = false;
    await expect.poll(() => sink.spans.length).toBe(1);
    await send({ traceId: trace(3) });
    await pass(1_000);
    expect(sink.spans).toHaveLength(3);
    await expect.poll(() => context.gauged('signalbox_tail_sampling_held_bytes')).toBe(0);
  });

  it('that the next stage refuses for good is told about', async () => {
    const { send, sink, pass, context } = await started(
      'decision_wait: 1s\npolicies: [{name: a, type: always_sample}]',
    );
    sink.respond = () => {
      throw new SignalboxError('invalid_argument', 'never');
    };
    await send({ traceId: trace(1) });
    await pass(1_000);
    expect(context.counted('signalbox_tail_sampling_refused_spans')).toBe(1);
    expect(context.logged).toContainEqual(expect.stringContaining('sampled spans were refused and are lost'));
  });
});

// "decision order" of upstream's README.
it.each([
  [['sampled', 'dropped'], false],
  [['sampled', 'inverted_not_sampled'], false],
  [['sampled', 'not_sampled'], true],
  [['inverted_sampled', 'not_sampled'], false],
  [['inverted_sampled'], true],
  [['not_sampled'], false],
  [[], false],
] as const)('decisions %s sample: %s', (decisions, expected) => {
  expect(isTraceSampled(decisions)).toBe(expected);
});
