import { resolve } from 'node:path';
import type { IMetricReader, ViewOptions } from '@opentelemetry/sdk-metrics';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Environment } from './environment.ts';
import { type OtlpDestination, type OtlpSignal, resolveDestination } from './export/otlp-destination.ts';
import type { SpoolSettings } from './export/spool.ts';
import type { InstrumentationSettings } from './instrumentation.ts';
import type { PrometheusSettings } from './metrics/prometheus/prometheus-endpoint.ts';
import type {
  BatchOptions,
  CacheClientOptions,
  ExemplarFilter,
  LoggerOptions,
  MetricOptions,
  OtlpOptions,
  SpanLimits,
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

const SPOOL_BYTES = 16 * 1024 * 1024;

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
        /** Undefined where they are only printed. */
        readonly otlp: OtlpDestination | undefined;
        readonly console: boolean;
        readonly batch: BatchSettings;
        /** Bytes of encoded spans that may wait. */
        readonly maxQueueBytes: number;
        readonly limits: Limits;
        readonly spanProcessors: readonly SpanProcessor[];
      }
    | false;
  readonly logs:
    | {
        /** Undefined where they are only printed. */
        readonly otlp: OtlpDestination | undefined;
        readonly console: boolean;
        readonly batch: BatchSettings;
        readonly limits: Limits;
      }
    | false;
  readonly metrics:
    | {
        /** Undefined where they are only scraped or printed. */
        readonly otlp: OtlpDestination | undefined;
        readonly console: boolean;
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
  readonly spool: SpoolSettings | undefined;
  readonly settings: InstrumentationSettings;
  readonly disabledInstrumentations: ReadonlySet<string>;
}

/** Precedence: `options`, then the signal's own variable, then the general one, then the specification's default. */
export function resolveConfiguration(options: StartOptions, env: Environment, warnings: Warnings): Configuration {
  const ownTraces = options.traces || {};
  const ownLogs = options.logs || {};
  const ownMetrics = options.metrics || {};
  const tracesTo = exportersOf('TRACES', options.traces, env, warnings);
  const logsTo = exportersOf('LOGS', options.logs, env, warnings);
  const metricsTo = exportersOf('METRICS', options.metrics, env, warnings);
  const outlets = (signal: OtlpSignal, own: OtlpOptions, exporters: readonly string[]) => ({
    otlp: exporters.includes('otlp') ? resolveDestination({ signal, own, general: options, env, warnings }) : undefined,
    console: exporters.includes('console'),
  });
  const spanProcessors = ownTraces.spanProcessors ?? [];
  const traces = tracesTo.length + spanProcessors.length > 0 && {
    ...outlets('TRACES', ownTraces, tracesTo),
    batch: resolveBatch('BSP', ownTraces, { maxQueueSize: 65_536, scheduledDelayMillis: TRACES_DELAY_MS }, env),
    maxQueueBytes: ownTraces.maxQueueBytes ?? TRACES_QUEUE_BYTES,
    spanProcessors,
    limits: resolveLimits('SPAN', ownTraces.limits ?? {}, env),
  };
  const logs = logsTo.length > 0 && {
    ...outlets('LOGS', ownLogs, logsTo),
    batch: resolveBatch('BLRP', ownLogs, { maxQueueSize: 2048, scheduledDelayMillis: 1000 }, env),
    limits: resolveLimits('LOGRECORD', ownLogs.limits ?? {}, env),
  };
  const prometheus = options.metrics === false ? undefined : resolvePrometheus(ownMetrics, env);
  const readers = ownMetrics.readers ?? [];
  const metrics = (prometheus !== undefined || metricsTo.length + readers.length > 0) && {
    ...outlets('METRICS', ownMetrics, metricsTo),
    prometheus,
    readers,
    ...resolveMetrics(ownMetrics, env),
  };
  return {
    traces,
    logs,
    metrics,
    spool: resolveSpool(options, env),
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
        ...(options.http?.ignoreIncoming !== undefined && { ignoreIncoming: options.http.ignoreIncoming }),
        ignoreOutgoing: options.http?.ignoreOutgoing ?? (() => false),
        peers: options.http?.peers ?? {},
      },
      ioredis: resolveCacheClient(options.ioredis),
      redis: resolveCacheClient(options.redis),
      memjs: resolveCacheClient(options.memjs),
      metricPrefix: options.metricPrefix ?? '',
      hostMetrics: ownMetrics.host ?? env.boolean('OTEL_NODE_HOST_METRICS') ?? false,
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
    disabledInstrumentations: new Set(
      options.disabledInstrumentations ?? env.list('OTEL_NODE_DISABLED_INSTRUMENTATIONS') ?? [],
    ),
  };
}

