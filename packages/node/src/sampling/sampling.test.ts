import { type Context, createTraceState, ROOT_CONTEXT, SpanKind, type SpanStatus, trace } from '@opentelemetry/api';
import { type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { Environment } from '../environment.ts';
import type { StartOptions } from '../options.ts';
import { RecordedWarnings } from '../testing/recorded-warnings.ts';
import type { RecordingSpan } from '../trace/span.ts';
import { TailBuffer } from '../trace/tail-buffer.ts';
import { Warnings } from '../warnings.ts';
import { probabilitySampler, thresholdOf } from './probability-sampler.ts';
import { resolveSampling } from './resolve-sampling.ts';
import { ruleSampler } from './rule-sampler.ts';
import { alwaysOff, alwaysOn, rateLimited } from './simple-samplers.ts';

function parent(traceFlags: number, traceState = ''): Context {
  const spanContext = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, { ...spanContext, traceState: createTraceState(traceState) });
}

function ask(
  sampler: Sampler,
  { context = ROOT_CONTEXT, traceId = 'a'.repeat(32), name = 'span', attributes = {} } = {},
) {
  const { decision, traceState } = sampler.shouldSample(context, traceId, name, SpanKind.SERVER, attributes, []);
  return { kept: decision === SamplingDecision.RECORD_AND_SAMPLED, ot: traceState?.get('ot') };
}

function resolved(variables: Record<string, string>, options: StartOptions = {}): string {
  return resolveSampling(options, new Environment(variables, new Warnings(true))).sampler.toString();
}

/** https://opentelemetry.io/docs/specs/otel/trace/tracestate-handling/#sampling-threshold-value-th */
test.each([
  [1, '0'],
  [0.5, '8'],
  [0.25, 'c'],
  [0.75, '4'],
  [0.1, 'e666'],
  [0.01, 'fd70a'],
  [2 ** -56 * 16, 'fffffffffffff'],
  [0, undefined],
  [-1, undefined],
  [Number.NaN, undefined],
])('the rejection threshold of a ratio of %d is %s', (ratio, threshold) => {
  expect(thresholdOf(ratio)).toBe(threshold);
});

test('the last 56 bits of the trace id are compared with the threshold', () => {
  const half = probabilitySampler(0.5);
  expect(ask(half, { traceId: `${'0'.repeat(18)}80000000000000` })).toEqual({ kept: true, ot: 'th:8' });
  expect(ask(half, { traceId: `${'f'.repeat(18)}7fffffffffffff` })).toEqual({ kept: false, ot: undefined });
});

test('explicit randomness replaces the trace id; other fields of the entry stay, an outdated threshold goes', () => {
  const half = probabilitySampler(0.5);
  const low = { traceId: '0'.repeat(31).concat('1') };
  expect(ask(half, { ...low, context: parent(1, 'ot=rv:80000000000000;x:1') })).toEqual({
    kept: true,
    ot: 'th:8;rv:80000000000000;x:1',
  });
  expect(ask(half, { ...low, context: parent(1, 'ot=th:4;rv:7fffffffffffff') })).toEqual({
    kept: false,
    ot: 'rv:7fffffffffffff',
  });
  expect(ask(half, { ...low, context: parent(1, 'ot=rv:nonsense') }).kept).toBe(false);
});

test('a smaller ratio keeps a subset of what a larger one keeps', () => {
  const [small, large] = [probabilitySampler(0.1), probabilitySampler(0.3)];
  let [keptBySmall, keptByLarge] = [0, 0];
  for (let index = 0; index < 5000; index += 1) {
    const traceId = Array.from({ length: 32 }, (_, digit) =>
      ((index * 7919 + digit * digit * 104_729) % 16).toString(16),
    ).join('');
    const id = `${traceId.slice(0, 18)}${((index * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0')}000000`;
    const inSmall = ask(small, { traceId: id }).kept;
    const inLarge = ask(large, { traceId: id }).kept;
    if (inSmall) expect(inLarge).toBe(true);
    keptBySmall += Number(inSmall);
    keptByLarge += Number(inLarge);
  }
  expect(keptBySmall / 5000).toBeCloseTo(0.1, 1);
  expect(keptByLarge / 5000).toBeCloseTo(0.3, 1);
});

