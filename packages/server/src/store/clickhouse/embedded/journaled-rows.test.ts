import { cp, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connection } from '../../connection.ts';
import type { NativeBlock } from '../../native-block.ts';
import { openStore } from '../../open-store.ts';
import type { Store } from '../../store.ts';
import { BlockColumns } from '../native/block-columns.ts';

let folder: string;
let journal: string;
let store: Store | undefined;
let clock: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signalbox-journaled-'));
  journal = join(folder, 'journal');
  clock = 0;
});
afterEach(async () => {
  await close();
  await rm(folder, { recursive: true, force: true });
});

async function open(): Promise<Connection> {
  store = await openStore({
    connection: { kind: 'embedded', folder, now: () => clock },
    retentionIntervalMs: 0,
  });
  return store.connection;
}

async function close(): Promise<void> {
  await store?.shutdown(3_000);
  store = undefined;
}

/** Points of one series in two partitions. */
function points(rows: number, series: bigint): NativeBlock {
  const columns = new BlockColumns();
  const name = columns.add('metric_name', 'String');
  const id = columns.add('series_id', 'UInt64');
  const time = columns.add('time', "DateTime64(9, 'UTC')");
  const value = columns.add('value', 'Float64');
  const flags = columns.add('flags', 'UInt32');
  for (let row = 0; row < rows; row++) {
    name.text('any');
    id.bigUint64(series);
    time.bigUint64(NOW - (row % 2 === 0 ? 0n : SIX_HOURS) + BigInt(row));
    value.bigUint64(0n);
    flags.uint32(0);
  }
  return columns.block(rows);
}

const NOW = BigInt(Date.now()) * 1_000_000n;
const SIX_HOURS = 6n * 3_600n * 1_000_000_000n;

/** As many rows as it takes, for as long, by the clock of the test. */
async function makeBusy(connection: Connection): Promise<void> {
  for (let second = 0; second < 4; second++) {
    await connection.insert('number_points', points(5_000, 1n));
    clock += 1_000;
  }
}

async function count(connection: Connection, series: bigint): Promise<number> {
  const sql = 'SELECT count() FROM number_points WHERE series_id = {series:UInt64}';
  const { rows } = await connection.query<[string]>(sql, { parameters: { series } });
  return Number(rows[0]?.[0]);
}

describe('rows of the embedded engine while many come in', () => {
  it('are durable before they are in their table, and there for who asks when all senders have their answers', async () => {
    const connection = await open();
    let areMore = true;
    const more = (): boolean => areMore;
    await connection.insert('number_points', points(10, 2n), { more });
    expect(await readdir(journal)).toEqual([]);
    await makeBusy(connection);
    const before = connection.version('number_points');
    await connection.insert('number_points', points(10, 2n), { more });
    expect(await readdir(journal)).toHaveLength(1);
    // Nobody asks for it to be delayed.
    await connection.insert('number_points', points(10, 3n));
    expect([await count(connection, 2n), await count(connection, 3n)]).toEqual([10, 10]);
    areMore = false;
    expect(await count(connection, 2n)).toBe(20);
    expect(connection.version('number_points')).toBe(Number(before) + 2);
    expect(await readdir(journal)).toEqual([]);
  });

  it('are in their table before a command runs, and when the store is closed', async () => {
    const connection = await open();
    await makeBusy(connection);
    const more = (): boolean => true;
    await connection.insert('number_points', points(10, 2n), { more });
    await connection.command('OPTIMIZE TABLE number_points');
    expect(await count(connection, 2n)).toBe(10);
    await connection.insert('number_points', points(10, 2n), { more });
    await close();
    expect(await readdir(journal)).toEqual([]);
    expect(await count(await open(), 2n)).toBe(20);
  });

  it('are counted in what is stored', async () => {
    const connection = await open();
    await makeBusy(connection);
    await connection.insert('number_points', points(10, 2n), { more: () => false });
    expect(await readdir(journal)).toHaveLength(1);
    const tables = (await store?.usage())?.tables;
    expect(tables?.find(({ name }) => name === 'number_points')?.rows).toBe(20_010);
  });

  it('are among the newest points once they are in their table', async () => {
    const connection = await open();
    const recent = connection.recentPoints();
    await makeBusy(connection);
    let areMore = true;
    const more = (): boolean => areMore;
    await connection.insert('number_points', points(10, 2n), { more });
    await connection.insert('number_points', points(9, 2n), { more });
    expect(recent?.lastRow(2, 0)).toBe(-1);
    areMore = false;
    await count(connection, 2n);
    const last = recent?.lastRow(2, 0) ?? -1;
    expect(recent?.timeOf(last)).toBe(Number((NOW + 8n) / 1_000_000n));
    expect(last + 1).toBe(recent?.end);
  });

  it('are there once, wherever between the two the process died', async () => {
    let connection = await open();
    await makeBusy(connection);
    const more = (): boolean => true;
    for (let block = 0; block < 12; block++) {
      await connection.insert('number_points', points(block + 1, 2n), { more });
    }
    const saved = join(folder, 'saved');
    await cp(journal, saved, { recursive: true });
    await close();

    // It died before the files were removed.
    await cp(saved, journal, { recursive: true });
    connection = await open();
    expect(await count(connection, 2n)).toBe(78);
    expect(await readdir(journal)).toEqual([]);
    await close();

    // While they were.
    await cp(saved, journal, { recursive: true });
    const [done = ''] = await readdir(journal);
    await rename(join(journal, done), join(journal, `${done}.done`));
    connection = await open();
    expect(await count(connection, 2n)).toBe(78);
    expect(await readdir(journal)).toEqual([]);
    await close();

    // It died before they were inserted: the same files by a name that the table does not know.
    await cp(saved, journal, { recursive: true });
    const [set = ''] = await readdir(journal);
    await rename(join(journal, set), join(journal, `${set.slice(0, -1)}7`));
    connection = await open();
    expect(await count(connection, 2n)).toBe(156);
  });
});
