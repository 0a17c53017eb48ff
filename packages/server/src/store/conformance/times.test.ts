import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../open-store.ts';
import type { Store } from '../store.ts';
import { addSpan, BatchWriter } from '../testing/batches.ts';
import { TEST_TARGETS, type TestTarget } from '../testing/test-connections.ts';

const NOW = 1_790_000_000_123;
const TIME = BigInt(NOW) * 1_000_000n;

describe.each(TEST_TARGETS)('rows of many times, %s', (_, make) => {
  let target: TestTarget;
  let store: Store;

  beforeAll(async () => {
    target = await make();
    store = await openStore({
      connection: target.options,
      retentionIntervalMs: 0,
      now: () => NOW,
      retention: { tracesMs: 60 * 365 * 86_400_000 },
    });
  });
  afterAll(async () => {
    await store?.shutdown(2_000);
    await target?.dispose();
  });

  const rows = async (sql: string): Promise<readonly (readonly unknown[])[]> =>
    (await store.connection.query(sql)).rows;

  it('stores a batch that spans a year, each partition with its resource, and refuses impossible times only', async () => {
    const writer = BatchWriter.spans();
    const scope = writer.scope(writer.resource([['service.name', 'year']]), '');
    const day = 86_400_000_000_000n;
    // More partitions than ClickHouse takes in one insert by default (100).
    for (let i = 0n; i < 122n; i++) {
      addSpan(writer, scope, { name: `day ${i}`, start: TIME - i * 3n * day });
    }
    addSpan(writer, scope, { name: 'zero', start: 0n });
    addSpan(writer, scope, { name: 'seventies', start: 3600_000_000_000n });
    addSpan(writer, scope, { name: 'tomorrow', start: TIME + day - 10_000_000_000n });
    addSpan(writer, scope, { name: 'later', start: TIME + day + 10_000_000_000n });
    addSpan(writer, scope, { name: 'end of time', start: 2n ** 64n - 1n });
    addSpan(writer, scope, { name: 'backwards', start: TIME, end: TIME - 1n });
    expect(await store.spans.consume(writer.batch)).toEqual({
      rejected: 4,
      reason: expect.stringMatching(
        /^spans older than the retention of 21900d \(--retention-traces\) or more than 24 hours ahead/,
      ),
    });
    expect(await rows('SELECT count(), uniqExact(toDate(time)) FROM spans')).toEqual([['124', '123']]);
    expect(
      await rows("SELECT name, duration FROM spans WHERE name IN ('backwards', 'tomorrow', 'zero') ORDER BY name"),
    ).toEqual([
      ['backwards', '0'],
      ['tomorrow', '0'],
    ]);
    expect(await rows('SELECT count() FROM resources')).toEqual([['123']]);
  }, 60_000);

  it('syncs files before it acknowledges', async () => {
    // ClickHouse counts its fsync calls; a killed process could not show that one is missing, only a power cut.
    const syncs = async (): Promise<number> =>
      Number((await rows("SELECT sum(value) FROM system.events WHERE event = 'FileSync'"))[0][0]);
    const before = await syncs();
    const writer = BatchWriter.spans();
    addSpan(writer, writer.scope(writer.resource([]), ''), { name: 'synced', start: TIME });
    await store.spans.consume(writer.batch);
    expect(await syncs()).toBeGreaterThan(before + 2);
  });
});
