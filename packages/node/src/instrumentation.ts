import type { Channel } from 'node:diagnostics_channel';
import type {
  Attributes,
  Context,
  Link,
  MeterProvider,
  Span,
  SpanKind,
  TimeInput,
  TracerProvider,
} from '@opentelemetry/api';
import type { LoggerProvider } from '@opentelemetry/api-logs';
import type { CellMeter } from './metrics/cells.ts';
import type { ModulePatch, ModuleSelection } from './modules/module-hooks.ts';
import type {
  CacheClientOptions,
  ConsoleOptions,
  HttpOptions,
  LlmOptions,
  LoggerOptions,
  ProcessOptions,
} from './options.ts';

/** Those whose absence is an answer: everything gets the context, and nothing is ignored. */
type OptionalHttpOptions = 'propagateTo' | 'ignoreIncoming';

/** Per-library settings that instrumentations read; every field has its default filled in. */
export interface InstrumentationSettings {
  /** What `prefixed` names begin with; those that double a convention's name exist only where it is not empty. */
  readonly metricPrefix: string;
  /** Whether the machine is measured, beside the process. */
  readonly hostMetrics: boolean;
  readonly http: Required<Omit<HttpOptions, OptionalHttpOptions>> & Pick<HttpOptions, OptionalHttpOptions>;
  readonly ioredis: Required<CacheClientOptions>;
  readonly redis: Required<CacheClientOptions>;
  readonly memjs: Required<CacheClientOptions>;
  readonly processes: Required<ProcessOptions>;
  readonly llm: Required<LlmOptions>;
  readonly pino: Required<LoggerOptions>;
  readonly winston: Required<LoggerOptions>;
  readonly bunyan: Required<LoggerOptions>;
  readonly console: Required<ConsoleOptions>;
}

/** What an instrumentation knows when something begins. */
export interface SpanStart {
  /** A function where a name takes work: it is asked like `attributes`. */
  readonly name: string | (() => string);
  readonly kind: SpanKind;
  /** `context.active()` unless given. */
  readonly parent?: Context;
  /** Asked only when the span is recorded, or when a sampler decides by attributes: nothing is computed for nothing. */
  readonly attributes?: () => Attributes;
  readonly links?: Link[];
  readonly startTime?: TimeInput;
  /** Of `performance.now()`, just taken, where there is one: a clock takes as long to read as a tenth of what a span costs. */
  readonly reading?: number;
  /** Of a span whose ids are known before it begins. */
  readonly identity?: GivenIdentity;
}

/** What has been said of a span elsewhere, in code that runs again and must then say the same: in a workflow. */
export interface GivenIdentity {
  /** 16 hex digits. */
  readonly spanId?: string;
  /** 32 hex digits; of a span without a parent. */
  readonly traceId?: string;
  /** The parent is of a trace that no sampler has decided about: it is decided now, as if this span began the trace. */
  readonly isUndecided?: boolean;
}

/** What an instrumentation may use. The providers are the ones `start` created, not the global ones. */
export interface InstrumentationContext {
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider;
  readonly loggerProvider: LoggerProvider;
  readonly settings: InstrumentationSettings;
  /**
   * What the user wants of this instrumentation (option `switches`) and of the signals as a whole. With `spans` off
   * `startSpan` answers undefined and with `metrics` off cells do nothing; look here to spare work before that.
   */
  readonly wants: { readonly spans: boolean; readonly metrics: boolean };
  /**
   * Starts a span under the scope of this instrumentation (`@signalbox/node/<name>`). Undefined when there shall be none:
   * spans are switched off here, or tracing is suppressed in `parent`. An unsampled span is there, so that its context can
   * be propagated, but does not record.
   */
  startSpan(start: SpanStart): Span | undefined;
  /** Metric instruments of this instrumentation, whose series are looked up once and then recorded to directly. */
  readonly cells: CellMeter;
  /** Subscribes to a diagnostics channel; what `onMessage` throws is reported, not thrown. Returns what undoes it. */
  subscribe(channel: string, onMessage: (message: unknown) => void): () => void;
  /**
   * For libraries that publish no diagnostics channel: hands the exports of the package `name` to `patch` when they are
   * loaded, under `require`, `import` and compilers like tsx alike, before the application gets them. Call it from
   * `enable`. What `patch` throws is reported and leaves the library as it was loaded. A library that had been loaded before
   * is warned about. Returns what ends it and takes back what was changed by `wrap` and by returned exports.
   */
  onModule<Exports extends object>(name: string, selection: ModuleSelection, patch: ModulePatch<Exports>): () => void;
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
  /**
   * Does `step` when the application's main program has been run, or before, when telemetry is flushed or scraped: for
   * instruments that are only observed, which the start of an application need not wait for. What it throws is reported.
   */
  postpone(step: () => void): void;
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
 * One library's instrumentation. `enable` is called once, before the application or the library is loaded; it subscribes to diagnostics
 * channels or patches, and returns what undoes that. It must not import the library it instruments.
 */
export interface Instrumentation {
  /**
   * Short and stable: it is the name by which `OTEL_NODE_DISABLED_INSTRUMENTATIONS` and the option `switches` know it, and
   * the end of its scope's name.
   */
  readonly name: string;
  /**
   * Packages without which it has nothing to do. `enable` is then called when `start` finds one of them installed, or else when the
   * first file of one is loaded, before that file's exports are handed out. With neither these nor `channels` it is called by `start`.
   */
  readonly packages?: readonly string[];
  /**
   * Tracing channels of a library (`tracing:…:start`, published by `runStores`) that may be bundled with the application, and so be
   * there without being installed: the first message on one calls `enable` as well, and then reaches what that has bound and subscribed.
   */
  readonly channels?: readonly string[];
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
