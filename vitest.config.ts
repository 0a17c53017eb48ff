import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { browserTests } from './e2e/vitest.config.ts';

export default defineConfig({
  resolve: { conditions: ['@signalbox/source'] },
  ssr: { resolve: { conditions: ['@signalbox/source', 'node', 'import', 'default'] } },
  test: {
    include: ['packages/*/src/**/*.test.{ts,tsx}', 'examples/**/*.test.ts', 'tooling/**/*.test.ts'],
    exclude: [...configDefaults.exclude, browserTests],
    setupFiles: ['./tooling/patient-waits.ts'],
    expect: { poll: { timeout: 30_000 } },
    // chdb lives in a process's main thread only.
    pool: 'forks',
    // Many tests wait for processes that they started: on two cores, the default of one worker leaves half of the machine idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // For a busy machine: what hangs costs a minute, what is only slow is not a failure.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
