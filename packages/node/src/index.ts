export { getRequestSpan, setRoute } from './http/request-state.ts';
export type {
  Instrumentation,
  InstrumentationContext,
  InstrumentationHandle,
  InstrumentationSettings,
} from './instrumentation.ts';
export type {
  BatchOptions,
  ExemplarFilter,
  HttpOptions,
  IoredisOptions,
  MetricOptions,
  OtlpOptions,
  OtlpProtocol,
  PinoOptions,
  StartOptions,
} from './options.ts';
export { type FlushResult, type SignalCounts, start, type Telemetry } from './start.ts';
