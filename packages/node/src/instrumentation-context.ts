import diagnosticsChannel from 'node:diagnostics_channel';
import { type Context, context } from '@opentelemetry/api';
import type { EnterableContextManager } from './context-manager.ts';
import type { InstrumentationContext } from './instrumentation.ts';
import { protect } from './protect.ts';
import type { Warnings } from './warnings.ts';

/** What all instrumentations share. */
export type InstrumentationParts = Pick<
  InstrumentationContext,
  'tracerProvider' | 'meterProvider' | 'loggerProvider' | 'settings' | 'onExit'
> & { readonly contextManager: EnterableContextManager };

/** The tools of the instrumentation `name`; what it throws is reported under that name. */
export function createInstrumentationContext(
  name: string,
  warnings: Warnings,
  { contextManager, ...shared }: InstrumentationParts,
): InstrumentationContext {
  const warn = (message: string): void => warnings.once(message);
  const safely: InstrumentationContext['protect'] = (run, fallback) =>
    protect(warn, `the instrumentation ${name}`, run, fallback);
  return {
    ...shared,
    warn,
    protect: safely,
    enterContext: (entered) => contextManager.enter(entered),
    bindChannel: (channel, contextOf) =>
      contextManager.bindChannel(
        channel,
        safely<[unknown], Context>(contextOf, () => context.active()),
      ),
    subscribe(channel, onMessage) {
      const subscriber = safely<[unknown], void>(onMessage, () => {});
      diagnosticsChannel.subscribe(channel, subscriber);
      return () => void diagnosticsChannel.unsubscribe(channel, subscriber);
    },
  };
}