test.each([
  [{}, 'ParentBased{root=AlwaysOnSampler}'],
  [{ OTEL_TRACES_SAMPLER: 'always_off' }, 'AlwaysOffSampler'],
  [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' }, 'ProbabilitySampler{0.25}'],
  [{ OTEL_TRACE_SAMPLER_RATE: '0.1' }, 'ParentBased{root=ProbabilitySampler{0.1}}'],
  [{ OTEL_TRACE_SAMPLER_RATE: '1.0' }, 'ParentBased{root=AlwaysOnSampler}'],
  [{ OTEL_TRACES_SAMPLER: 'always_on', OTEL_TRACE_SAMPLER_RATE: '0.1' }, 'AlwaysOnSampler'],
  [{ OTEL_TRACES_SAMPLER: 'always_off', OTEL_TRACE_SAMPLER_RATE: '1' }, 'AlwaysOffSampler'],
  [
    { OTEL_TRACES_SAMPLER: 'parentbased_always_on', OTEL_TRACE_SAMPLER_RATE: '0.1' },
    'ParentBased{root=AlwaysOnSampler}',
  ],
  [
    { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5', OTEL_TRACE_SAMPLER_RATE: '0.1' },
    'ParentBased{root=ProbabilitySampler{0.5}}',
  ],
])('environment %j', (variables, expected) => {
  expect(resolved(variables)).toBe(expected);
});

test.each<[Record<string, string>, string, RegExp]>([
  [
    {
      OTEL_TRACES_SAMPLER: 'jaeger_remote',
      OTEL_TRACES_SAMPLER_ARG: 'endpoint=http://j:1,pollingIntervalMs=5,initialSamplingRate=0.25',
    },
    'ProbabilitySampler{0.25}',
    /jaeger_remote is not supported, .* initialSamplingRate decides, 0\.25$/,
  ],
  [
    { OTEL_TRACES_SAMPLER: 'parentbased_jaeger_remote' },
    'ParentBased{root=AlwaysOnSampler}',
    /parentbased_jaeger_remote is not supported, .* every new trace is kept$/,
  ],
  [
    { OTEL_TRACES_SAMPLER: 'xray' },
    'ParentBased{root=AlwaysOnSampler}',
    /xray is not supported, .* parentbased_traceidratio/,
  ],
])('environment %j is replaced, in one line', (variables, expected, line) => {
  const warnings = new RecordedWarnings();
  expect(resolveSampling({}, new Environment(variables, warnings)).sampler.toString()).toBe(expected);
  expect(warnings.said).toEqual([expect.stringMatching(line)]);
});

test('options beat the environment, a sampler beats the other options, and outcomes alone leave the start to the environment', () => {
  const off = { OTEL_TRACES_SAMPLER: 'always_off' };
  expect(resolved(off, { sampling: { ratio: 0.5 } })).toBe('ParentBased{root=ProbabilitySampler{0.5}}');
  expect(resolved(off, { sampling: { ratio: 0.5, followParent: false, maxPerSecond: 5 } })).toBe(
    'AllOf{ProbabilitySampler{0.5}, RateLimited{5/s}}',
  );
  expect(resolved({}, { sampler: alwaysOff, sampling: { ratio: 0.5 } })).toBe('AlwaysOffSampler');
  expect(resolved(off, { sampling: { keepErrors: true } })).toBe('AlwaysOffSampler');
});

test('a parent decides for its children', () => {
  const { sampler } = resolveSampling({ sampling: { ratio: 0 } }, new Environment({}, new Warnings(true)));
  expect(ask(sampler, { context: parent(1) }).kept).toBe(true);
  expect(ask(sampler, { context: parent(0) }).kept).toBe(false);
  expect(ask(sampler).kept).toBe(false);
});

test('the first rule that fits decides', () => {
  const sampler = ruleSampler(
    [
      { route: '/users/:id', attributes: { 'http.request.method': 'GET' }, ratio: 1 },
      { route: '/internal/*', ratio: 1 },
      { name: /^job /g, ratio: 1 },
      { attributes: { 'user_agent.original': /probe/i }, ratio: 0 },
    ],
    alwaysOff,
  );
  const path = (path: string, method = 'GET') =>
    ask(sampler, { attributes: { 'url.path': path, 'http.request.method': method } }).kept;
  expect([path('/users/7'), path('/users/7', 'PUT'), path('/users/7/cart'), path('/users/')]).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect([path('/internal/a/b'), path('/internalx')]).toEqual([true, false]);
  expect([ask(sampler, { name: 'job 1' }).kept, ask(sampler, { name: 'job 2' }).kept]).toEqual([true, true]);
  const otherwise = ruleSampler([{ attributes: { 'user_agent.original': /probe/i }, ratio: 0 }], alwaysOn);
  expect(ask(otherwise, { attributes: { 'user_agent.original': 'kube-Probe/1' } }).kept).toBe(false);
  expect(ask(otherwise).kept).toBe(true);
});

test('so many a second, by the clock that is given', () => {
  let now = 0;
  const sampler = rateLimited(2, () => now);
  const kept = () => [1, 2, 3, 4].filter(() => ask(sampler).kept).length;
  expect(kept()).toBe(2);
  now += 500;
  expect(kept()).toBe(1);
  now += 60_000;
  expect(kept()).toBe(2);
});

/** What a tail buffer looks at. */
function ended(name: string, root?: RecordingSpan, { seconds = 0, failed = false } = {}): RecordingSpan {
  const status: SpanStatus = { code: failed ? 2 : 0 };
  const span: { localRoot?: object } = { name, status, seconds, scope: { name, version: '', schemaUrl: '' } } as object;
  span.localRoot = root ?? span;
  return span as unknown as RecordingSpan;
}

test('traces with errors and slow ones are kept whole, with what ends later; others are not', () => {
  const delivered: string[] = [];
  const tail = new TailBuffer({ errors: true, slowMillis: 500 }, ({ name }) => void delivered.push(name));
  const hold = (span: RecordingSpan): void => tail.hold(span, () => Buffer.from('x'));
  const failing = ended('failing');
  hold(ended('child', failing, { failed: true }));
  hold(ended('other child', failing));
  expect(delivered).toEqual([]);
  hold(failing);
  expect([...delivered].sort()).toEqual(['child', 'failing', 'other child']);
  hold(ended('late', failing));
  expect(delivered).toContain('late');

  const fast = ended('fast', undefined, { seconds: 0.4 });
  hold(ended('of fast', fast));
  hold(fast);
  hold(ended('late of fast', fast));
  hold(ended('slow', undefined, { seconds: 0.5 }));
  expect(delivered).toHaveLength(5);
  expect(delivered.at(-1)).toBe('slow');
});

test('what is held is bounded: the oldest trace is given up and counted', () => {
  const tail = new TailBuffer({ errors: true, slowMillis: Number.POSITIVE_INFINITY }, () => {
    throw new Error('nothing is kept');
  });
  const roots = Array.from({ length: 40 }, (_, index) => ended(`root ${index}`));
  for (const root of roots) tail.hold(ended('child', root), () => Buffer.alloc(1024 * 1024));
  expect(tail.evicted).toBe(24);
});
