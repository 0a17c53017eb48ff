import diagnosticsChannel from 'node:diagnostics_channel';
import type { EnterableContextManager } from './context-manager.ts';
import { handleOf, type Instrumentation, type InstrumentationHandle } from './instrumentation.ts';
import type { ModuleHooks } from './modules/module-hooks.ts';

/** What tells that there is something to do for an instrumentation. */
export interface Occasions {
  readonly moduleHooks: ModuleHooks;
  readonly contextManager: EnterableContextManager;
}

/**
 * Calls `enable`, which must not throw, once: when one of the packages or channels of the instrumentation is there; at once if it
 * names neither. Most programs have few of the libraries that are known here, and each takes its time to enable.
 */
export function enableWhenNeeded(
  { packages = [], channels = [] }: Instrumentation,
  { moduleHooks, contextManager }: Occasions,
  enable: () => InstrumentationHandle,
): InstrumentationHandle {
  if (packages.length + channels.length === 0) return enable();
  let enabled: InstrumentationHandle | undefined;
  const waiting = handleOf(
    moduleHooks.await(packages, begin),
    ...channels.map((name) => contextManager.awaitChannel(diagnosticsChannel.channel(name), begin)),
  );
  return handleOf(
    () => enabled?.[Symbol.dispose](),
    () => waiting[Symbol.dispose](),
  );

  function begin(): void {
    waiting[Symbol.dispose]();
    enabled ??= enable();
  }
}
