import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../open-store.ts';
import type { Store } from '../../store.ts';
import { addSpan, BatchWriter } from '../../testing/batches.ts';
import { BlockColumns } from '../native/block-columns.ts';

const ENDLESS = 'SELECT count() FROM numbers(1e12) WHERE NOT ignore(sipHash64(number))';

describe('EmbeddedConnection', () => {
  let folder: string;
  let store: Store;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'signalbox-embedded-'));
    store = await openStore({
      connection: { kind: 'embedded', folder, maxQueries: 1, maxWaitingQueries: 2, limits: { maxExecutionMs: 10_000 } },
      retentionIntervalMs: 0,
    });
  });
  afterAll(async () => {
    await store?.shutdown(3_000);
    await rm(folder, { recursive: true, force: true });
  });

  it('lets some queries wait and refuses more, while inserts and commands go on', async () => {
    const abort = new AbortController();
    const { signal } = abort;
    const { connection } = store;
    const running = connection.query(ENDLESS, { signal }).catch((error: unknown) => error);
    const waiting = connection.query('SELECT 1');
    const impatient = connection.query('SELECT 2', { maxExecutionMs: 100 });
    await expect(connection.query('SELECT 3')).rejects.toMatchObject({
      code: 'resource_exhausted',
      retryable: true,
      retryAfterMs: 1_000,
    });
    await expect(impatient).rejects.toMatchObject({ code: 'resource_exhausted' });

    const leaving = new AbortController();
    const left = connection.query('SELECT 4', { signal: leaving.signal });
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: 'cancelled' });

    const writer = BatchWriter.spans();
    const scope = writer.scope(writer.resource([]), '');
    addSpan(writer, scope, { name: 'stored', start: BigInt(Date.now()) * 1_000_000n });
    expect(await store.spans.consume(writer.batch)).toMatchObject({ rejected: 0 });
    await connection.command('OPTIMIZE TABLE spans');
    expect((await store.usage()).tables.map(({ name }) => name)).toContain('spans');

    abort.abort();
    expect(await running).toMatchObject({ code: 'cancelled' });
    expect((await waiting).rows).toEqual([[1]]);
    expect((await connection.query('SELECT name FROM spans')).rows).toEqual([['stored']]);
  });

  it('keeps the newest points of numbers once they are durable, and knows nothing of them after an insert that failed, or a command', async () => {
    const { connection } = store;
    const recent = connection.recentPoints();
    if (recent === undefined) throw new Error('nobody else writes here');
    const columns = new BlockColumns();
    const name = columns.add('metric_name', 'String');
    const fixed = [
      columns.add('series_id', 'UInt64'),
      columns.add('time', "DateTime64(9, 'UTC')"),
      columns.add('value', 'Float64'),
    ] as const;
    const flags = columns.add('flags', 'UInt32');
    const nowNs = BigInt(Date.now()) * 1_000_000n;
    name.text('any');
    for (const [index, column] of fixed.entries()) column.bigUint64(index === 1 ? nowNs : 7n);
    flags.uint32(0);
    const block = columns.block(1);

    const before = recent.end;
    await connection.insert('number_points', block);
    const row = recent.lastRow(7, 0);
    expect([recent.reaches(before), row, recent.timeOf(row)]).toEqual([true, before, Number(nowNs / 1_000_000n)]);
    expect((await connection.query('SELECT count() FROM number_points WHERE series_id = 7')).rows).toEqual([['1']]);

    const unknown = block.columns.map((column) => (column.name === 'flags' ? { ...column, name: 'flagz' } : column));
    await expect(connection.insert('number_points', { ...block, columns: unknown })).rejects.toThrow();
    expect([recent.reaches(before), recent.lastRow(7, 0)]).toEqual([false, -1]);

    const { end } = recent;
    await connection.insert('number_points', block);
    expect(recent.reaches(end)).toBe(true);
    await connection.command('TRUNCATE TABLE number_points');
    expect([recent.reaches(end), recent.lastRow(7, 0)]).toEqual([false, -1]);
  });

  it.runIf(availableParallelism() > 1)(
    'gives a query that runs alone every core, though it has little memory',
    async () => {
      const plan = 'EXPLAIN PIPELINE SELECT sum(number) FROM numbers_mt(100000000)';
      const { rows } = await store.connection.query<[string]>(plan);
      expect(rows.flat().join('\n')).toContain(`× ${availableParallelism()}`);
    },
  );

  it('works within the limits of its configuration file, and writes no logs of its own', async () => {
    const { rows } = await store.connection.query<[string, string]>(
      `SELECT name, value FROM system.server_settings WHERE name IN ('max_server_memory_usage', 'mark_cache_size', 'background_pool_size')`,
    );
    expect(Object.fromEntries(rows)).toEqual({
      max_server_memory_usage: String(2 * 1024 ** 3),
      mark_cache_size: String(128 * 1024 ** 2),
      background_pool_size: '2',
    });
    expect(
      (await store.connection.query("SELECT name FROM system.tables WHERE database = 'system' AND name LIKE '%\\_log'"))
        .rows,
    ).toEqual([]);
    expect(
      (
        await store.connection.query(
          "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND NOT create_table_query LIKE '%fsync_after_insert = 1%'",
        )
      ).rows,
    ).toEqual([]);
    expect(
      (
        await store.connection.query(
          "SELECT value FROM system.merge_tree_settings WHERE name = 'number_of_free_entries_in_pool_to_lower_max_size_of_merge'",
        )
      ).rows,
    ).toEqual([['1']]);
  });

  it('ends a query that needs too much memory, and goes on', async () => {
    await expect(
      store.connection.query('SELECT groupArray(toString(number)) FROM numbers(1e9)', { maxExecutionMs: 60_000 }),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^(resource_exhausted|timeout)$/) });
    expect((await store.connection.query('SELECT 1')).rows).toEqual([[1]]);
  }, 40_000);
});

