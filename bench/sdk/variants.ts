import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Peers } from './peers.ts';

/** A way to run the same application. */
export interface Variant {
  readonly name: string;
  readonly nodeArguments: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const register = path('../../packages/node/dist/register');

export const bare: Variant = { name: 'bare', nodeArguments: [] };
export const ours: Variant = { name: 'signalbox', nodeArguments: ['--import', pathToFileURL(`${register}.js`).href] };
/** What a container that runs CommonJS would use; one file less for Node to resolve. */
export const oursRequired: Variant = { name: 'signalbox, --require', nodeArguments: ['--require', `${register}.cjs`] };
export const unsampled: Variant = {
  ...ours,
  name: 'signalbox, always_off',
  env: { OTEL_TRACES_SAMPLER: 'always_off' },
};
/** Our package as an application imports it. */
export const ourPackage = path('../../packages/node/dist/index.cjs');

/** Everything stock by `--require`, which is the faster of its two ways to start. */
export function autoInstrumentations({ stock }: Peers): Variant[] {
  if (stock === undefined) return [];
  const name = '@opentelemetry/auto-instrumentations-node/register';
  return [{ name: 'auto-instrumentations-node', nodeArguments: ['--require', stock.resolve(name)] }];
}

/** The stock SDK with two instrumentations only. */
export function nodeSdk({ stock }: Peers): Variant[] {
  if (stock === undefined) return [];
  const env = { BENCH_STOCK: stock.resolve('@opentelemetry/sdk-node') };
  return [{ name: 'NodeSDK, http and undici', nodeArguments: ['--require', path('apps/node-sdk.cjs')], env }];
}
