import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { restore } from '../backup.ts';
import { migrate, readMigrations } from '../clickhouse/migrate.ts';
import { openConnection } from '../open-connection.ts';
import { openStore } from '../open-store.ts';
import type { EdgeRow, RedRow } from '../span-metrics-row.ts';
import type { Store } from '../store.ts';
import { addSpan, BatchWriter } from '../testing/batches.ts';
import { TEST_TARGETS, type TestTarget } from '../testing/test-connections.ts';

const HOSTILE = "\n\nDROP TABLE spans;\n'; DROP TABLE red; --\\";

const red: RedRow = {
  time: 1_790_000_000,
  service: HOSTILE,
  name: 'GET /',
  kind: 2,
  entry: true,
  error: false,
  count: 4,
  durationSum: 1e9,
  durationMax: 2 ** 53,
  buckets: new Map([
    [200, 1],
    [-1, 3],
  ]),
};

const edge: EdgeRow = {
  time: 1_790_000_000,
  source: 'a',
  target: HOSTILE,
  targetType: 'external',
  error: true,
  count: 0.5,
  durationSum: 0,
  durationMax: 0,
  buckets: new Map(),
};

describe.each(TEST_TARGETS)('a store, %s', (kind, make) => {
  let target: TestTarget;
  let store: Store;
  const now = 1_790_000_000_000;
  const open = (): Promise<Store> => openStore({ connection: target.options, retentionIntervalMs: 0, now: () => now });

  beforeAll(async () => {
    target = await make();
    store = await open();
  });
  afterAll(async () => {
    await store?.shutdown(2_000);
    await target?.dispose();
  });

  it('adds up rows of rate, errors and duration', async () => {
    await Promise.all([
      store.red.consume([red]),
      store.red.consume([{ ...red, durationMax: 5 }]),
      store.edges.consume([edge]),
    ]);
    await store.connection.command('OPTIMIZE TABLE red FINAL');
    const { rows } = await store.connection.query(
      'SELECT toUnixTimestamp(time), service, name, kind, entry, error, count, duration_sum, duration_max, buckets FROM red',
    );
    expect(rows).toEqual([[1_790_000_000, HOSTILE, 'GET /', 2, 1, 0, 8, 2e9, String(2 ** 53), { '-1': 6, '200': 2 }]]);
    expect(
      (await store.connection.query('SELECT source, target, target_type, error, count, buckets FROM edges')).rows,
    ).toEqual([['a', HOSTILE, 'external', 1, 0.5, {}]]);
  });

  it('says what is stored', async () => {
    const usage = await store.usage();
    expect(usage.schemaVersion).toBe(readMigrations().length);
    const table = usage.tables.find(({ name }) => name === 'red');
    // The 6 hours around 2026-09-21T14:13:20Z.
    expect(table).toMatchObject({ rows: 1, oldest: Date.UTC(2026, 8, 21, 12) });
    expect(usage.bytes).toBeGreaterThan(0);
  });

  it('runs a migration once, again when it was cut short, and refuses what is newer', async () => {
    const { connection } = store;
    const versions = [
      ...readMigrations(),
      {
        version: readMigrations().length + 1,
        statements: ['CREATE TABLE added (a UInt8) ENGINE = MergeTree ORDER BY a', 'DROP TABLE nosuch'],
      },
    ];
    await expect(migrate(connection, versions)).rejects.toMatchObject({ code: 'internal' });
    await connection.command('DROP TABLE added');
    versions[versions.length - 1] = {
      version: versions.length,
      statements: ['CREATE TABLE added (a UInt8) ENGINE = MergeTree ORDER BY a'],
    };
    expect(await migrate(connection, versions)).toBe(versions.length);
    expect(await migrate(connection, versions)).toBe(versions.length);
    await store.shutdown(2_000);
    await expect(open()).rejects.toMatchObject({
      code: 'unavailable',
      retryable: false,
      message: `The stored data has schema version ${versions.length}; this program knows versions up to ${versions.length - 1}`,
    });
    const direct = await openConnection(target.options);
    await direct.command('DROP TABLE added');
    await direct.command(
      `ALTER TABLE schema_version DELETE WHERE version = ${versions.length} SETTINGS mutations_sync = 1`,
    );
    await direct.close(1_000);
    store = await open();
  });

  it('drops old partitions and no others', async () => {
    const day = 86_400;
    await store.red.consume([
      { ...red, time: red.time - 8 * day, service: 'old' },
      { ...red, time: red.time - 6 * day, service: 'recent' },
    ]);
    await store.shutdown(2_000);
    store = await openStore({ connection: target.options, retentionIntervalMs: 10_000, now: () => now });
    const services = async (): Promise<unknown> =>
      (await store.connection.query('SELECT DISTINCT service FROM red ORDER BY time')).rows;
    await expect.poll(services, { timeout: 15_000 }).toEqual([['recent'], [HOSTILE]]);
  });

  it('stores a resource again whose partition was dropped', async () => {
    await store.shutdown(2_000);
    let clock = now;
    store = await openStore({ connection: target.options, retentionIntervalMs: 20, now: () => clock });
    const send = async (): Promise<void> => {
      const writer = BatchWriter.spans();
      const scope = writer.scope(writer.resource([['service.name', 'dropped']]), '');
      addSpan(writer, scope, { name: 'span', start: BigInt(now) * 1_000_000n });
      await store.spans.consume(writer.batch);
    };
    const count = async (): Promise<unknown> =>
      (
        await store.connection.query(
          "SELECT count(), (SELECT count() FROM resources WHERE service = 'dropped') FROM spans",
        )
      ).rows;
    await send();
    expect(await count()).toEqual([['1', '1']]);
    clock += 8 * 86_400_000;
    await expect.poll(count, { timeout: 15_000 }).toEqual([['0', '0']]);
    clock = now;
    await send();
    expect(await count()).toEqual([['1', '1']]);
    await store.shutdown(2_000);
    store = await open();
  });

  it.runIf(kind === 'http')('leaves backups to the server', async () => {
    await expect(store.backup('/nowhere')).rejects.toMatchObject({ code: 'unimplemented' });
  });

  it.runIf(kind === 'embedded')('backs up while it works, and restores into a fresh folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'signalbox-backup-'));
    const tables = ['spans', 'resources', 'red', 'edges', 'schema_version'];
    const count = async (): Promise<unknown> => {
      const sums = tables.map((table) => `(SELECT (count(), sum(cityHash64(*))) FROM ${table})`);
      return (await store.connection.query(`SELECT ${sums.join(', ')}`)).rows;
    };
    try {
      const before = await count();
      for (const name of ['folder', 'file.tar.zst', `quote's \\ name`]) {
        await store.backup(join(folder, name));
        await expect(store.backup(join(folder, name))).rejects.toMatchObject({ code: 'invalid_argument' });
      }
      await store.shutdown(2_000);
      if (target.options.kind !== 'embedded') throw new Error('not embedded');
      await expect(restore(target.options, join(folder, 'folder'))).rejects.toMatchObject({ code: 'invalid_argument' });
      for (const name of ['folder', 'file.tar.zst', `quote's \\ name`]) {
        const restored = { kind: 'embedded', folder: join(folder, `restored ${name.length}`) } as const;
        await restore(restored, join(folder, name));
        store = await openStore({ connection: restored, retentionIntervalMs: 0 });
        expect(await count()).toEqual(before);
        await store.shutdown(2_000);
      }
      await expect(
        restore({ kind: 'embedded', folder: join(folder, 'nothing') }, join(folder, 'nosuch')),
      ).rejects.toMatchObject({ code: 'invalid_argument' });
      store = await open();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