describe('queries beside ingest', () => {
  let folder: string;
  let store: Store;
  const clock = { now: 0 };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'signalbox-embedded-'));
    store = await openStore({
      connection: {
        kind: 'embedded',
        folder,
        maxQueries: 3,
        now: () => clock.now,
        limits: { maxExecutionMs: 300_000 },
      },
      retentionIntervalMs: 0,
    });
    const writer = BatchWriter.spans();
    const scope = writer.scope(writer.resource([]), '');
    for (let i = 0; i < 2_000; i++) addSpan(writer, scope, { name: 'busy', start: BigInt(Date.now()) * 1_000_000n });
    await store.spans.consume(writer.batch);
  });
  afterEach(async () => {
    await store.shutdown(5_000);
    await rm(folder, { recursive: true, force: true });
  });

  /** Of the endless queries that run, a setting of each, sorted. */
  async function settings(name: string): Promise<string[]> {
    const { rows } = await store.connection.query<[string]>(
      `SELECT Settings['${name}'] AS value FROM system.processes
       WHERE query LIKE '%sipHash64(number)%' AND query NOT LIKE '%system.processes%' ORDER BY value`,
      { housekeeping: true },
    );
    return rows.map(([value]) => value);
  }

  function askEndless(signal: AbortSignal): Promise<unknown> {
    return store.connection.query(ENDLESS, { signal }).catch((error: unknown) => error);
  }

  it('run two at a time, or as many as there are cores but one, and wait otherwise', async () => {
    // Each occupies one of libuv's threads, of which there may be four in all.
    const atOnce = Math.min(3, Math.max(2, availableParallelism() - 1));
    const abort = new AbortController();
    try {
      const asked = Array.from({ length: 4 }, () => askEndless(abort.signal));
      await expect.poll(async () => (await settings('max_threads')).length, { timeout: 20_000 }).toBe(atOnce);
      const fewest = Math.min(...(await settings('max_threads')).map(Number));
      expect(fewest).toBe(Math.max(1, Math.floor(availableParallelism() / atOnce)));
      // No more rows come: the next that wants to begin lets those that wait begin as well.
      clock.now += 10_000;
      asked.push(askEndless(abort.signal));
      await expect.poll(async () => (await settings('max_threads')).length, { timeout: 20_000 }).toBe(3);
      abort.abort();
      for (const outcome of await Promise.all(asked)) expect(outcome).toMatchObject({ code: 'cancelled' });
    } finally {
      abort.abort();
    }
  }, 120_000);

  it('make room for inserts as soon as one runs for long, and not before', async () => {
    const abort = new AbortController();
    try {
      const first = askEndless(abort.signal);
      await expect.poll(() => settings('priority'), { timeout: 20_000 }).toEqual(['0']);
      clock.now += 2_000;
      const second = askEndless(abort.signal);
      await expect.poll(() => settings('priority'), { timeout: 20_000 }).toEqual(['0', '2']);
      expect(await settings('low_priority_query_wait_time_ms')).toEqual(['0', '100']);
      abort.abort();
      for (const outcome of await Promise.all([first, second])) expect(outcome).toMatchObject({ code: 'cancelled' });
    } finally {
      abort.abort();
    }
  }, 120_000);
});
