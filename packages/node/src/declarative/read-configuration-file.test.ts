// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables as a configuration file has them
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { AggregationType, InstrumentType } from '@opentelemetry/sdk-metrics';
import { type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace';
import { afterAll, describe, expect, test } from 'vitest';
import { type ConfigurationReading, readConfigurationFile } from './read-configuration-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'signalbox-declarative-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'sdk.yaml');

function read(yaml: string, variables: Record<string, string> = {}): ConfigurationReading {
  writeFileSync(path, `file_format: "1.0"\n${yaml}`);
  return readConfigurationFile(path, variables);
}

/** What was read, of a file without any finding. */
function options(yaml: string, variables: Record<string, string> = {}) {
  const { file, errors, ignored } = read(yaml, variables);
  expect({ errors, ignored }).toEqual({ errors: [], ignored: [] });
  if (file === undefined) throw new Error('nothing was read');
  return file.options;
}

const otlp = '{ processors: [{ batch: { exporter: { otlp_http: } } }] }';

describe('a file', () => {
  test('of nothing but its format switches every signal off and propagates nothing, as the schema says', () => {
    const { file } = read('');
    expect(file).toMatchObject({
      disabled: false,
      propagators: [],
      options: { traces: false, metrics: false, logs: false, resourceDetection: { detectors: [] } },
    });
  });

  test('gets the defaults of the schema for what it leaves out', () => {
    expect(options(`tracer_provider: ${otlp}\nlogger_provider: ${otlp}`)).toMatchObject({
      traces: {
        exporters: ['otlp'],
        endpoint: 'http://localhost:4318/v1/traces',
        protocol: 'http/protobuf',
        compression: 'none',
        timeoutMillis: 10_000,
        scheduledDelayMillis: 5000,
        exportTimeoutMillis: 30_000,
        maxQueueSize: 2048,
        maxExportBatchSize: 512,
      },
      logs: { endpoint: 'http://localhost:4318/v1/logs', scheduledDelayMillis: 1000 },
    });
    expect(options('meter_provider: { readers: [{ periodic: { exporter: { otlp_grpc: } } }] }').metrics).toMatchObject({
      exporters: ['otlp'],
      prometheus: false,
      endpoint: 'http://localhost:4317',
      protocol: 'grpc',
      exportIntervalMillis: 60_000,
      exportTimeoutMillis: 30_000,
      temporality: 'cumulative',
      histogramAggregation: 'explicit_bucket_histogram',
      exemplarFilter: 'trace_based',
    });
  });

  test('says everything about an exporter and its batches', () => {
    const { traces } = options(
      `tracer_provider:
  processors:
    - batch:
        schedule_delay: 1
        export_timeout: 0
        max_queue_size: 3
        max_export_batch_size: 2
        exporter:
          otlp_http:
            endpoint: https://collector/v1/traces
            encoding: json
            compression: gzip
            timeout: 7
            headers: [{ name: a, value: "1" }, { name: none, value: }]
            headers_list: a=2,b=x%3Dy
            tls: { ca_file: /ca.pem, cert_file: /cert.pem, key_file: /key.pem }
    - simple: { exporter: { console: } }`,
    );
    expect(traces).toEqual({
      exporters: ['otlp', 'console'],
      endpoint: 'https://collector/v1/traces',
      protocol: 'http/json',
      compression: 'gzip',
      timeoutMillis: 7,
      headers: { a: '1', b: 'x=y' },
      tls: { caFile: '/ca.pem', certFile: '/cert.pem', keyFile: '/key.pem' },
      scheduledDelayMillis: 1,
      exportTimeoutMillis: 2 ** 31 - 1,
      maxQueueSize: 3,
      maxExportBatchSize: 2,
      limits: {},
    });
  });

  test.each([
    ['collector:4317', 'https://collector:4317'],
    ['collector:4317, tls: { insecure: true }', 'http://collector:4317'],
    ['https://collector:4317, tls: { insecure: true }', 'https://collector:4317'],
  ])('gRPC to %s goes to %s', (endpoint, expected) => {
    const yaml = `logger_provider: { processors: [{ batch: { exporter: { otlp_grpc: { endpoint: "${endpoint.replace(/,/, '",').replace(/^([^"]*)$/, '$1"')} } } } }] }`;
    expect(options(yaml).logs).toMatchObject({ endpoint: expected });
  });

  test('limits of a signal beat the general ones', () => {
    const { traces, logs } = options(`attribute_limits: { attribute_count_limit: 5, attribute_value_length_limit: 6 }
tracer_provider: { processors: [{ batch: { exporter: { otlp_http: } } }], limits: { attribute_count_limit: 7, event_count_limit: 1, link_count_limit: 2, event_attribute_count_limit: 3, link_attribute_count_limit: 4 } }
logger_provider: ${otlp}`);
    expect(traces).toHaveProperty('limits', {
      attributeCount: 7,
      attributeValueLength: 6,
      eventCount: 1,
      linkCount: 2,
      eventAttributeCount: 3,
      linkAttributeCount: 4,
    });
    expect(logs).toHaveProperty('limits', { attributeCount: 5, attributeValueLength: 6 });
  });

  test('describes the resource, in types', () => {
    const { resourceAttributes, resourceDetection } = options(
      `resource:
  attributes:
    - { name: service.name, value: "\${SERVICE:-shop}" }
    - { name: n, value: "7" }
    - { name: i, value: 7, type: int }
    - { name: d, value: 1.5, type: double }
    - { name: b, value: true, type: bool }
    - { name: s, value: [a, b], type: string_array }
    - { name: is, value: [1, 2], type: int_array }
    - { name: left.out, value: }
  attributes_list: service.name=other,team=%61
  detection/development:
    attributes: { included: [process.*], excluded: [process.command*] }
    detectors: [{ process: }, { service: }]`,
      { OTEL_SERVICE_NAME: 'ignored, there is one' },
    );
    expect(resourceAttributes).toEqual({
      'service.name': 'shop',
      team: 'a',
      n: '7',
      i: 7,
      d: 1.5,
      b: true,
      s: ['a', 'b'],
      is: [1, 2],
    });
    expect(resourceDetection?.detectors).toEqual(['process', 'service']);
    const names = ['process.pid', 'process.command', 'host.name'];
    expect(names.filter((name) => resourceDetection?.keep?.(name))).toEqual(['process.pid']);
  });

  test('names propagators one by one and as a list, each once', () => {
    const { file } = read(
      'propagator: { composite: [{ b3: }, { tracecontext: }], composite_list: "tracecontext, xray" }',
    );
    expect(file?.propagators).toEqual(['b3', 'tracecontext', 'xray']);
  });

  test('has readers, Prometheus among them', () => {
    const { metrics } = options(`meter_provider:
  readers:
    - pull: { exporter: { prometheus/development: { host: "::1", port: 1, translation_strategy: no_translation/development } } }
    - periodic: { interval: 5, timeout: 6, exporter: { otlp_http: { temporality_preference: low_memory, default_histogram_aggregation: base2_exponential_bucket_histogram } } }
    - periodic: { interval: 9, exporter: { console: } }
  exemplar_filter: always_off`);
    expect(metrics).toMatchObject({
      exporters: ['otlp', 'console'],
      prometheus: { host: '::1', port: 1, translation: 'NoTranslation' },
      exportIntervalMillis: 5,
      exportTimeoutMillis: 6,
      temporality: 'lowmemory',
      histogramAggregation: 'base2_exponential_bucket_histogram',
      exemplarFilter: 'always_off',
    });
  });

  test('has views', () => {
    const { metrics } = options(`meter_provider:
  readers: [{ periodic: { exporter: { otlp_http: } } }]
  views:
    - selector: { instrument_name: a.b, instrument_type: up_down_counter, unit: s, meter_name: m, meter_version: "1", meter_schema_url: u }
      stream: { name: c, description: d, aggregation_cardinality_limit: 9, attribute_keys: { included: ["k*"], excluded: [k2] } }
    - { selector: { instrument_name: h }, stream: { aggregation: { explicit_bucket_histogram: { boundaries: [1, 2.5], record_min_max: false } } } }
    - { selector: { }, stream: { aggregation: { base2_exponential_bucket_histogram: { max_size: 20 } } } }
    - { selector: { meter_name: x }, stream: { aggregation: { drop: } } }`);
    const views = metrics ? metrics.views : [];
    expect(views).toMatchObject([
      {
        instrumentName: 'a.b',
        instrumentType: InstrumentType.UP_DOWN_COUNTER,
        instrumentUnit: 's',
        meterName: 'm',
        meterVersion: '1',
        meterSchemaUrl: 'u',
        name: 'c',
        description: 'd',
        aggregationCardinalityLimit: 9,
      },
      {
        instrumentName: 'h',
        aggregation: {
          type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
          options: { boundaries: [1, 2.5], recordMinMax: false },
        },
      },
      { instrumentName: '*', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 20 } } },
      { meterName: 'x', aggregation: { type: AggregationType.DROP } },
    ]);
    expect(views?.[0]?.attributesProcessors?.[0]?.process({ k1: 1, k2: 2, other: 3 })).toEqual({ k1: 1 });
  });

  test('switches instrumentations, and names both generations of HTTP', () => {
    const { file } = read(`meter_provider: { readers: [{ periodic: { exporter: { otlp_http: } } }] }
instrumentation/development:
  general: { stability_opt_in_list: "database,http/dup" }
  java: { anything: { at: all } }
  js: { pino: { enabled: false }, host-metrics: { enabled: true }, fetch: { spans: false }, console: { export: true } }`);
    expect(file).toMatchObject({
      disabledInstrumentations: ['pino'],
      options: {
        metrics: { host: true },
        http: { conventions: 'dup' },
        switches: { fetch: { spans: false } },
        console: { export: true },
      },
    });
    expect(
      options('instrumentation/development: { general: { http: { semconv: { dual_emit: true } } } }'),
    ).toMatchObject({
      http: { conventions: 'dup' },
    });
  });

  test.each([
    ['debug2', 'debug'],
    ['trace', 'verbose'],
    ['fatal4', 'error'],
    ['', undefined],
  ])('log_level: %s is %s', (level, expected) => {
    expect(read(`log_level: ${level}`).file?.logLevel).toBe(expected);
  });

  test('can switch everything off', () => {
    expect(read('disabled: ${OTEL_SDK_DISABLED:-false}', { OTEL_SDK_DISABLED: 'true' }).file?.disabled).toBe(true);
  });
});