function resolveSpool({ spool }: StartOptions, env: Environment): SpoolSettings | undefined {
  const folder = spool?.folder ?? env.string('OTEL_NODE_SPOOL_FOLDER');
  return folder === undefined ? undefined : { folder: resolve(folder), maxBytes: spool?.maxBytes ?? SPOOL_BYTES };
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

const exporters: Readonly<Record<OtlpSignal, readonly string[]>> = {
  TRACES: ['otlp', 'console'],
  METRICS: ['otlp', 'prometheus', 'console'],
  LOGS: ['otlp', 'console'],
};

/**
 * Where a signal goes; nowhere if it is off. The option, else what the variable names; other options of the signal switch it
 * on, to OTLP, where the variable names nothing that would.
 */
function exportersOf(
  signal: OtlpSignal,
  option: { readonly exporters?: readonly string[] } | false | undefined,
  env: Environment,
  warnings: Warnings,
): readonly string[] {
  if (option === false) return [];
  if (option?.exporters !== undefined) return option.exporters;
  const known = exporters[signal];
  const named = env.list(`OTEL_${signal}_EXPORTER`) ?? ['otlp'];
  for (const name of named) {
    if (name !== 'none' && !known.includes(name)) warnings.once(unknownExporter(signal, name));
  }
  const chosen = named.filter((name) => known.includes(name));
  return chosen.length === 0 && option !== undefined ? ['otlp'] : chosen;
}

function unknownExporter(signal: OtlpSignal, name: string): string {
  const advice = name === 'zipkin' ? ' (it is deprecated; Zipkin takes OTLP through the Collector)' : '';
  const choice = [...exporters[signal], 'none'].join(', ');
  return `OTEL_${signal}_EXPORTER=${name} is not supported${advice}; it is ignored. Name any of ${choice}.`;
}

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#prometheus-exporter */
function resolvePrometheus({ prometheus }: MetricOptions, env: Environment): PrometheusSettings | undefined {
  const host = env.string('OTEL_EXPORTER_PROMETHEUS_HOST') ?? 'localhost';
  const port = env.number('OTEL_EXPORTER_PROMETHEUS_PORT') ?? 9464;
  const isAsked = prometheus ?? env.list('OTEL_METRICS_EXPORTER')?.includes('prometheus') ?? false;
  if (isAsked === false) return undefined;
  const translation = 'UnderscoreEscapingWithSuffixes';
  const defaults = { host, port, path: '/metrics', listen: true, translation } as const;
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
function resolveLimits(record: 'SPAN' | 'LOGRECORD', own: SpanLimits, env: Environment): Limits {
  const limit = (option: number | undefined, names: readonly string[], fallback: number): number => {
    if (option !== undefined) return option;
    for (const name of names) {
      const value = env.number(name);
      if (value !== undefined) return value;
    }
    return fallback;
  };
  return {
    attributeCountLimit: limit(
      own.attributeCount,
      [`OTEL_${record}_ATTRIBUTE_COUNT_LIMIT`, 'OTEL_ATTRIBUTE_COUNT_LIMIT'],
      128,
    ),
    attributeValueLengthLimit: limit(
      own.attributeValueLength,
      [`OTEL_${record}_ATTRIBUTE_VALUE_LENGTH_LIMIT`, 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'],
      Number.POSITIVE_INFINITY,
    ),
    eventCountLimit: limit(own.eventCount, ['OTEL_SPAN_EVENT_COUNT_LIMIT'], 128),
    linkCountLimit: limit(own.linkCount, ['OTEL_SPAN_LINK_COUNT_LIMIT'], 128),
    attributePerEventCountLimit: limit(
      own.eventAttributeCount,
      ['OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'],
      128,
    ),
    attributePerLinkCountLimit: limit(
      own.linkAttributeCount,
      ['OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'],
      128,
    ),
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
      (own.histogramAggregation ??
        env.choice('OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION', [
          'explicit_bucket_histogram',
          'base2_exponential_bucket_histogram',
        ] as const)) === 'base2_exponential_bucket_histogram',
    temporality:
      own.temporality ??
      env.choice('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', ['cumulative', 'delta', 'lowmemory'] as const) ??
      'cumulative',
    spanMetrics: own.spanMetrics ?? false,
    views: own.views ?? [],
  } as const;
}

/** https://opentelemetry.io/docs/specs/semconv/http/: `http/dup` asks for both; the stable names are always emitted. */
function httpConventionsFromEnvironment(env: Environment): 'stable' | 'dup' {
  return env.list('OTEL_SEMCONV_STABILITY_OPT_IN')?.includes('http/dup') === true ? 'dup' : 'stable';
}
