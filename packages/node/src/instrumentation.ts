import type { Channel } from 'node:diagnostics_channel';
import type { Context, MeterProvider, TracerProvider } from '@opentelemetry/api';
import type { LoggerProvider } from '@opentelemetry/api-logs';
import type { HttpOptions, IoredisOptions, PinoOptions } from './options.ts';

/** Per-library settings that instrumentations read; every field has its default filled in. */
export interface InstrumentationSettings {
  readonly http: Required<HttpOptions>;
  readonly ioredis: Required<IoredisOptions>;
  readonly pino: Required<PinoOptions>;
}

/** What an instrumentation may use. The providers are the ones `start` created, not the global ones. */
export interface InstrumentationContext {
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider;
  readonly loggerProvider: LoggerProvider;
  readonly settings: InstrumentationSettings;
  /** Subscribes to a diagnostics channel; what `onMessage` throws is reported, not thrown. Returns what undoes it. */
  subscribe(channel: string, onMessage: (message: unknown) => void): () => void;
  /** `run`, except that what it throws is reported and `fallback` answers instead: for functions put in place of others. */
  protect<Args extends unknown[], Result>(
    run: (...args: Args) => Result,
    fallback: (...args: Args) => Result,
  ): (...args: Args) => Result;
  /**
   * Makes `context` active for the rest of the current synchronous execution and all that it starts. For channels that
   * announce the beginning of work without wrapping it; where a function can be wrapped, use `context.with` instead.
   */
  enterContext(context: Context): void;
  /**
   * Runs whatever a tracing channel wraps inside the context that `contextOf` makes of each message: for `…:start`
   * channels, whose publisher uses `runStores`. Returns what undoes it.
   */
  bindChannel(channel: Channel, contextOf: (message: unknown) => Context): () => void;
  /** Registers what to do when the process is ending but telemetry can still be recorded: end what would stay open. */
  onExit(callback: () => void): void;
  /** Says one thing on standard error, once per distinct text. */
  warn(message: string): void;
}

/** Undoes an `enable`; must be safe to call twice. Same shape as TypeScript's `Disposable`. */
export interface InstrumentationHandle {
  [Symbol.dispose](): void;
}

/**
 * One library's instrumentation. `enable` is called once, before the application is loaded; it subscribes to diagnostics
 * channels or patches, and returns what undoes that. It must not import the library it instruments.
 */
export interface Instrumentation {
  /** Short and stable: it is the name by which `OTEL_NODE_DISABLED_INSTRUMENTATIONS` switches it off. */
  readonly name: string;
  enable(context: InstrumentationContext): InstrumentationHandle;
}

/** Combines several undo steps into one handle; they run in reverse order, once. */
export function handleOf(...undo: readonly (() => void)[]): InstrumentationHandle {
  const steps = [...undo];
  return {
    [Symbol.dispose]() {
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) step();
    },
  };
}
