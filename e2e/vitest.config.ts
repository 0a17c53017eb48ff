import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export const browserTests = 'packages/ui/src/page.test.ts';

export default defineConfig({
  resolve: { conditions: ['@signalbox/source'] },
  ssr: { resolve: { conditions: ['@signalbox/source', 'node', 'import', 'default'] } },
  test: {
    root: join(import.meta.dirname, '..'),
    // The page's own browser test is here too: beside a dozen other files, a browser is no judge of smoothness.
    include: ['e2e/**/*.test.ts', browserTests],
    setupFiles: ['./tooling/patient-waits.ts'],
    expect: { poll: { timeout: 30_000 } },
    pool: 'forks',
    // Real processes on two cores: one file at a time.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