describe('samplers', () => {
  function samplerOf(yaml: string): Sampler {
    const { sampler } = options(
      `tracer_provider: { processors: [{ batch: { exporter: { otlp_http: } } }], sampler: ${yaml} }`,
    );
    if (sampler === undefined) throw new Error('no sampler');
    return sampler;
  }

  function parent(traceFlags: number, isRemote: boolean): Context {
    return trace.setSpanContext(ROOT_CONTEXT, {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      traceFlags,
      isRemote,
    });
  }

  function keeps(sampler: Sampler, { context = ROOT_CONTEXT, kind = SpanKind.SERVER, attributes = {} } = {}): boolean {
    const { decision } = sampler.shouldSample(context, 'a'.repeat(32), 'span', kind, attributes, []);
    return decision === SamplingDecision.RECORD_AND_SAMPLED;
  }

  test.each([
    ['{ always_on: }', 'AlwaysOnSampler'],
    ['{ always_off: }', 'AlwaysOffSampler'],
    ['{ trace_id_ratio_based: { ratio: 0.25 } }', 'ProbabilitySampler{0.25}'],
    ['{ probability/development: { ratio: 0.5 } }', 'ProbabilitySampler{0.5}'],
    ['{ trace_id_ratio_based: }', 'AlwaysOnSampler'],
    ['{ parent_based: }', 'ParentBased{root=AlwaysOnSampler}'],
    ['{ composite/development: { probability: { ratio: 0.1 } } }', 'ProbabilitySampler{0.1}'],
    [
      '{ composite/development: { parent_threshold: { root: { probability: { ratio: 0.1 } } } } }',
      'ParentBased{root=ProbabilitySampler{0.1}}',
    ],
  ])('%s', (yaml, expected) => {
    expect(samplerOf(yaml).toString()).toBe(expected);
  });

  test('parent_based asks another sampler for each kind of parent', () => {
    const sampler = samplerOf(
      '{ parent_based: { root: { always_off: }, remote_parent_sampled: { always_off: }, remote_parent_not_sampled: { always_on: }, local_parent_sampled: { always_on: }, local_parent_not_sampled: { always_off: } } }',
    );
    const contexts = [ROOT_CONTEXT, parent(1, true), parent(0, true), parent(1, false), parent(0, false)];
    expect(contexts.map((context) => keeps(sampler, { context }))).toEqual([false, false, true, true, false]);
  });

  test('rule_based: the first rule that fits decides, and without one nothing is kept', () => {
    const rules = [
      '{ attribute_values: { key: url.path, values: [/health, /ready] }, sampler: { always_off: } }',
      '{ attribute_patterns: { key: http.response.status_code, included: ["4*", "5??"], excluded: ["404"] }, sampler: { always_on: } }',
      '{ span_kinds: [server], parent: [remote], sampler: { always_on: } }',
    ];
    const sampler = samplerOf(`{ composite/development: { rule_based: { rules: [${rules.join(', ')}] } } }`);
    const ask = (attributes: object, context = ROOT_CONTEXT, kind = SpanKind.CLIENT) =>
      keeps(sampler, { attributes, context, kind });
    expect(ask({ 'url.path': '/health', 'http.response.status_code': 500 })).toBe(false);
    expect(ask({ 'http.response.status_code': 429 })).toBe(true);
    expect(ask({ 'http.response.status_code': 404 })).toBe(false);
    expect(ask({ 'http.response.status_code': [200, 503] })).toBe(true);
    expect(ask({}, parent(1, true), SpanKind.SERVER)).toBe(true);
    expect(ask({}, parent(1, false), SpanKind.SERVER)).toBe(false);
    expect(ask({}, parent(1, true), SpanKind.CLIENT)).toBe(false);
  });
});

