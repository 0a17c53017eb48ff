import { readFileSync } from 'node:fs';
import type { IMetricReader, ViewOptions } from '@opentelemetry/sdk-metrics';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Environment } from './environment.ts';
import type { InstrumentationSettings } from './instrumentation.ts';
import type {
  BatchOptions,
  ExemplarFilter,
  MetricOptions,
  OtlpOptions,
  OtlpProtocol,
  StartOptions,
} from './options.ts';
import type { Warnings } from './warnings.ts';

/**
 * The specification's default is 5000. One second, as for logs, is what lets somebody who has just sent a request find it
 * within two; the exporter sends no more often for it when traffic is high, because full batches leave at once.
 */
const TRACES_DELAY_MS = 1000;

/**
 * Spans wait encoded, so that memory can be bounded as what it is; the bound by number (specification: 2048) is therefore
 * wide unless it is set: a burst within one turn of the event loop must not lose spans.
 */
const TRACES_QUEUE_BYTES = 32 * 1024 * 1024;

/** Where and how one signal's requests go. */
export interface OtlpDestination {
  readonly url: string;
  readonly protocol: OtlpProtocol;
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: 'gzip' | 'none';
  readonly timeoutMillis: number;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Attribute, event and link limits; a record's further ones are dropped (and counted by the SDK). */
export interface Limits {
  readonly attributeCountLimit: number;
  readonly attributeValueLengthLimit: number;
  readonly eventCountLimit: number;
  readonly linkCountLimit: number;
  readonly attributePerEventCountLimit: number;
  readonly attributePerLinkCountLimit: number;
}

export interface BatchSettings {
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelayMillis: number;
}

/** Options, environment and defaults resolved into what the SDK runs with. `false`: the signal is off. */
export interface Configuration {
  readonly traces:
    | {
        readonly otlp: OtlpDestination;
        readonly batch: BatchSettings;
        /** Bytes of encoded spans that may wait. */
        readonly maxQueueBytes: number;
        readonly limits: Limits;
        readonly spanProcessors: readonly SpanProcessor[];
      }
    | false;
  readonly logs: { readonly otlp: OtlpDestination; readonly batch: BatchSettings; readonly limits: Limits } | false;
  readonly metrics:
    | {
        readonly otlp: OtlpDestination;
        readonly exportIntervalMillis: number;
        readonly exemplarFilter: ExemplarFilter;
        readonly exponentialHistograms: boolean;
        readonly temporality: 'cumulative' | 'delta' | 'lowmemory';
        readonly readers: readonly IMetricReader[];
        readonly spanMetrics: boolean;
        readonly views: readonly ViewOptions[];
      }
    | false;
  readonly shutdownTimeoutMillis: number;
  readonly settings: InstrumentationSettings;
  readonly disabledInstrumentations: ReadonlySet<string>;
}

type Signal = 'TRACES' | 'METRICS' | 'LOGS';

/** Precedence: `options`, then the signal's own variable, then the general one, then the specification's default. */
export function resolveConfiguration(options: StartOptions, env: Environment, warnings: Warnings): Configuration {
  const ownTraces = options.traces || {};
  const traces = signalIsOn('TRACES', options.traces, env, warnings) && {
    otlp: resolveDestination('TRACES', ownTraces, options, env, warnings),
    batch: resolveBatch('BSP', ownTraces, { maxQueueSize: 65_536, scheduledDelayMillis: TRACES_DELAY_MS }, env),
    maxQueueBytes: ownTraces.maxQueueBytes ?? TRACES_QUEUE_BYTES,
    spanProcessors: ownTraces.spanProcessors ?? [],
    limits: resolveLimits('SPAN', env),
  };
  const logs = signalIsOn('LOGS', options.logs, env, warnings) && {
    otlp: resolveDestination('LOGS', options.logs || {}, options, env, warnings),
    batch: resolveBatch('BLRP', options.logs || {}, { maxQueueSize: 2048, scheduledDelayMillis: 1000 }, env),
    limits: resolveLimits('LOGRECORD', env),
  };
  const metrics = signalIsOn('METRICS', options.metrics, env, warnings) && {
    otlp: resolveDestination('METRICS', options.metrics || {}, options, env, warnings),
    ...resolveMetrics(options.metrics || {}, env),
  };
  return {
    traces,
    logs,
    metrics,
    shutdownTimeoutMillis: options.shutdownTimeoutMillis ?? 5000,
    settings: {
      http: {
        conventions: options.http?.conventions ?? httpConventionsFromEnvironment(env),
        traceIdHeader: options.http?.traceIdHeader ?? 'X-Trace-ID',
        responseTraceparent: options.http?.responseTraceparent ?? true,
        trustProxy: options.http?.trustProxy === 0 ? false : (options.http?.trustProxy ?? false),
        hooks: options.http?.hooks ?? {},
        requestLog: options.http?.requestLog ?? false,
        ...(options.http?.propagateTo !== undefined && { propagateTo: options.http.propagateTo }),
        ignoreIncoming: options.http?.ignoreIncoming ?? (() => false),
        ignoreOutgoing: options.http?.ignoreOutgoing ?? (() => false),
      },
      ioredis: { requireParent: options.ioredis?.requireParent ?? true },
      metricPrefix: options.metricPrefix ?? '',
      processes: { nameOf: options.processes?.nameOf ?? (() => 'worker') },
      pino: { export: options.pino?.export ?? true, correlate: options.pino?.correlate ?? true },
    },
    disabledInstrumentations: new Set(env.list('OTEL_NODE_DISABLED_INSTRUMENTATIONS') ?? []),
  };
}

function signalIsOn(signal: Signal, option: object | false | undefined, env: Environment, warnings: Warnings): boolean {
  if (option !== undefined) return option !== false;
  const name = `OTEL_${signal}_EXPORTER`;
  const exporters = env.list(name) ?? ['otlp'];
  for (const exporter of exporters) {
    if (exporter !== 'otlp' && exporter !== 'none')
      warnings.once(`${name}=${exporter} is not supported; only otlp and none are`);
  }
  return exporters.includes('otlp');
}

function resolveDestination(
  signal: Signal,
  own: OtlpOptions,
  general: OtlpOptions,
  env: Environment,
  warnings: Warnings,
): OtlpDestination {
  const either = (suffix: string): string | undefined =>
    env.string(`OTEL_EXPORTER_OTLP_${signal}_${suffix}`) ?? env.string(`OTEL_EXPORTER_OTLP_${suffix}`);
  const timeoutMillis =
    own.timeoutMillis ??
    general.timeoutMillis ??
    env.number(`OTEL_EXPORTER_OTLP_${signal}_TIMEOUT`, 1) ??
    env.number('OTEL_EXPORTER_OTLP_TIMEOUT', 1) ??
    10_000;
  const certificates = {
    ca: readPem(either('CERTIFICATE'), 'OTEL_EXPORTER_OTLP_CERTIFICATE', warnings),
    cert: readPem(either('CLIENT_CERTIFICATE'), 'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE', warnings),
    key: readPem(either('CLIENT_KEY'), 'OTEL_EXPORTER_OTLP_CLIENT_KEY', warnings),
  };
  return {
    url: resolveUrl(signal, own, general, env, warnings),
    protocol: own.protocol ?? general.protocol ?? protocolFromEnvironment(either('PROTOCOL'), warnings),
    headers: {
      ...env.pairs('OTEL_EXPORTER_OTLP_HEADERS'),
      ...env.pairs(`OTEL_EXPORTER_OTLP_${signal}_HEADERS`),
      ...general.headers,
      ...own.headers,
    },
    compression: own.compression ?? general.compression ?? compressionFromEnvironment(either('COMPRESSION'), warnings),
    timeoutMillis,
    ...(certificates.ca && { ca: certificates.ca }),
    ...(certificates.cert && { cert: certificates.cert }),
    ...(certificates.key && { key: certificates.key }),
  };
}

/** https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp */
function resolveUrl(
  signal: Signal,
  own: OtlpOptions,
  general: OtlpOptions,
  env: Environment,
  warnings: Warnings,
): string {
  const path = `v1/${signal.toLowerCase()}`;
  const appended = (base: string): string => `${base}${base.endsWith('/') ? '' : '/'}${path}`;
  const fallback = `http://localhost:4318/${path}`;
  const full =
    own.endpoint ?? (general.endpoint === undefined ? env.string(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`) : undefined);
  const base = general.endpoint ?? env.string('OTEL_EXPORTER_OTLP_ENDPOINT');
  const given = full ?? base;
  if (given === undefined) return fallback;
  // `collector:4318` is what people write; as a URL it would have the scheme `collector:`.
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `http://${given}`;
  const text = full === undefined ? appended(withScheme) : withScheme;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    warnings.once(`the OTLP endpoint ${given} is not an http or https URL; using ${fallback}`);
    return fallback;
  }
  return url.href;
}

function protocolFromEnvironment(value: string | undefined, warnings: Warnings): OtlpProtocol {
  if (value === undefined || value === 'http/protobuf' || value === 'http/json') return value ?? 'http/protobuf';
  warnings.once(`OTEL_EXPORTER_OTLP_PROTOCOL=${value} is not supported; using http/protobuf (port 4318, not 4317)`);
  return 'http/protobuf';
}

function compressionFromEnvironment(value: string | undefined, warnings: Warnings): 'gzip' | 'none' {
  if (value === undefined || value === 'gzip' || value === 'none') return value ?? 'none';
  warnings.once(`OTEL_EXPORTER_OTLP_COMPRESSION=${value} is neither gzip nor none; sending uncompressed`);
  return 'none';
}

function readPem(path: string | undefined, name: string, warnings: Warnings): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    warnings.once(`${name}: cannot read ${path} (${error instanceof Error ? error.message : String(error)})`);
    return undefined;
  }
}

