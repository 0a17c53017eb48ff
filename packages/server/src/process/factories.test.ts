import { describe, expect, it } from 'vitest';
import { ConfigError } from '../config/config-error.ts';
import type { ProcessorFactory } from '../pipeline/component-factory.ts';
import { settingsOf, testContext } from '../pipeline/testing/component-context.ts';
import { RecordSink } from '../pipeline/testing/record-sink.ts';
import { attributesFactory } from './attributes/attributes-factory.ts';
import { resourceFactory } from './attributes/resource-factory.ts';
import { filterFactory } from './filter/filter-factory.ts';
import { probabilisticSamplerFactory } from './sampling/probabilistic-sampler-factory.ts';
import { gaugesOf, logsOf, spansOf } from './testing/requests.ts';
import { transformFactory } from './transform/transform-factory.ts';

/** The component of these settings before a sink. */
function made(factory: ProcessorFactory, yaml: string) {
  const settings = settingsOf(yaml);
  const blueprint = factory.configure(settings);
  settings.finish();
  const sink = new RecordSink();
  const context = testContext();
  const { consumers } = blueprint.create(context, sink.consumers);
  return { sink, context, consumers: consumers as Required<typeof consumers>, mutatesData: blueprint.mutatesData };
}

function mistake(factory: ProcessorFactory, yaml: string): string {
  try {
    made(factory, yaml);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('expected a mistake');
}

describe('attributes', () => {
  // The configuration of seed 002.
  it('are set on spans, log records and points', async () => {
    const { consumers, sink } = made(
      attributesFactory,
      `actions:
  - key: environment
    value: production
    action: upsert
`,
    );
    await consumers.traces.consume(spansOf({}));
    await consumers.logs.consume(logsOf({}));
    await consumers.metrics.consume(gaugesOf({ name: 'a', points: [{ value: 1 }] }));
    for (const record of [...sink.spans, ...sink.logs, ...sink.points]) {
      expect(record.attributes).toEqual([['environment', 'production']]);
    }
    expect(sink.batchSizes).toEqual([1, 1, 1]);
  });

  it('are read with their types, and only of chosen records', async () => {
    const { consumers, sink } = made(
      attributesFactory,
      `include:
  match_type: regexp
  regexp: {cacheenabled: true}
  services: [^auth]
  attributes:
    - {key: tier, value: "^1$"}
exclude:
  match_type: strict
  span_names: [skip]
actions:
  - {key: int, value: 7, action: insert}
  - {key: double, value: 1.5, action: insert}
  - {key: bool, value: true, action: insert}
  - {key: list, value: [a, 1], action: insert}
  - {key: copy, from_attribute: tier, action: insert}
`,
    );
    const resource = { 'service.name': 'auth-1' };
    await consumers.traces.consume(
      spansOf(
        { resource, attributes: { tier: 1 } },
        { resource, attributes: { tier: 1 }, name: 'skip' },
        { attributes: { tier: 1 } },
      ),
    );
    expect(Object.fromEntries(sink.spans[0]?.attributes ?? [])).toEqual({
      tier: 1n,
      int: 7n,
      double: 1.5,
      bool: true,
      list: ['a', 1n],
      copy: 1n,
    });
    expect(sink.spans.map(({ attributes }) => attributes.length)).toEqual([6, 1, 1]);
  });

  it.each([
    ['actions: []', 'needs at least one action'],
    ['actions: [{key: a, action: insert}]', 'insert needs a value or from_attribute'],
    ['actions: [{key: a, action: insrt, value: 1}]', '"insrt" is not one of'],
    ['actions: [{key: a, action: extract, pattern: "(x)"}]', 'extract needs a pattern with named groups'],
    ['actions: [{key: a, action: delete, pattern: "(x"}]', 'missing closing )'],
    ['actions: [{key: a, action: convert}]', 'convert needs a converted_type'],
    ['actions: [{key: a, action: upsert, from_context: x}]', 'does not hand headers'],
    ['actions: [{key: a, action: upsert, value: 1, colour: red}]', 'there is no such key'],
    ['{actions: [{key: a, action: delete}], include: {match_type: strict}}', 'names nothing to match'],
    ['{actions: [{key: a, action: delete}], include: {match_type: regexp, services: ["("]}}', 'missing closing )'],
  ])('refuse %s', (yaml, message) => {
    expect(mistake(attributesFactory, yaml)).toContain(message);
  });
});

it('resource: changes what all records of a resource share', async () => {
  const { consumers, sink } = made(
    resourceFactory,
    'attributes: [{key: cloud.zone, value: zone-1, action: upsert}, {key: host.name, action: delete}]',
  );
  await consumers.logs.consume(logsOf({ resource: { 'host.name': 'h' } }));
  expect(sink.logs[0]?.resource.attributes).toEqual([['cloud.zone', 'zone-1']]);
});

describe('filter', () => {
  it('drops by conditions, and ends batches that lost all their rows', async () => {
    const { consumers, sink, mutatesData } = made(
      filterFactory,
      `error_mode: ignore
traces:
  span:
    - attributes["http.route"] == "/health"
    - resource.attributes["service.name"] == "probe"
logs:
  log_record: ['severity_number < SEVERITY_NUMBER_INFO']
metrics:
  metric: ['name == "debug"']
  datapoint: ['value_double < 0.0']
`,
    );
    expect(mutatesData).toBe(false);
    await consumers.traces.consume(spansOf({ attributes: { 'http.route': '/health' } }, { name: 'kept' }));
    await consumers.traces.consume(spansOf({ resource: { 'service.name': 'probe' } }));
    await consumers.logs.consume(logsOf({ severityNumber: 5 }, { severityNumber: 9, body: 'kept' }));
    await consumers.metrics.consume(
      gaugesOf({ name: 'debug', points: [{ value: 1 }] }, { name: 'a', points: [{ value: -1 }, { value: 2 }] }),
    );
    expect(sink.spans.map(({ name }) => name)).toEqual(['kept']);
    expect(sink.logs.map(({ body }) => body)).toEqual(['kept']);
    expect(sink.points).toEqual([expect.objectContaining({ value: 2 })]);
    expect(sink.batchSizes).toEqual([1, 1, 1]);
  });

  it('tells what conditions are about from their paths', async () => {
    const { consumers, sink, mutatesData } = made(
      filterFactory,
      `trace_conditions: ['spanevent.name == "noise"', 'span.name == "drop"']
log_conditions: ['log.body == "drop"']
`,
    );
    expect(mutatesData).toBe(true);
    await consumers.traces.consume(spansOf({ name: 'drop' }, { events: [{ name: 'noise' }, { name: 'signal' }] }));
    await consumers.logs.consume(logsOf({ body: 'drop' }, { body: 'keep' }));
    expect(sink.spans.map(({ events }) => events.map(({ name }) => name))).toEqual([['signal']]);
    expect(sink.logs.map(({ body }) => body)).toEqual(['keep']);
  });

  it('reads the old include and exclude', async () => {
    const { consumers, sink } = made(
      filterFactory,
      `metrics:
  include:
    match_type: regexp
    metric_names: [prefix_.*]
  exclude:
    match_type: strict
    metric_names: [prefix_b]
logs:
  exclude:
    match_type: strict
    resource_attributes: [{Key: host.name, Value: noisy}]
spans:
  exclude:
    match_type: strict
    services: [probe]
`,
    );
    const gauge = (name: string) => ({ name, points: [{ value: 1 }] });
    await consumers.metrics.consume(gaugesOf(gauge('prefix_a'), gauge('prefix_b'), gauge('other')));
    await consumers.logs.consume(logsOf({ resource: { 'host.name': 'noisy' } }, { body: 'kept' }));
    await consumers.traces.consume(spansOf({ resource: { 'service.name': 'probe' } }, { name: 'kept' }));
    expect(sink.points.map(({ metric }) => metric.name)).toEqual(['prefix_a']);
    expect(sink.logs.map(({ body }) => body)).toEqual(['kept']);
    expect(sink.spans.map(({ name }) => name)).toEqual(['kept']);
  });

  it.each([
    ['{}', 'has no condition'],
    ['traces: {span: [\'nam == "a"\']}', 'test.yaml:1: component::traces::span: span has no field nam'],
    ['traces: {spans: [a]}', 'component::traces::spans: there is no such key'],
    ['metrics: {include: {match_type: expr}}', '"expr" is not one of strict, regexp'],
    ['log_conditions: [\'body == "a"\']', 'a path without its context'],
  ])('refuses %s', (yaml, message) => {
    expect(mistake(filterFactory, yaml)).toContain(message);
  });
});

describe('transform', () => {
  it('runs statements of both styles', async () => {
    const { consumers, sink } = made(
      transformFactory,
      `trace_statements:
  - set(span.name, "renamed") where span.kind == SPAN_KIND_SERVER
  - set(resource.attributes["seen"], true)
log_statements:
  - context: log
    conditions: ['body == "a"']
    statements:
      - set(severity_text, "A")
`,
    );
    await consumers.traces.consume(spansOf({ kind: 2 }, { kind: 3, name: 'client' }));
    await consumers.logs.consume(logsOf({ body: 'a' }, { body: 'b' }));
    await consumers.metrics.consume(gaugesOf({ name: 'untouched', points: [{ value: 1 }] }));
    expect(sink.spans.map(({ name }) => name)).toEqual(['renamed', 'client']);
    expect(sink.spans[0]?.resource.attributes).toContainEqual(['seen', true]);
    expect(sink.logs.map(({ severityText }) => severityText)).toEqual(['A', '']);
    expect(sink.points).toHaveLength(1);
  });

  it('warns of values that it cannot work with, not once per record', async () => {
    const { consumers, sink, context } = made(
      transformFactory,
      'trace_statements: [\'set(span.name, ToLowerCase(span.attributes["absent"]))\']',
    );
    await consumers.traces.consume(spansOf({}, {}, {}));
    expect(sink.spans).toHaveLength(3);
    expect(context.logged).toEqual([expect.stringContaining('ToLowerCase: target is nil, not a string')]);
  });

  it.each([
    ['{}', 'has no statements'],
    [
      'trace_statements:\n  - set(span.name, "a")\n  - sett(span.name, "a")',
      'test.yaml:3: component::trace_statements: sett is not a function',
    ],
    ['log_statements: [{context: span, statements: []}]', '"span" is not one of'],
    ['metric_statements: [{context: metric, statements: ["set(type, 1)"]}]', 'a field that can be changed'],
  ])('refuses %s', (yaml, message) => {
    expect(mistake(transformFactory, yaml)).toContain(message);
  });
});

describe('probabilistic_sampler', () => {
  it('samples spans and log records', async () => {
    const { consumers, sink } = made(probabilisticSamplerFactory, 'sampling_percentage: 25');
    const traces = ['f', '1'].map((digit) => `ffffffffffffffff00${digit.padEnd(14, '0')}`);
    await consumers.traces.consume(spansOf(...traces.map((traceId) => ({ traceId }))));
    await consumers.logs.consume(logsOf(...traces.map((traceId) => ({ traceId }))));
    expect(sink.spans.map(({ traceState }) => traceState)).toEqual(['ot=th:c']);
    expect(sink.logs.map(({ attributes }) => attributes)).toEqual([[['sampling.threshold', 'c']]]);
  });

  it('hashes when a seed is given', async () => {
    const { consumers, sink } = made(probabilisticSamplerFactory, '{sampling_percentage: 100, hash_seed: 22}');
    await consumers.traces.consume(spansOf({}));
    expect(sink.spans[0]?.traceState).toMatch(/^ot=th:0;rv:/);
  });

  it.each([
    ['{}', '"sampling_percentage" is required'],
    ['sampling_percentage: -1', 'must be 0 or more'],
    ['{sampling_percentage: 0.001, mode: hash_seed}', 'too little for the mode hash_seed'],
    ['{sampling_percentage: 10, attribute_source: record}', 'record needs from_attribute'],
    ['{sampling_percentage: 10, mode: fair}', '"fair" is not one of'],
  ])('refuses %s', (yaml, message) => {
    expect(mistake(probabilisticSamplerFactory, yaml)).toContain(message);
  });
});
