import diagnosticsChannel from 'node:diagnostics_channel';
import { type Context, context, type Span, type Tracer } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import type { EnterableContextManager } from './context-manager.ts';
import type { InstrumentationContext, SpanStart } from './instrumentation.ts';
import type { CellMeters } from './metrics/cell-meter.ts';
import type { ModuleHooks, ModulePatch } from './modules/module-hooks.ts';
import type { InstrumentationSwitches } from './options.ts';
import { protect, protectListener } from './protect.ts';
import { SignalboxTracer } from './trace/tracer.ts';
import { version } from './version.ts';
import type { Warnings } from './warnings.ts';

/** What all instrumentations share. */
export type InstrumentationParts = Pick<
  InstrumentationContext,
  'tracerProvider' | 'meterProvider' | 'loggerProvider' | 'settings' | 'onExit' | 'postpone'
> & {
  readonly contextManager: EnterableContextManager;
  readonly cellMeters: CellMeters;
  readonly moduleHooks: ModuleHooks;
  readonly metricPrefix: string;
  /** Which signals are on at all. */
  readonly signals: { readonly spans: boolean; readonly metrics: boolean };
  readonly switches: Readonly<Record<string, InstrumentationSwitches>>;
};

/** The tools of the instrumentation `name`; what it throws is reported under that name. */
export function createInstrumentationContext(
  name: string,
  warnings: Warnings,
  { contextManager, cellMeters, moduleHooks, metricPrefix, signals, switches, ...shared }: InstrumentationParts,
): InstrumentationContext {
  const warn = (message: string): void => warnings.once(message);
  const safely: InstrumentationContext['protect'] = (run, fallback) =>
    protect(warn, `the instrumentation ${name}`, run, fallback);
  const scope = `@signalbox/node/${name}`;
  const wants = {
    spans: signals.spans && switches[name]?.spans !== false,
    metrics: signals.metrics && switches[name]?.metrics !== false,
  };
  const tracer = shared.tracerProvider.getTracer(scope, version);
  return {
    ...shared,
    wants,
    startSpan: (start) => (wants.spans ? startSpan(tracer, start) : undefined),
    cells: cellMeters.create({ scope, prefix: metricPrefix, isOn: wants.metrics, warn }),
    warn,
    onModule: (moduleName, selection, patch) =>
      moduleHooks.add({
        ...selection,
        name: moduleName,
        patch: protect(
          warn,
          `the instrumentation ${name} of ${moduleName}`,
          patch as ModulePatch<unknown>,
          () => undefined,
        ),
        warn,
      }),
    protect: safely,
    postpone: (step) => shared.postpone(safely(step, () => {})),
    enterContext: (entered) => contextManager.enter(entered),
    bindChannel: (channel, contextOf) =>
      contextManager.bindChannel(
        channel,
        safely<[unknown], Context>(contextOf, () => context.active()),
      ),
    subscribe(channel, onMessage) {
      const subscriber = protectListener(warn, `the instrumentation ${name}`, onMessage);
      diagnosticsChannel.subscribe(channel, subscriber);
      return () => void diagnosticsChannel.unsubscribe(channel, subscriber);
    },
  };
}

function startSpan(tracer: Tracer, start: SpanStart): Span | undefined {
  const parent = start.parent ?? context.active();
  if (isTracingSuppressed(parent)) return undefined;
  if (tracer instanceof SignalboxTracer) return tracer.startLazily(start, parent);
  const { name, attributes, kind, links, startTime } = start;
  return tracer.startSpan(
    typeof name === 'string' ? name : name(),
    {
      kind,
      ...(links && { links }),
      ...(startTime !== undefined && { startTime }),
      ...(attributes && { attributes: attributes() }),
    },
    parent,
  );
}
