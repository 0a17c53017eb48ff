import type { Attributes, Span, TextMapPropagator } from '@opentelemetry/api';
import type { IMetricReader, ViewOptions } from '@opentelemetry/sdk-metrics';
import type { Sampler, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { PanicOptions } from './http/recover-panics.ts';
import type { RequestLogLine } from './http/request-log.ts';
import type { Instrumentation } from './instrumentation.ts';
import type { TranslationStrategy } from './metrics/prometheus/metric-name.ts';
import type { WorkerDescription } from './processes/worker-recorder.ts';

export type OtlpProtocol = 'http/protobuf' | 'http/json' | 'grpc';
export type ExemplarFilter = 'trace_based' | 'always_on' | 'always_off';
/** `console` prints what is recorded on standard output, for a look at it while developing. */
export type ExporterName = 'otlp' | 'console';
export type ResourceDetector = 'host' | 'process' | 'container' | 'service';

/** Paths of PEM files, for collectors reached over TLS. */
export interface TlsOptions {
  /** Authorities that the collector's certificate is checked against, instead of Node's own list. */
  caFile?: string;
  /** With `keyFile`, what this client shows of itself. */
  certFile?: string;
  keyFile?: string;
}

/** What one record may hold; more is dropped and counted, longer text is cut. */
export interface RecordLimits {
  /** Attributes of a record (default 128). */
  attributeCount?: number;
  /** Characters of an attribute's value (default without limit). */
  attributeValueLength?: number;
}

export interface SpanLimits extends RecordLimits {
  /** Default 128. */
  eventCount?: number;
  /** Default 128. */
  linkCount?: number;
  /** Attributes of one event (default 128). */
  eventAttributeCount?: number;
  /** Attributes of one link (default 128). */
  linkAttributeCount?: number;
}

/** How one signal leaves the process. Unset fields come from the options above it, then from the environment. */
export interface OtlpOptions {
  /** Full URL that is posted to, path included (e.g. `http://localhost:4318/v1/traces`); for gRPC scheme, host and port. */
  endpoint?: string;
  protocol?: OtlpProtocol;
  headers?: Readonly<Record<string, string>>;
  compression?: 'gzip' | 'none';
  /** Milliseconds one request may take. */
  timeoutMillis?: number;
  tls?: TlsOptions;
}

export interface BatchOptions extends OtlpOptions {
  /** Where the signal goes (default `otlp` alone). */
  exporters?: readonly ExporterName[];
  /** Finished records that may wait; more are dropped and counted. */
  maxQueueSize?: number;
  maxExportBatchSize?: number;
  /** Milliseconds between two exports when the batch does not fill up. */
  scheduledDelayMillis?: number;
  /** Milliseconds after which a batch that could not be delivered is given up (default 60,000). */
  exportTimeoutMillis?: number;
}

export interface TraceOptions extends BatchOptions {
  /** Bytes of encoded spans that may wait (default 32 MiB); more are dropped and counted. */
  maxQueueBytes?: number;
  /**
   * Processors of the official kind that get every span beside our own export. With any of them spans are the official
   * SDK's, which cost several times as much.
   */
  spanProcessors?: readonly SpanProcessor[];
  limits?: SpanLimits;
}

export interface LogOptions extends BatchOptions {
  limits?: RecordLimits;
}

/** Metrics for Prometheus to scrape. */
export interface PrometheusOptions {
  /** Where to listen (default `localhost`, which nobody else can reach). */
  host?: string;
  /** Default 9464. */
  port?: number;
  /** Default `/metrics`. */
  path?: string;
  /** `false`: no server of its own; the application answers with `Telemetry.scrape` under a route that it has (default true). */
  listen?: boolean;
  /** How names become Prometheus's (default `UnderscoreEscapingWithSuffixes`, as Prometheus's own). */
  translation?: TranslationStrategy;
}

export interface MetricOptions extends OtlpOptions {
  /** Where the signal goes (default `otlp` alone); Prometheus has an option of its own. */
  exporters?: readonly ExporterName[];
  /** Serve the same metrics to Prometheus as well; `true` takes the environment's host and port. */
  prometheus?: PrometheusOptions | boolean;
  /**
   * Calls and durations by span name, kind and status (`traces.span.metrics.calls`, `traces.span.metrics.duration`), of
   * all spans whatever is sampled (default false: unsampled spans then cost next to nothing).
   */
  spanMetrics?: boolean;
  /**
   * Measure the machine as well (`system.*`; default false: each process of it would tell the same). The process itself
   * (`process.*`) always is, unless `process-metrics` is disabled.
   */
  host?: boolean;
  /** Milliseconds between two collections (default 60,000). */
  exportIntervalMillis?: number;
  /** Milliseconds after which a collection that could not be delivered is given up (default 60,000). */
  exportTimeoutMillis?: number;
  exemplarFilter?: ExemplarFilter;
  /** Whether OTLP gets sums since the start or since the last collection (default `cumulative`). */
  temporality?: 'cumulative' | 'delta' | 'lowmemory';
  /** What histograms are over OTLP where no view says otherwise (default `explicit_bucket_histogram`). */
  histogramAggregation?: 'explicit_bucket_histogram' | 'base2_exponential_bucket_histogram';
  /**
   * Views of the official kind, for the application's instruments and for ours alike. An instrument of ours that a view
   * selects is recorded through the official SDK, at its cost.
   */
  views?: readonly ViewOptions[];
  /** Further readers of the same instruments beside the OTLP one, e.g. `PrometheusExporter`. They are shut down with it. */
  readers?: readonly IMetricReader[];
}

/** Spans to which a rule applies have all that it names. */
export interface SamplingRule {
  /** A route template, tried against the path of the request: `/users/:id`, `/internal/*`. */
  route?: string;
  /** The span's first name: what it is started with. */
  name?: string | RegExp;
  /** Attributes that the span is started with. */
  attributes?: Readonly<Record<string, string | number | boolean | RegExp>>;
  /** Share of the traces that begin with such a span to keep, from 0 to 1. */
  ratio: number;
}

/** Which traces are kept. The parts that decide at the start of a trace are applied in this order, and all must agree. */
export interface SamplingOptions {
  /** Tried in their order; the first that fits decides instead of `ratio`. */
  rules?: readonly SamplingRule[];
  /** Share of new traces to keep, from 0 to 1; consistent across services, announced as `ot=th` in `tracestate`. */
  ratio?: number;
  /** New traces to keep each second at most. */
  maxPerSecond?: number;
  /** Whether a trace that comes from elsewhere is treated as its sender decided (default true). */
  followParent?: boolean;
  /** Keep what this process did of a trace that was not sampled if a span of it failed. */
  keepErrors?: boolean;
  /** Keep it if it took at least so long here. */
  keepSlowerThanMillis?: number;
}

/** Requests and responses are those of `node:http`, or streams of `node:http2`. */
export interface HttpHooks {
  /** When a request has come in, before anybody handles it. */
  request?: (span: Span, request: object) => void;
  /** When the response has been sent; what middleware left on the request is there (`request.user`). */
  response?: (span: Span, request: object, response: object) => void;
}

export interface HttpOptions {
  /**
   * `stable` emits the stable conventions only; `dup` emits the names that were current before them as well
   * (`http.method`, `http.status_code`, `http.response_content_length`, …) on spans.
   */
  conventions?: 'stable' | 'dup';
  /** Response header that carries the trace id; `false` sends none. */
  traceIdHeader?: string | false;
  /** Whether responses carry `traceparent`, with the server span's id (default true). */
  responseTraceparent?: boolean;
  /**
   * How many proxies in front of this server append to `Forwarded` or `X-Forwarded-*`: from there client, host and scheme
   * are taken. `true` believes the first entry, `false` (the default) none: without a proxy anybody can send them.
   */
  trustProxy?: boolean | number;
  /** Called with the span of each recorded request; what they throw is reported and goes no further. */
  hooks?: HttpHooks;
  /**
   * A log record for each request that was served (default false): method, route, status, latency, bytes and what
   * `addRequestAttributes` added. A function gets the line instead, to write it where the application's own lines go.
   */
  requestLog?: boolean | ((line: RequestLogLine) => void);
  /**
   * Record as panics what handlers throw and their framework answers with 5xx (default false): the span's status is then
   * the error `panic`, a log record has the stack, and a counter is raised. Not errors that carry a status of their own.
   */
  recordPanics?: boolean | PanicOptions;
  /**
   * The hosts to which trace context and baggage are sent with outgoing requests; unset, to all. A name (`api.example`), one
   * with its port, all below one (`*.example`), or an expression for the origin. Requests to others are traced all the same.
   */
  propagateTo?: readonly (string | RegExp)[];
  /** Incoming requests for which this returns true get no span and no metric. */
  ignoreIncoming?: (request: { readonly method: string; readonly url: string }) => boolean;
  /** Outgoing requests (both `http` and `fetch`) for which this returns true get no span, metric or `traceparent`. */
  ignoreOutgoing?: (request: { readonly method: string; readonly url: string }) => boolean;
  /** What the services behind other hosts are called (`service.peer.name` of client spans): `{ 'api.stripe.com': 'stripe' }`. */
  peers?: Readonly<Record<string, string>>;
}

/** Which of its signals one instrumentation emits; unset is on. */
export interface InstrumentationSwitches {
  spans?: boolean;
  metrics?: boolean;
}

export interface CacheClientOptions {
  /** With `true` a command outside any trace makes no span (health checks, reconnects); its duration is measured. */
  requireParent?: boolean;
  /** Show keys (default false: they often hold session tokens and addresses): in `db.query.text`, and as `cache.key`. */
  keys?: boolean;
}

export interface ResourceDetectionOptions {
  /** Default all. `service` takes name and version from the program's package.json. */
  detectors?: readonly ResourceDetector[];
  /** Whether an attribute that was detected is kept (default all are). */
  keep?: (attribute: string) => boolean;
}

export interface ProcessOptions {
  /**
   * What stands before `.started` and `.terminated` in the names of the spans, `worker` unless given; undefined leaves a
   * process or thread alone.
   */
  nameOf?: (worker: WorkerDescription) => string | undefined;
}

/** Requests that nobody took when the process ended, for the next one to send. */
export interface SpoolOptions {
  /** Created if it is not there; other users must not be able to write to it. One for each service. */
  folder: string;
  /** Of all files together (default 16 MiB); what does not fit is dropped. */
  maxBytes?: number;
}

export interface LlmOptions {
  /** Record what models are asked and what they answer, on spans (default false). */
  captureContent?: boolean;
  /** Baggage entries that become labels of `chat_tokens_total` (default `agent.id` and `project.id`). */
  chatLabels?: readonly string[];
}

/** pino, winston and bunyan. */
export interface LoggerOptions {
  /** Send log records over OTLP. */
  export?: boolean;
  /** Add `trace_id`, `span_id` and `trace_flags` to the lines that the logger writes itself. */
  correlate?: boolean;
}

export interface ConsoleOptions {
  /** Send what is printed through `console.log` and its like over OTLP, too (default false). */
  export?: boolean;
}

/**
 * Everything `start` accepts. A value given here beats the environment; `OTEL_SDK_DISABLED=true` beats everything, so
 * that an operator can always switch telemetry off. With OTEL_CONFIG_FILE the file takes the environment's place, and its
 * `disabled` that of the variable.
 */
export interface StartOptions extends OtlpOptions {
  serviceName?: string;
  serviceVersion?: string;
  /** `deployment.environment.name` of the resource. */
  environment?: string;
  /** Further resource attributes; they beat `OTEL_RESOURCE_ATTRIBUTES`. */
  resourceAttributes?: Attributes;
  resourceDetection?: ResourceDetectionOptions;
  /** Base URL; the signal's path (`v1/traces`, …) is appended. Default `http://localhost:4318`. */
  endpoint?: string;
  /** `false` switches the signal off. */
  traces?: TraceOptions | false;
  metrics?: MetricOptions | false;
  logs?: LogOptions | false;
  /** Replaces what `sampling` and the environment say about the start of a trace. */
  sampler?: Sampler;
  sampling?: SamplingOptions;
  propagator?: TextMapPropagator;
  http?: HttpOptions;
  ioredis?: CacheClientOptions;
  redis?: CacheClientOptions;
  memjs?: CacheClientOptions;
  processes?: ProcessOptions;
  llm?: LlmOptions;
  pino?: LoggerOptions;
  winston?: LoggerOptions;
  bunyan?: LoggerOptions;
  console?: ConsoleOptions;
  /** Switches off the spans or the metrics of single instrumentations: `{ fetch: { spans: false } }`. */
  switches?: Readonly<Record<string, InstrumentationSwitches>>;
  /**
   * Beginning of the names of those metrics that no semantic convention names: `wippy_` makes `wippy_sql_ops_total` of
   * `sql_ops_total`. Where it is given, HTTP requests and log records are also counted under names without a convention.
   */
  metricPrefix?: string;
  /** Names of instrumentations to leave out. */
  disabledInstrumentations?: readonly string[];
  /** Replaces the built-in list, or derives a list from it. */
  instrumentations?: readonly Instrumentation[] | ((builtIn: readonly Instrumentation[]) => readonly Instrumentation[]);
  /** Milliseconds that flushing may take at shutdown, on a signal and at exit (default 5,000). */
  shutdownTimeoutMillis?: number;
  /** Keep on disk what could not be delivered when the process ended (default: it is lost, which is said). */
  spool?: SpoolOptions;
  /** Flush on SIGTERM, SIGINT, the end of the event loop, `process.exit` and crashes (default true). */
  handleExit?: boolean;
}
