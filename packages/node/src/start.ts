import { context, type MeterProvider, metrics, propagation, type TracerProvider, trace } from '@opentelemetry/api';
import { type LoggerProvider, logs } from '@opentelemetry/api-logs';
import { builtInInstrumentations } from './built-in-instrumentations.ts';
import { type Configuration, resolveConfiguration } from './configuration.ts';
import { EnterableContextManager } from './context-manager.ts';
import { enableWhenNeeded } from './deferred-instrumentation.ts';
import type { Environment } from './environment.ts';
import { CollectorHealth } from './export/collector-health.ts';
import { createSpool } from './export/create-spool.ts';
import type { UnansweredRequest } from './export/otlp-exporter.ts';
import type { Spool } from './export/spool.ts';
import { handleOf, type Instrumentation, type InstrumentationHandle } from './instrumentation.ts';
import { createInstrumentationContext, type InstrumentationParts } from './instrumentation-context.ts';
import { deliverAtExit } from './lifecycle/exit-delivery.ts';
import { installExitHandlers } from './lifecycle/exit-handlers.ts';
import { Postponed } from './lifecycle/postponed.ts';
import { recordException } from './lifecycle/record-exception.ts';
import { setGlobalLoggerProvider, unsetGlobalLoggerProvider } from './logging/global-logger-provider.ts';
import { CellMeters } from './metrics/cell-meter.ts';
import { logMetrics } from './metrics/log-metrics.ts';
import type { Scrape } from './metrics/prometheus/prometheus-endpoint.ts';
import { observeSdk, type SignalsByName } from './metrics/sdk-metrics.ts';
import { spanMetrics } from './metrics/span-metrics.ts';
import { ModuleHooks } from './modules/module-hooks.ts';
import type { StartOptions } from './options.ts';
import { propagatorFromEnvironment } from './propagation/propagator-from-environment.ts';
import { protect } from './protect.ts';
import { createResource } from './resource.ts';
import { resolveSampling } from './sampling/resolve-sampling.ts';
import { resolveSettings } from './settings.ts';
import type { Delivery, Signal } from './signal.ts';
import { createLogSignal, createMetricSignal, createTraceSignal } from './signals.ts';
import { installDiagLogger, isSilent, Warnings } from './warnings.ts';

/** Records by signal. */
export interface SignalCounts {
  readonly spans: number;
  readonly logRecords: number;
  readonly dataPoints: number;
}

export interface FlushResult {
  /** Delivered during this call. */
  readonly flushed: SignalCounts;
  /** Lost since `start`: the queue was full, the collector refused them or could not be reached in time. */
  readonly dropped: SignalCounts;
  /** Why records were lost, at most 20 for each signal. */
  readonly errors: readonly Error[];
}

/** The running SDK. */
export interface Telemetry {
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider;
  readonly loggerProvider: LoggerProvider;
  /**
   * The metrics as Prometheus scrapes them, for a route of the application's own: `metrics.prometheus` with `listen: false` (or beside
   * the server that it has). The same instruments as over OTLP, and nothing is reset. Without a running SDK it has no metrics.
   *
   * @param accept the scrape's `Accept` header, which chooses OpenMetrics (with exemplars) or the text format (default)
   * @throws (rejects) when `metrics.prometheus` is not set, or the metrics can't be collected
   */
  scrape(accept?: string): Promise<Scrape>;
  /** Sends everything recorded so far. Resolves within the shutdown timeout; never rejects. */
  flush(): Promise<FlushResult>;
  /** Sends everything, then undoes all that `start` did. Resolves within the shutdown timeout; never rejects. */
  shutdown(): Promise<FlushResult>;
}

const nothing: SignalCounts = { spans: 0, logRecords: 0, dataPoints: 0 };
let running: Telemetry | undefined;

/**
 * Starts traces, metrics and logs for this process: creates the three providers, makes them global, enables the
 * instrumentations and sees to delivery at exit. Call it before anything else is imported, or use
 * `node --import @signalbox/node/register`. A second call returns what the first one started.
 */
export function start(options: StartOptions = {}): Telemetry {
  const warnings = new Warnings(isSilent(process.env));
  if (running !== undefined) {
    if (Object.keys(options).length > 0) {
      warnings.always(
        'telemetry runs already (--import @signalbox/node/register?), so the options given to start have no effect',
      );
    }
    return running;
  }
  const settings = resolveSettings(options, process.env, warnings);
  if (settings.isDisabled) return disabledTelemetry(settings.options, settings.env, warnings);
  installDiagLogger(warnings, settings.logLevel);
  running = startEnabled(settings.options, settings.env, warnings);
  return running;
}

