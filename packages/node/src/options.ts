import type { Attributes, TextMapPropagator } from '@opentelemetry/api';
import type { MetricReader } from '@opentelemetry/sdk-metrics';
import type { Sampler } from '@opentelemetry/sdk-trace';
import type { Instrumentation } from './instrumentation.ts';

export type OtlpProtocol = 'http/protobuf' | 'http/json';
export type ExemplarFilter = 'trace_based' | 'always_on' | 'always_off';

/** How one signal leaves the process. Unset fields come from the options above it, then from the environment. */
export interface OtlpOptions {
  /** Full URL that is posted to, path included (e.g. `http://localhost:4318/v1/traces`). */
  endpoint?: string;
  protocol?: OtlpProtocol;
  headers?: Readonly<Record<string, string>>;
  compression?: 'gzip' | 'none';
  /** Milliseconds one request may take. */
  timeoutMillis?: number;
}

export interface BatchOptions extends OtlpOptions {
  /** Finished records that may wait; more are dropped and counted. */
  maxQueueSize?: number;
  maxExportBatchSize?: number;
  /** Milliseconds between two exports when the batch does not fill up. */
  scheduledDelayMillis?: number;
}

export interface MetricOptions extends OtlpOptions {
  /** Milliseconds between two collections (default 60,000). */
  exportIntervalMillis?: number;
  exemplarFilter?: ExemplarFilter;
  /** Further readers of the same instruments beside the OTLP one, e.g. `PrometheusExporter`. They are shut down with it. */
  readers?: readonly MetricReader[];
}

export interface HttpOptions {
  /**
   * `stable` emits the stable conventions only; `dup` emits the names that were current before them as well
   * (`http.method`, `http.status_code`, `http.response_content_length`, …) on spans.
   */
  conventions?: 'stable' | 'dup';
  /** Response header that carries the trace id; `false` sends none. */
  traceIdHeader?: string | false;
  /** Incoming requests for which this returns true get no span and no metric. */
  ignoreIncoming?: (request: { readonly method: string; readonly url: string }) => boolean;
  /** Outgoing requests (both `http` and `fetch`) for which this returns true get no span, metric or `traceparent`. */
  ignoreOutgoing?: (request: { readonly method: string; readonly url: string }) => boolean;
}

/** Which of its signals one instrumentation emits; unset is on. */
export interface InstrumentationSwitches {
  spans?: boolean;
  metrics?: boolean;
}

export interface IoredisOptions {
  /** With `true` a command outside any trace makes no span (health checks, reconnects). */
  requireParent?: boolean;
}

export interface PinoOptions {
  /** Send log records over OTLP. */
  export?: boolean;
  /** Add `trace_id`, `span_id` and `trace_flags` to the lines pino writes itself. */
  correlate?: boolean;
}

/**
 * Everything `start` accepts. A value given here beats the environment; `OTEL_SDK_DISABLED=true` beats everything, so
 * that an operator can always switch telemetry off.
 */
export interface StartOptions extends OtlpOptions {
  serviceName?: string;
  serviceVersion?: string;
  /** `deployment.environment.name` of the resource. */
  environment?: string;
  /** Further resource attributes; they beat `OTEL_RESOURCE_ATTRIBUTES`. */
  resourceAttributes?: Attributes;
  /** Base URL; the signal's path (`v1/traces`, …) is appended. Default `http://localhost:4318`. */
  endpoint?: string;
  /** `false` switches the signal off. */
  traces?: BatchOptions | false;
  metrics?: MetricOptions | false;
  logs?: BatchOptions | false;
  sampler?: Sampler;
  propagator?: TextMapPropagator;
  http?: HttpOptions;
  ioredis?: IoredisOptions;
  pino?: PinoOptions;
  /** Switches off the spans or the metrics of single instrumentations: `{ ioredis: { spans: false } }`. */
  switches?: Readonly<Record<string, InstrumentationSwitches>>;
  /**
   * Beginning of the names of those metrics that no semantic convention names: `wippy_` makes `wippy_sql_ops_total` of
   * `sql_ops_total`.
   */
  metricPrefix?: string;
  /** Replaces the built-in list, or derives a list from it. */
  instrumentations?: readonly Instrumentation[] | ((builtIn: readonly Instrumentation[]) => readonly Instrumentation[]);
  /** Milliseconds that flushing may take at shutdown, on a signal and at exit (default 5,000). */
  shutdownTimeoutMillis?: number;
  /** Flush on SIGTERM, SIGINT, the end of the event loop, `process.exit` and crashes (default true). */
  handleExit?: boolean;
}
