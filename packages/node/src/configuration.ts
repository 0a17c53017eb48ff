import type { IMetricReader, ViewOptions } from '@opentelemetry/sdk-metrics';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Environment } from './environment.ts';
import { type OtlpDestination, type OtlpSignal, resolveDestination } from './export/otlp-destination.ts';
import type { InstrumentationSettings } from './instrumentation.ts';
import type { PrometheusSettings } from './metrics/prometheus/prometheus-endpoint.ts';
import type {
  BatchOptions,
  CacheClientOptions,
  ExemplarFilter,
  LoggerOptions,
  MetricOptions,
  OtlpOptions,
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

/** The specification's default is half of it; a collector that restarts is often away for longer. */
const EXPORT_TIMEOUT_MS = 60_000;

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
  /** Milliseconds after which a batch that could not be delivered is given up. */
  readonly exportTimeoutMillis: number;
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
        /** Undefined where they are only scraped. */
        readonly otlp: OtlpDestination | undefined;
        readonly prometheus: PrometheusSettings | undefined;
        readonly exportIntervalMillis: number;
        readonly exportTimeoutMillis: number;
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

/** Precedence: `options`, then the signal's own variable, then the general one, then the specification's default. */
export function resolveConfiguration(options: StartOptions, env: Environment, warnings: Warnings): Configuration {
  const ownTraces = options.traces || {};
  const destination = (signal: OtlpSignal, own: OtlpOptions) =>
    resolveDestination({ signal, own, general: options, env, warnings });
  const traces = signalIsOn('TRACES', options.traces, env, warnings) && {
    otlp: destination('TRACES', ownTraces),
    batch: resolveBatch('BSP', ownTraces, { maxQueueSize: 65_536, scheduledDelayMillis: TRACES_DELAY_MS }, env),
    maxQueueBytes: ownTraces.maxQueueBytes ?? TRACES_QUEUE_BYTES,
    spanProcessors: ownTraces.spanProcessors ?? [],
    limits: resolveLimits('SPAN', env),
  };
  const logs = signalIsOn('LOGS', options.logs, env, warnings) && {
    otlp: destination('LOGS', options.logs || {}),
    batch: resolveBatch('BLRP', options.logs || {}, { maxQueueSize: 2048, scheduledDelayMillis: 1000 }, env),
    limits: resolveLimits('LOGRECORD', env),
  };
  const metrics = signalIsOn('METRICS', options.metrics, env, warnings) && {
    otlp: exportersOf('METRICS', options.metrics, env).includes('otlp')
      ? destination('METRICS', options.metrics || {})
      : undefined,
    prometheus: resolvePrometheus(options.metrics || {}, env),
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
        recordPanics: options.http?.recordPanics ?? false,
        ...(options.http?.propagateTo !== undefined && { propagateTo: options.http.propagateTo }),
        ignoreIncoming: options.http?.ignoreIncoming ?? (() => false),
        ignoreOutgoing: options.http?.ignoreOutgoing ?? (() => false),
        peers: options.http?.peers ?? {},
      },
      ioredis: resolveCacheClient(options.ioredis),
      redis: resolveCacheClient(options.redis),
      metricPrefix: options.metricPrefix ?? '',
      llm: {
        captureContent:
          options.llm?.captureContent ?? env.boolean('OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT') ?? false,
        chatLabels: options.llm?.chatLabels ?? ['agent.id', 'project.id'],
      },
      processes: { nameOf: options.processes?.nameOf ?? (() => 'worker') },
      pino: loggerSettings(options.pino),
      winston: loggerSettings(options.winston),
      bunyan: loggerSettings(options.bunyan),
      console: { export: options.console?.export ?? env.boolean('OTEL_NODE_CONSOLE_LOGS') ?? false },
    },
    disabledInstrumentations: new Set(env.list('OTEL_NODE_DISABLED_INSTRUMENTATIONS') ?? []),
  };
}

function loggerSettings({ export: isExported = true, correlate = true }: LoggerOptions = {}): Required<LoggerOptions> {
  return { export: isExported, correlate };
}

function resolveCacheClient({
  requireParent = true,
  keys = false,
}: CacheClientOptions = {}): Required<CacheClientOptions> {
  return { requireParent, keys };
}

function signalIsOn(
  signal: OtlpSignal,
  option: object | false | undefined,
  env: Environment,
  warnings: Warnings,
): boolean {
  if (option !== undefined) return option !== false;
  const known = signal === 'METRICS' ? ['otlp', 'prometheus', 'none'] : ['otlp', 'none'];
  const exporters = exportersOf(signal, option, env);
  for (const exporter of exporters) {
    if (!known.includes(exporter))
      warnings.once(`OTEL_${signal}_EXPORTER=${exporter} is not supported; only ${known.join(', ')} are`);
  }
  return exporters.includes('otlp') || (signal === 'METRICS' && exporters.includes('prometheus'));
}

/** What the variable names. Options of the signal switch it on where the variable names nothing that would. */
function exportersOf(signal: OtlpSignal, option: object | false | undefined, env: Environment): readonly string[] {
  const named = env.list(`OTEL_${signal}_EXPORTER`) ?? ['otlp'];
  const isOff = !named.includes('otlp') && !(signal === 'METRICS' && named.includes('prometheus'));
  return option !== undefined && isOff ? ['otlp'] : named;
}

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#prometheus-exporter */
function resolvePrometheus({ prometheus }: MetricOptions, env: Environment): PrometheusSettings | undefined {
  const host = env.string('OTEL_EXPORTER_PROMETHEUS_HOST') ?? 'localhost';
  const port = env.number('OTEL_EXPORTER_PROMETHEUS_PORT') ?? 9464;
  const isAsked = prometheus ?? env.list('OTEL_METRICS_EXPORTER')?.includes('prometheus') ?? false;
  if (isAsked === false) return undefined;
  const defaults = { host, port, path: '/metrics', translation: 'UnderscoreEscapingWithSuffixes' } as const;
  return typeof prometheus === 'object' ? { ...defaults, ...prometheus } : defaults;
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
    exportTimeoutMillis: own.exportTimeoutMillis ?? env.number(`OTEL_${prefix}_EXPORT_TIMEOUT`, 1) ?? EXPORT_TIMEOUT_MS,
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
    exportTimeoutMillis: own.exportTimeoutMillis ?? env.number('OTEL_METRIC_EXPORT_TIMEOUT', 1) ?? EXPORT_TIMEOUT_MS,
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
