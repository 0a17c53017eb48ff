import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runPromqlTest } from '../promql/testing/promqltest.ts';
import { TestStore } from '../testing/test-store.ts';
import { StoreStorage } from './testing/store-storage.ts';

const root = fileURLToPath(new URL('../../../../../', import.meta.url));
const folder = join(process.env.SIGNALBOX_CONFORMANCE ?? join(root, '../shared/conformance'), 'promqltest');
/** It loads histograms with custom buckets, for which the store has no form: OTLP's show as classic ones. */
const withoutForm = 'operators.test';
const scripts = existsSync(folder)
  ? readdirSync(folder).filter((name) => name.endsWith('.test') && name !== withoutForm)
  : [];

/** A slice that touches most of what the store does; the full tier has the rest. */
const slice = ['selectors.test', 'staleness.test', 'at_modifier.test'];

describe.skipIf(scripts.length === 0)('Prometheus’s scripts over the store', () => {
  let store: TestStore;
  beforeAll(async () => {
    store = await TestStore.open();
  });
  afterAll(() => store?.close());

  test.each(process.env.SIGNALBOX_TEST_TIER === 'full' ? scripts : scripts.filter((name) => slice.includes(name)))(
    '%s',
    { timeout: 300_000 },
    async (name) => {
      // OTLP has no such hints: whether a counter was reset is found out from the samples.
      const script = readFileSync(join(folder, name), 'utf8').replaceAll(' counter_reset_hint:not_reset', '');
      const evaluated = await runPromqlTest(script, () => StoreStorage.create(store));
      expect(evaluated).toBeGreaterThan(0);
    },
  );
});