function startEnabled(options: StartOptions, env: Environment, warnings: Warnings): Telemetry {
  const configuration = resolveConfiguration(options, env, warnings);
  const resource = createResource(options, env, configuration.settings.http.conventions === 'dup');
  const health = new CollectorHealth(warnings);
  const spool = configuration.spool && createSpool(configuration.spool, warnings);
  const delivery: Delivery = { health, warnings, ...(spool && { keep: (request) => spool.keep(request) }) };
  const measuring = configuration.metrics && createMetricSignal(configuration.metrics, resource, delivery);
  const cellMeters = new CellMeters(measuring ? measuring.provider : metrics.getMeterProvider());
  const { spanMetrics: countsSpans = false } = configuration.metrics || {};
  const onSpanEnd = countsSpans ? spanMetrics(cellMeters, warnings) : undefined;
  const onEmit = configuration.settings.metricPrefix === '' ? undefined : logMetrics(cellMeters, warnings);
  const logging = configuration.logs && createLogSignal(configuration.logs, resource, delivery, onEmit);
  const traces =
    configuration.traces &&
    createTraceSignal(configuration.traces, resource, resolveSampling(options, env), delivery, onSpanEnd);

  const contextManager = new EnterableContextManager().enable();
  const isFirst = context.setGlobalContextManager(contextManager);
  if (!isFirst)
    warnings.once('another OpenTelemetry SDK was started before this one; traces will be incomplete: start only one');
  propagation.setGlobalPropagator(options.propagator ?? propagatorFromEnvironment(env, warnings));
  if (traces) trace.setGlobalTracerProvider(traces.provider);
  if (logging) setGlobalLoggerProvider(logging.provider);
  if (measuring) metrics.setGlobalMeterProvider(measuring.provider);

  const atExit: (() => void)[] = [];
  const postponed = new Postponed();
  const tracerProvider = traces ? traces.provider : trace.getTracerProvider();
  const meterProvider = measuring ? measuring.provider : metrics.getMeterProvider();
  const loggerProvider = logging ? logging.provider : logs.getLoggerProvider();
  const moduleHooks = new ModuleHooks();
  const handles = enableAll(chooseInstrumentations(options, configuration), warnings, {
    tracerProvider,
    meterProvider,
    loggerProvider,
    contextManager,
    cellMeters,
    moduleHooks,
    metricPrefix: configuration.settings.metricPrefix,
    signals: { spans: traces !== false, metrics: measuring !== false },
    switches: options.switches ?? {},
    settings: configuration.settings,
    onExit: (callback) => void atExit.push(callback),
    postpone: (step) => postponed.add(step),
  });

  moduleHooks.install((message) => warnings.once(message));

  const signals: SignalsByName = { spans: traces, logRecords: logging, dataPoints: measuring };
  if (measuring) postponed.add(() => observeSdk(measuring.provider, signals, traces ? traces.spans : undefined));
  const timeoutMillis = configuration.shutdownTimeoutMillis;
  const destinations = [configuration.traces, configuration.metrics, configuration.logs].flatMap((signal) =>
    signal ? (signal.otlp ?? []) : [],
  );
  spool?.start(destinations);
  const flush = async (): Promise<FlushResult> => {
    postponed.run();
    const deadline = Date.now() + timeoutMillis;
    const result = await flushAll(signals, deadline);
    await spool?.resend(destinations, deadline);
    return result;
  };
  let stopped: Promise<FlushResult> | undefined;
  // What throws while the process ends would change its exit code, or hide the exception that it dies of.
  const unharmed = <Args extends unknown[]>(run: (...args: Args) => void): ((...args: Args) => void) =>
    protect(
      (message) => warnings.once(message),
      'telemetry at the end of the process',
      run,
      () => {},
    );
  const removeExitHandlers =
    options.handleExit === false
      ? () => {}
      : installExitHandlers({
          endOpen: () => {
            for (const callback of atExit) unharmed(callback)();
          },
          flush: async () => {
            await flush();
          },
          flushSync: unharmed(() => flushSynchronously(signals, timeoutMillis, delivery, spool)),
          onException: unharmed((error, origin, isFatal) => recordException(loggerProvider, error, origin, isFatal)),
        });
  const shutdown = async (): Promise<FlushResult> => {
    removeExitHandlers();
    // Before what it would do is undone.
    postponed.run();
    for (const handle of handles.reverse()) handle[Symbol.dispose]();
    moduleHooks.uninstall();
    const result = await flush();
    for (const signal of Object.values(signals)) if (signal) signal.close();
    spool?.close();
    context.disable();
    propagation.disable();
    trace.disable();
    metrics.disable();
    unsetGlobalLoggerProvider();
    running = undefined;
    return { ...result, dropped: countsOf(signals, (signal) => signal.dropped()), errors: errorsOf(signals) };
  };
  return {
    tracerProvider,
    meterProvider,
    loggerProvider,
    async scrape(accept = '') {
      if (!measuring || measuring.scrape === undefined) {
        throw new Error('metrics are not there to be scraped: start with metrics: { prometheus: { listen: false } }');
      }
      postponed.run();
      return measuring.scrape(accept);
    },
    flush,
    shutdown() {
      stopped ??= shutdown();
      return stopped;
    },
  };
}

