import { version } from './version.ts';

const key = Symbol.for(`@signalbox/node ${version}`);

/**
 * The package's exports of whichever of its bundles was loaded first in this process; `own` if there was none. `register`
 * may be an ES module where the application is CommonJS: both must mean the same running telemetry.
 */
export function shareInstance<Exports extends object>(own: Exports): Exports {
  const shared = globalThis as unknown as Record<symbol, Exports | undefined>;
  shared[key] ??= own;
  return shared[key];
}
