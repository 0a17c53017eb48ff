export { type ChangeStreamOptions, type ObservedChanges, observeChanges } from './changes/observe-changes.ts';
export { type EventBusOptions, observeEventBus } from './events/observe-event-bus.ts';
export { recordEvent } from './events/record-event.ts';
export { inBackground } from './functions/in-background.ts';
export { type TracedOptions, traced } from './functions/traced.ts';
export { type TracedClassOptions, tracedClass, tracedMethod } from './functions/traced-methods.ts';
export { type PanicOptions, recordPanic, recoverPanics } from './http/recover-panics.ts';
export { addRequestAttributes, type RequestAttributeOptions } from './http/request-attributes.ts';
export type { RequestLogLine } from './http/request-log.ts';
export { getRequestSpan, setRoute } from './http/request-state.ts';
export type {
  GivenIdentity,
  Instrumentation,
  InstrumentationContext,
  InstrumentationHandle,
  InstrumentationSettings,
  SpanStart,
} from './instrumentation.ts';
export { scheduledJob } from './jobs/scheduled-job.ts';
export { type PinoPreset, type PinoPresetOptions, pinoPreset } from './logging/pino-preset.ts';
export type { MessageHeaders } from './messaging/header-carrier.ts';
export { type Delivery, type ObservedQueue, observeQueue, type QueueOptions } from './messaging/observe-queue.ts';
export type {
  CellLookup,
  CellMeter,
  CellOptions,
  HistogramCell,
  HistogramCellOptions,
  SeriesKey,
  SumCell,
} from './metrics/cells.ts';
export type { TranslationStrategy } from './metrics/prometheus/metric-name.ts';
export type { Scrape } from './metrics/prometheus/prometheus-endpoint.ts';
export type { AnyFunction, LoadedModule, WrapFunction } from './modules/loaded-module.ts';
export type { ModulePatch, ModuleSelection } from './modules/module-hooks.ts';
export type { VersionRange } from './modules/version-range.ts';
export type {
  BatchOptions,
  CacheClientOptions,
  ConsoleOptions,
  ExemplarFilter,
  ExporterName,
  HttpHooks,
  HttpOptions,
  InstrumentationSwitches,
  LlmOptions,
  LoggerOptions,
  LogOptions,
  MetricOptions,
  OtlpOptions,
  OtlpProtocol,
  ProcessOptions,
  PrometheusOptions,
  RecordLimits,
  ResourceDetectionOptions,
  ResourceDetector,
  SamplingOptions,
  SamplingRule,
  SpanLimits,
  SpoolOptions,
  StartOptions,
  TlsOptions,
  TraceOptions,
} from './options.ts';
export { inheritedContext } from './processes/environment-carrier.ts';
export { observeChild } from './processes/observe-child.ts';
export type { WorkerDescription } from './processes/worker-recorder.ts';
export { type CarriedContext, carryContext, continueContext } from './propagation/carry-context.ts';
export { type FlushResult, type SignalCounts, start, type Telemetry } from './start.ts';
export { observeStore, recordCacheLookup, type StoreOptions } from './stores/observe-store.ts';
export {
  observeBroadcast,
  observeWebSocketServer,
  type UpgradingServer,
} from './websocket/observe-websocket-server.ts';
export type { Broadcast } from './websocket/websocket-recorder.ts';
export type { TemporalMetric, TemporalMetricsBuffer, TemporalMetricUpdate } from './workflows/temporal-metrics.ts';
export {
  type TemporalMetricsBufferClass,
  type TemporalPlugin,
  temporalMetrics,
  temporalPlugin,
} from './workflows/temporal-plugin.ts';
