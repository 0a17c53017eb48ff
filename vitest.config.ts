import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@signalbox/source'] },
  ssr: { resolve: { conditions: ['@signalbox/source', 'node', 'import', 'default'] } },
  test: {
    include: ['packages/*/src/**/*.test.{ts,tsx}', 'examples/**/*.test.ts', 'tooling/**/*.test.ts'],
    // chdb lives in a process's main thread only.
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
