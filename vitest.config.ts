import { configDefaults, defineConfig } from 'vitest/config';
import { browserTests } from './e2e/vitest.config.ts';

export default defineConfig({
  resolve: { conditions: ['@signalbox/source'] },
  ssr: { resolve: { conditions: ['@signalbox/source', 'node', 'import', 'default'] } },
  test: {
    include: ['packages/*/src/**/*.test.{ts,tsx}', 'examples/**/*.test.ts', 'tooling/**/*.test.ts'],
    exclude: [...configDefaults.exclude, browserTests],
    // chdb lives in a process's main thread only.
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