function chooseInstrumentations(options: StartOptions, configuration: Configuration): readonly Instrumentation[] {
  const chosen =
    typeof options.instrumentations === 'function'
      ? options.instrumentations(builtInInstrumentations)
      : (options.instrumentations ?? builtInInstrumentations);
  return chosen.filter(({ name }) => !configuration.disabledInstrumentations.has(name));
}

function enableAll(
  instrumentations: readonly Instrumentation[],
  warnings: Warnings,
  parts: InstrumentationParts,
): InstrumentationHandle[] {
  return instrumentations.map((instrumentation) =>
    enableWhenNeeded(instrumentation, parts, () => enable(instrumentation, warnings, parts)),
  );
}

function enable(
  instrumentation: Instrumentation,
  warnings: Warnings,
  parts: InstrumentationParts,
): InstrumentationHandle {
  const { name } = instrumentation;
  try {
    return instrumentation.enable(createInstrumentationContext(name, warnings, parts));
  } catch (error) {
    // Telemetry that fails must not take the application with it.
    const reason = error instanceof Error ? error.message : String(error);
    warnings.once(`the instrumentation ${name} could not be enabled: ${reason}`);
    return handleOf();
  }
}

async function flushAll(signals: SignalsByName, deadline: number): Promise<FlushResult> {
  const before = countsOf(signals, (signal) => signal.delivered());
  await Promise.all(Object.values(signals).map((signal) => (signal ? signal.flush(deadline) : undefined)));
  const after = countsOf(signals, (signal) => signal.delivered());
  return {
    flushed: {
      spans: after.spans - before.spans,
      logRecords: after.logRecords - before.logRecords,
      dataPoints: after.dataPoints - before.dataPoints,
    },
    dropped: countsOf(signals, (signal) => signal.dropped()),
    errors: errorsOf(signals),
  };
}

function flushSynchronously(
  signals: SignalsByName,
  timeoutMillis: number,
  { warnings, keep = () => false }: Delivery,
  spool: Spool | undefined,
): void {
  spool?.close();
  const requests: UnansweredRequest[] = [];
  for (const signal of Object.values(signals)) if (signal) requests.push(...signal.takeUnanswered());
  if (requests.length === 0) return;
  const { unanswered, refused } = deliverAtExit(requests, timeoutMillis);
  const lost = [...refused, ...unanswered.filter((request) => !keep(request))];
  if (lost.length > 0) {
    const records = lost.reduce((sum, request) => sum + request.records, 0);
    warnings.always(
      `at exit ${lost.length} of ${requests.length} requests (${records} records) could not be delivered`,
    );
  }
}

function countsOf(signals: SignalsByName, count: (signal: Signal) => number): SignalCounts {
  const { spans, logRecords, dataPoints } = signals;
  return {
    spans: spans ? count(spans) : 0,
    logRecords: logRecords ? count(logRecords) : 0,
    dataPoints: dataPoints ? count(dataPoints) : 0,
  };
}

function errorsOf(signals: SignalsByName): Error[] {
  return Object.values(signals).flatMap((signal) => (signal ? signal.errors() : []));
}

/**
 * Nothing is created, patched or subscribed: the API's own no-op providers are what is there. Propagators that were asked
 * for stay, as the specification wants, for applications that hand contexts on by hand.
 */
function disabledTelemetry(options: StartOptions, env: Environment, warnings: Warnings): Telemetry {
  if (options.propagator !== undefined) propagation.setGlobalPropagator(options.propagator);
  else if (env.list('OTEL_PROPAGATORS') !== undefined)
    propagation.setGlobalPropagator(propagatorFromEnvironment(env, warnings));
  const result: FlushResult = { flushed: nothing, dropped: nothing, errors: [] };
  return {
    tracerProvider: trace.getTracerProvider(),
    meterProvider: metrics.getMeterProvider(),
    loggerProvider: logs.getLoggerProvider(),
    scrape: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', body: '' }),
    flush: async () => result,
    shutdown: async () => result,
  };
}
