import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Configuration, resolveConfiguration } from './configuration.ts';
import { Environment } from './environment.ts';
import type { StartOptions } from './options.ts';
import { createResource } from './resource.ts';
import { RecordedWarnings } from './testing/recorded-warnings.ts';

function resolve(
  variables: Record<string, string>,
  options: StartOptions = {},
): { configuration: Configuration; said: string[] } {
  const warnings = new RecordedWarnings();
  return {
    configuration: resolveConfiguration(options, new Environment(variables, warnings), warnings),
    said: warnings.said,
  };
}

function traces(variables: Record<string, string>, options: StartOptions = {}) {
  const { traces: resolved } = resolve(variables, options).configuration;
  if (!resolved || resolved.otlp === undefined) throw new Error('traces are not sent');
  return { ...resolved, otlp: resolved.otlp };
}

function metrics(variables: Record<string, string>, options: StartOptions = {}) {
  const { metrics: resolved } = resolve(variables, options).configuration;
  if (!resolved) throw new Error('metrics are off');
  return resolved;
}

describe('the endpoint', () => {
  test.each<[string, Record<string, string>, StartOptions, string]>([
    ['defaults to the local collector', {}, {}, 'http://localhost:4318/v1/traces'],
    ['gets the signal appended', { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c:1/otel' }, {}, 'https://c:1/otel/v1/traces'],
    ['tolerates a slash at its end', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:1/' }, {}, 'http://c:1/v1/traces'],
    [
      'of a signal is taken as it is',
      { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:1/in', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://d' },
      {},
      'http://c:1/in',
    ],
    ['of a signal without a path is the root', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:1' }, {}, 'http://c:1/'],
    ['may lack its scheme', { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, {}, 'http://collector:4318/v1/traces'],
    [
      'in options beats the environment',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://d' },
      { endpoint: 'http://e' },
      'http://e/v1/traces',
    ],
    [
      'of the signal in options beats all',
      {},
      { endpoint: 'http://e', traces: { endpoint: 'http://f/x' } },
      'http://f/x',
    ],
    ['empty counts as unset', { OTEL_EXPORTER_OTLP_ENDPOINT: '  ' }, {}, 'http://localhost:4318/v1/traces'],
  ])('%s', (_name, variables, options, url) => {
    expect(traces(variables, options).otlp.url).toBe(url);
  });

  test('that is none is warned about and replaced', () => {
    const { configuration, said } = resolve({ OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://c' });
    expect(configuration).toMatchObject({ traces: { otlp: { url: 'http://localhost:4318/v1/traces' } } });
    expect(said).toEqual([
      expect.stringContaining('ftp://c is not an http or https URL'),
      expect.anything(),
      expect.anything(),
    ]);
  });
});

describe('OTLP variables', () => {
  test('the general one, the signal’s own, the option', () => {
    const general = {
      OTEL_EXPORTER_OTLP_TIMEOUT: '1',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    };
    expect(traces(general).otlp).toMatchObject({ timeoutMillis: 1, compression: 'gzip', protocol: 'http/json' });
    const own = {
      ...general,
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '2',
      OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'none',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
    };
    expect(traces(own).otlp).toMatchObject({ timeoutMillis: 2, compression: 'none', protocol: 'http/protobuf' });
    expect(metrics(own).otlp).toMatchObject({ timeoutMillis: 1, compression: 'gzip', protocol: 'http/json' });
    expect(traces(own, { timeoutMillis: 3, traces: { compression: 'gzip' } }).otlp).toMatchObject({
      timeoutMillis: 3,
      compression: 'gzip',
    });
  });

  test('headers are merged, decoded, and those of the signal win', () => {
    const variables = { OTEL_EXPORTER_OTLP_HEADERS: 'a=1,b=x%3Dy, c = 3 ', OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'a=2' };
    expect(traces(variables).otlp.headers).toEqual({ a: '2', b: 'x=y', c: '3' });
    expect(metrics(variables).otlp?.headers).toEqual({ a: '1', b: 'x=y', c: '3' });
    expect(traces(variables, { headers: { a: 'option' } }).otlp.headers.a).toBe('option');
  });

  test('a malformed header is warned about without printing it', () => {
    const { said } = resolve({ OTEL_EXPORTER_OTLP_HEADERS: 'topsecret' });
    expect(said).toEqual(['OTEL_EXPORTER_OTLP_HEADERS holds an entry that is not key=value; ignoring that entry']);
  });

  test.each<[string, Record<string, string>, StartOptions, string]>([
    ['has a port of its own', {}, {}, 'http://localhost:4317'],
    ['keeps nothing of a path', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:1/otel' }, {}, 'http://c:1'],
    ['uses TLS without a scheme', { OTEL_EXPORTER_OTLP_ENDPOINT: 'c:1' }, {}, 'https://c:1'],
    [
      'unless told not to',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'c:1', OTEL_EXPORTER_OTLP_INSECURE: 'true' },
      {},
      'http://c:1',
    ],
    [
      'or not to for this signal',
      { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'c:1', OTEL_EXPORTER_OTLP_TRACES_INSECURE: 'true' },
      {},
      'http://c:1',
    ],
    [
      'follows a scheme rather',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c:1', OTEL_EXPORTER_OTLP_INSECURE: 'true' },
      {},
      'https://c:1',
    ],
    ['as an option', {}, { protocol: 'grpc', traces: { endpoint: 'http://d:2' } }, 'http://d:2'],
  ])('gRPC %s', (_name, variables, options, origin) => {
    const { otlp } = traces({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', ...variables }, options);
    expect(otlp).toMatchObject({
      protocol: 'grpc',
      url: `${origin}/opentelemetry.proto.collector.trace.v1.TraceService/Export`,
    });
  });

  test('a protocol that there is not is said', () => {
    const { configuration, said } = resolve({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/yaml' });
    expect(configuration).toMatchObject({ traces: { otlp: { protocol: 'http/protobuf' } } });
    expect(said).toEqual([expect.stringContaining('http/yaml is not one of http/protobuf, http/json, grpc')]);
  });

  test('certificates are read, and one that cannot be is said', () => {
    const path = fileURLToPath(import.meta.url);
    const { otlp } = traces({
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: path,
      OTEL_EXPORTER_OTLP_CLIENT_KEY: '/nowhere',
      OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: path,
    });
    expect(otlp.cert?.toString()).toBe(readFileSync(path, 'utf8'));
    expect(otlp.key?.toString()).toBe(readFileSync(path, 'utf8'));
    expect(resolve({ OTEL_EXPORTER_OTLP_CERTIFICATE: '/nowhere' }).said[0]).toContain('cannot read /nowhere');
  });

  test('numbers that are none are warned about and ignored', () => {
    const { configuration, said } = resolve({ OTEL_BSP_MAX_QUEUE_SIZE: 'many', OTEL_EXPORTER_OTLP_TIMEOUT: '-5' });
    expect(configuration).toMatchObject({ traces: { batch: { maxQueueSize: 65_536 } } });
    expect(configuration).toMatchObject({ traces: { otlp: { timeoutMillis: 10_000 } } });
    expect(said).toHaveLength(2);
  });
});

describe('batches, limits, metrics', () => {
  test('have the defaults of the specification', () => {
    expect(traces({}).batch).toEqual({
      maxQueueSize: 65_536,
      maxExportBatchSize: 512,
      scheduledDelayMillis: 1000,
      exportTimeoutMillis: 60_000,
    });
    expect(resolve({}).configuration).toMatchObject({
      logs: { batch: { maxQueueSize: 2048, maxExportBatchSize: 512, scheduledDelayMillis: 1000 } },
    });
    expect(traces({}).limits).toMatchObject({
      attributeCountLimit: 128,
      eventCountLimit: 128,
      attributeValueLengthLimit: Number.POSITIVE_INFINITY,
    });
    expect(metrics({})).toMatchObject({
      exportIntervalMillis: 60_000,
      exemplarFilter: 'trace_based',
      exponentialHistograms: false,
      temporality: 'cumulative',
    });
  });

  test('follow their variables, and options beat those', () => {
    const variables = {
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '50',
      OTEL_BSP_SCHEDULE_DELAY: '7',
      OTEL_BSP_EXPORT_TIMEOUT: '9',
    };
    expect(traces(variables).batch).toEqual({
      maxQueueSize: 10,
      maxExportBatchSize: 10,
      scheduledDelayMillis: 7,
      exportTimeoutMillis: 9,
    });
    expect(metrics({ OTEL_METRIC_EXPORT_TIMEOUT: '9' }).exportTimeoutMillis).toBe(9);
    expect(traces(variables, { traces: { maxQueueSize: 100 } }).batch.maxExportBatchSize).toBe(50);
    expect(
      traces({ OTEL_ATTRIBUTE_COUNT_LIMIT: '5', OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '6' }).limits.attributeCountLimit,
    ).toBe(6);
    expect(traces({ OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '9' }).limits.attributeValueLengthLimit).toBe(9);
    expect(metrics({ OTEL_METRIC_EXPORT_INTERVAL: '15000', OTEL_METRICS_EXEMPLAR_FILTER: 'always_on' })).toMatchObject({
      exportIntervalMillis: 15_000,
      exemplarFilter: 'always_on',
    });
    expect(
      metrics({ OTEL_METRIC_EXPORT_INTERVAL: '15000' }, { metrics: { exportIntervalMillis: 5 } }).exportIntervalMillis,
    ).toBe(5);
  });

  test('those of log records follow theirs', () => {
    const { configuration } = resolve({
      OTEL_BLRP_MAX_QUEUE_SIZE: '20',
      OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: '5',
      OTEL_BLRP_SCHEDULE_DELAY: '7',
      OTEL_BLRP_EXPORT_TIMEOUT: '9',
    });
    expect(configuration).toMatchObject({
      logs: { batch: { maxQueueSize: 20, maxExportBatchSize: 5, scheduledDelayMillis: 7, exportTimeoutMillis: 9 } },
    });
  });

  test('each limit of spans has its variable', () => {
    const variables = {
      OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: '1',
      OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '2',
      OTEL_SPAN_EVENT_COUNT_LIMIT: '3',
      OTEL_SPAN_LINK_COUNT_LIMIT: '4',
      OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: '5',
      OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: '6',
    };
    expect(traces(variables).limits).toEqual({
      attributeValueLengthLimit: 1,
      attributeCountLimit: 2,
      eventCountLimit: 3,
      linkCountLimit: 4,
      attributePerEventCountLimit: 5,
      attributePerLinkCountLimit: 6,
    });
  });

  test('limits of log records are their own, else the general ones', () => {
    const limits = (variables: Record<string, string>) => {
      const { logs } = resolve(variables).configuration;
      return logs === false ? undefined : logs.limits;
    };
    expect(limits({ OTEL_ATTRIBUTE_COUNT_LIMIT: '5', OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: '6' })).toMatchObject({
      attributeCountLimit: 6,
    });
    expect(
      limits({ OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '7', OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: '8' }),
    ).toMatchObject({ attributeValueLengthLimit: 7 });
  });

  test('a signal can be switched off either way', () => {
    expect(resolve({ OTEL_LOGS_EXPORTER: 'none' }).configuration.logs).toBe(false);
    expect(resolve({}, { logs: false }).configuration.logs).toBe(false);
    expect(resolve({ OTEL_LOGS_EXPORTER: 'none' }, { logs: {} }).configuration.logs).not.toBe(false);
  });

  test('the variable says which exporters metrics have, options of theirs or not', () => {
    const exporters = (variables: Record<string, string>, options: StartOptions = {}) => {
      const { otlp, prometheus } = metrics(variables, options);
      return [otlp !== undefined, prometheus?.port];
    };
    expect(exporters({})).toEqual([true, undefined]);
    expect(exporters({ OTEL_METRICS_EXPORTER: 'prometheus' })).toEqual([false, 9464]);
    expect(exporters({ OTEL_METRICS_EXPORTER: 'prometheus' }, { metrics: {} })).toEqual([false, 9464]);
    expect(exporters({ OTEL_METRICS_EXPORTER: 'otlp,prometheus' })).toEqual([true, 9464]);
    expect(exporters({ OTEL_METRICS_EXPORTER: 'none' }, { metrics: { prometheus: { port: 1 } } })).toEqual([true, 1]);
    expect(exporters({ OTEL_METRICS_EXPORTER: 'prometheus' }, { metrics: { prometheus: false } })).toEqual([
      false,
      undefined,
    ]);
  });

  test.each([
    ['otlp', [true, false]],
    ['console', [false, true]],
    ['otlp,console', [true, true]],
    ['console,none', [false, true]],
    ['nonsense', false],
  ])('OTEL_*_EXPORTER=%s names where a signal goes', (value, expected) => {
    const variables = { OTEL_TRACES_EXPORTER: value, OTEL_METRICS_EXPORTER: value, OTEL_LOGS_EXPORTER: value };
    const { configuration, said } = resolve(variables);
    for (const signal of [configuration.traces, configuration.metrics, configuration.logs])
      expect(signal && [signal.otlp !== undefined, signal.console]).toEqual(expected);
    expect(said).toHaveLength(value === 'nonsense' ? 3 : 0);
  });

  test('an option names the exporters whatever the variable says', () => {
    const { configuration } = resolve({ OTEL_LOGS_EXPORTER: 'none' }, { logs: { exporters: ['console'] } });
    expect(configuration.logs).toMatchObject({ otlp: undefined, console: true });
  });

  test('zipkin is said to be deprecated, with the way there is', () => {
    expect(resolve({ OTEL_TRACES_EXPORTER: 'zipkin,otlp' }).said).toEqual([
      'OTEL_TRACES_EXPORTER=zipkin is not supported (it is deprecated; Zipkin takes OTLP through the Collector); it is ignored. Name any of otlp, console, none.',
    ]);
  });

  test('what the variables say can be said in options, which beat them', () => {
    const { configuration } = resolve(
      {
        OTEL_SPAN_EVENT_COUNT_LIMIT: '5',
        OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: '5',
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
        OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'base2_exponential_bucket_histogram',
        OTEL_EXPORTER_OTLP_CERTIFICATE: '/nowhere',
      },
      {
        traces: { limits: { eventCount: 1, linkAttributeCount: 2, attributeValueLength: 3 } },
        logs: { limits: { attributeCount: 4 } },
        metrics: { temporality: 'lowmemory', histogramAggregation: 'explicit_bucket_histogram' },
        tls: { caFile: fileURLToPath(import.meta.url) },
      },
    );
    expect(configuration).toMatchObject({
      traces: {
        limits: {
          attributeCountLimit: 128,
          eventCountLimit: 1,
          attributePerLinkCountLimit: 2,
          attributeValueLengthLimit: 3,
        },
      },
      logs: { limits: { attributeCountLimit: 4 } },
      metrics: { temporality: 'lowmemory', exponentialHistograms: false },
    });
    const ca = configuration.traces ? configuration.traces.otlp?.ca : undefined;
    expect(ca?.toString()).toBe(readFileSync(fileURLToPath(import.meta.url), 'utf8'));
    expect(resolve({}, { traces: { tls: { keyFile: '/nowhere' } } }).said).toEqual([
      expect.stringContaining('tls.keyFile: cannot read /nowhere'),
    ]);
  });

  test('both generations of HTTP names on request', () => {
    expect(resolve({}).configuration.settings.http.conventions).toBe('stable');
    expect(
      resolve({ OTEL_SEMCONV_STABILITY_OPT_IN: 'database,http/dup' }).configuration.settings.http.conventions,
    ).toBe('dup');
    expect(resolve({ OTEL_SEMCONV_STABILITY_OPT_IN: 'http' }).configuration.settings.http.conventions).toBe('stable');
  });
});

describe('the resource', () => {
  const attributesOf = (variables: Record<string, string>, options: StartOptions = {}, oldNames = false) =>
    createResource(options, new Environment(variables, new RecordedWarnings()), oldNames).attributes;

  test('takes the service from variables, then from options', () => {
    expect(attributesOf({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=a' })['service.name']).toBe('a');
    expect(attributesOf({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=a', OTEL_SERVICE_NAME: 'b' })['service.name']).toBe(
      'b',
    );
    expect(attributesOf({ OTEL_SERVICE_NAME: 'b' }, { serviceName: 'c', serviceVersion: '9' })).toMatchObject({
      'service.name': 'c',
      'service.version': '9',
    });
  });

  test('knows both names of the deployment environment', () => {
    expect(
      attributesOf({ OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=prod' })['deployment.environment.name'],
    ).toBe('prod');
    expect(attributesOf({}, { environment: 'prod' })).not.toHaveProperty('deployment.environment');
    expect(attributesOf({}, { environment: 'prod' }, true)).toMatchObject({
      'deployment.environment': 'prod',
      'deployment.environment.name': 'prod',
    });
  });

  test('takes OTEL_ENVIRONMENT for the deployment environment, and OTEL_RESOURCE_ATTRIBUTES rather', () => {
    const name = 'deployment.environment.name';
    expect(attributesOf({ OTEL_ENVIRONMENT: 'staging' })[name]).toBe('staging');
    expect(attributesOf({ OTEL_ENVIRONMENT: 'staging', OTEL_RESOURCE_ATTRIBUTES: `${name}=prod` })[name]).toBe('prod');
    expect(
      attributesOf({ OTEL_ENVIRONMENT: 'staging', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=prod' })[name],
    ).toBe('prod');
    expect(attributesOf({ OTEL_ENVIRONMENT: 'staging' }, { environment: 'prod' })[name]).toBe('prod');
  });

  test('has no attribute without a value', () => {
    for (const value of Object.values(attributesOf({}))) expect(value).toBeDefined();
  });
});