describe('what is wrong', () => {
  test.each([
    ['file is not there', '/nowhere/sdk.yaml', undefined],
    ['file is a folder', folder, undefined],
  ])('the %s: named with its whole path', (_name, where) => {
    const { file, errors } = readConfigurationFile(where, {});
    expect(file).toBeUndefined();
    expect(errors).toEqual([expect.stringContaining(where)]);
  });

  test.each<[string, string]>([
    ['file_format: "0.4"', '1:14: file_format 0.4 is not supported; it must be "1.0" or a later 1.x'],
    ['disabled: false', '1:1: the file needs file_format'],
    ['file_format: "1.0"\ndisabled: 7', '2:11: disabled must be true or false'],
    [
      'file_format: "1.0"\ntracer_provider: { processors: [{ batch: { max_queue_size: 0, exporter: { console: } } }] }',
      '2:60: tracer_provider.processors[0].batch.max_queue_size must be an integer of at least 1',
    ],
    ['file_format: "1.0"\nlogger_provider:\n  limits:', '3:3: logger_provider needs processors'],
    [
      'file_format: "1.0"\nmeter_provider: { readers: [{ periodic: { exporter: { console:, otlp_http: } } }] }',
      '2:53: meter_provider.readers[0].periodic.exporter must have exactly one key, and has 2',
    ],
    [
      'file_format: "1.0"\nresource: { attributes: [{ name: a, value: x, type: int }] }',
      '2:44: resource.attributes[0].value is no int',
    ],
    [
      'file_format: "1.0"\ntracer_provider: { processors: [{ batch: { exporter: { otlp_http: { tls: { ca_file: ca.pem } } } } }] }',
      '2:85: tracer_provider.processors[0].batch.exporter.otlp_http.tls.ca_file must be an absolute path',
    ],
    [
      'file_format: "1.0"\nmeter_provider: { readers: [{ periodic: { exporter: { console: } } }], views: [{ selector: { instrument_name: "a*" }, stream: { name: b } }] }',
      '2:135: meter_provider.views[0].stream.name would give one name to many: the selector must name one instrument',
    ],
  ])('%s', (yaml, message) => {
    writeFileSync(path, yaml);
    const { file, errors } = readConfigurationFile(path, {});
    expect(file).toBeUndefined();
    expect(errors).toEqual([`${path}:${message}`]);
  });

  test('an unknown key is said with the name it was likely meant to be, and the rest is honoured', () => {
    const { file, errors, ignored } = read(
      'tracer_provder:\nlog_levle: warn\npropagator: { composite: [{ b3: }], colour: red }',
    );
    expect(errors).toEqual([]);
    expect(ignored).toEqual([
      `${path}:2:1: tracer_provder is not known; did you mean tracer_provider?`,
      `${path}:3:1: log_levle is not known; did you mean log_level?`,
      `${path}:4:37: propagator.colour is not known`,
    ]);
    expect(file?.propagators).toEqual(['b3']);
  });

  test('what the schema has and we do not is said in one line each', () => {
    const { ignored } = read(`tracer_provider:
  processors: [{ batch: { exporter: { otlp_file/development: } } }, { batch: { exporter: { otlp_http: } } }, { batch: { exporter: { otlp_grpc: } } }]
  sampler: { jaeger_remote/development: { endpoint: http://jaeger:14250, initial_sampler: { always_off: } } }
  tracer_configurator/development: { default_config: { enabled: false } }
meter_provider: { readers: [{ periodic: { exporter: { otlp_http: }, producers: [{ opencensus: }] } }] }
resource: { schema_url: https://example.com }`);
    expect(ignored.map((line) => line.slice(path.length + 1))).toEqual([
      expect.stringMatching(
        /^3:\d+: .*otlp_file\/development is not supported; there are otlp_http, otlp_grpc and console/,
      ),
      expect.stringMatching(/^3:\d+: .*only the first otlp exporter is used/),
      expect.stringMatching(/^4:\d+: .*endpoint is not supported; initial_sampler decides, and nothing is asked/),
      expect.stringMatching(/^5:\d+: .*tracer_configurator\/development is not supported; it has no effect/),
      expect.stringMatching(/^6:\d+: .*producers is not supported; it has no effect/),
      expect.stringMatching(/^7:\d+: resource.schema_url is not supported; it has no effect/),
    ]);
  });

  test('the secret in a malformed header is not printed', () => {
    const { errors } = read(
      'tracer_provider: { processors: [{ batch: { exporter: { otlp_http: { headers_list: topsecret } } } }] }',
    );
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain('headers_list holds an entry that is not key=value');
    expect(errors[0]).not.toContain('topsecret');
  });
});
