import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { MemorySeries } from './memory-series.ts';
import { runPromqlTest, type TestStorage } from './testing/promqltest.ts';

const root = fileURLToPath(new URL('../../../../../', import.meta.url));
const conformance = process.env.SIGNALBOX_CONFORMANCE ?? join(root, '../shared/conformance');
/** A folder of more scripts: Prometheus's own `promql/promqltest/testdata`, say. */
const more = process.env.SIGNALBOX_PROMQLTEST;

function inMemory(): TestStorage {
  const memory = new MemorySeries();
  return {
    queryable: memory,
    add(series) {
      for (const { labels, samples } of series) memory.add(labels, samples);
    },
  };
}

interface SelfTest {
  name: string;
  script: string;
  should_pass: boolean;
}

const selfTests = join(conformance, 'promql/promqltest_runner_selftests.json');
const hasSelfTests = existsSync(selfTests);

describe.skipIf(!hasSelfTests)('the runner of scripts', () => {
  const cases = hasSelfTests ? (JSON.parse(readFileSync(selfTests, 'utf8')) as { cases: SelfTest[] }).cases : [];

  test.each(cases.filter(({ should_pass }) => should_pass))('passes: $name', async ({ script }) => {
    await runPromqlTest(script, inMemory);
  });

  test.each(cases.filter(({ should_pass }) => !should_pass))('reports: $name', async ({ script }) => {
    await expect(runPromqlTest(script, inMemory)).rejects.toThrow();
  });
});

for (const folder of [join(conformance, 'promqltest'), ...(more === undefined ? [] : [more])]) {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.test')) : [];
  describe.skipIf(files.length === 0)(`Prometheus's scripts in ${folder}`, () => {
    test.each(files)('%s', { timeout: 60_000 }, async (file) => {
      expect(await runPromqlTest(readFileSync(join(folder, file), 'utf8'), inMemory)).toBeGreaterThan(0);
    });
  });
}