function resolveBatch(
  prefix: 'BSP' | 'BLRP',
  own: BatchOptions,
  defaults: Pick<BatchSettings, 'maxQueueSize' | 'scheduledDelayMillis'>,
  env: Environment,
): BatchSettings {
  const maxQueueSize = own.maxQueueSize ?? env.number(`OTEL_${prefix}_MAX_QUEUE_SIZE`, 1) ?? defaults.maxQueueSize;
  return {
    maxQueueSize,
    maxExportBatchSize: Math.min(
      own.maxExportBatchSize ?? env.number(`OTEL_${prefix}_MAX_EXPORT_BATCH_SIZE`, 1) ?? 512,
      maxQueueSize,
    ),
    scheduledDelayMillis:
      own.scheduledDelayMillis ?? env.number(`OTEL_${prefix}_SCHEDULE_DELAY`) ?? defaults.scheduledDelayMillis,
  };
}

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#attribute-limits and those that follow. */
function resolveLimits(record: 'SPAN' | 'LOGRECORD', env: Environment): Limits {
  const limit = (names: readonly string[], fallback: number): number => {
    for (const name of names) {
      const value = env.number(name);
      if (value !== undefined) return value;
    }
    return fallback;
  };
  return {
    attributeCountLimit: limit([`OTEL_${record}_ATTRIBUTE_COUNT_LIMIT`, 'OTEL_ATTRIBUTE_COUNT_LIMIT'], 128),
    attributeValueLengthLimit: limit(
      [`OTEL_${record}_ATTRIBUTE_VALUE_LENGTH_LIMIT`, 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'],
      Number.POSITIVE_INFINITY,
    ),
    eventCountLimit: limit(['OTEL_SPAN_EVENT_COUNT_LIMIT'], 128),
    linkCountLimit: limit(['OTEL_SPAN_LINK_COUNT_LIMIT'], 128),
    attributePerEventCountLimit: limit(['OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'], 128),
    attributePerLinkCountLimit: limit(['OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'], 128),
  };
}

function resolveMetrics(own: MetricOptions, env: Environment) {
  return {
    exportIntervalMillis: own.exportIntervalMillis ?? env.number('OTEL_METRIC_EXPORT_INTERVAL', 1) ?? 60_000,
    exemplarFilter:
      own.exemplarFilter ??
      env.choice('OTEL_METRICS_EXEMPLAR_FILTER', ['trace_based', 'always_on', 'always_off'] as const) ??
      'trace_based',
    exponentialHistograms:
      env.choice('OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION', [
        'explicit_bucket_histogram',
        'base2_exponential_bucket_histogram',
      ] as const) === 'base2_exponential_bucket_histogram',
    temporality:
      env.choice('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', ['cumulative', 'delta', 'lowmemory'] as const) ??
      'cumulative',
    readers: own.readers ?? [],
    spanMetrics: own.spanMetrics ?? false,
    views: own.views ?? [],
  } as const;
}

/** https://opentelemetry.io/docs/specs/semconv/http/: `http/dup` asks for both; the stable names are always emitted. */
function httpConventionsFromEnvironment(env: Environment): 'stable' | 'dup' {
  return env.list('OTEL_SEMCONV_STABILITY_OPT_IN')?.includes('http/dup') === true ? 'dup' : 'stable';
}
