import type { Connection } from '../connection.ts';
import type { StoreUsage, TableUsage } from '../store.ts';
import { quoteString } from './query-parameters.ts';

/** Tables are partitioned by so many ms of their rows' time, counted from 1970. */
export const PARTITION_MS = 6 * 60 * 60 * 1000;

/** One partition of one table. */
export interface Partition {
  readonly table: string;
  /** ClickHouse's id of the partition. */
  readonly id: string;
  /** Start in ms since 1970; it ends `PARTITION_MS` later. */
  readonly start: number;
  readonly rows: number;
  readonly bytes: number;
}

/** All partitions, the oldest first, the largest of a time first. */
export async function listPartitions(connection: Connection): Promise<Partition[]> {
  const { rows } = await connection.query<[table: string, id: string, rows: string, bytes: string]>(
    `SELECT table, partition_id, sum(rows), sum(bytes_on_disk) FROM system.parts
     WHERE database = currentDatabase() AND active AND partition_id != 'all' GROUP BY table, partition_id`,
    { housekeeping: true },
  );
  return rows
    .map(([table, id, count, bytes]) => ({
      table,
      id,
      // The key is a DateTime, whose id is its seconds since 1970.
      start: Number(id) * 1000,
      rows: Number(count),
      bytes: Number(bytes),
    }))
    .sort((a, b) => a.start - b.start || b.bytes - a.bytes);
}

/** Drops a partition: at once, whatever its size, and also when the disk is full. */
export async function dropPartition(connection: Connection, partition: Partition): Promise<void> {
  await connection.command(`ALTER TABLE ${partition.table} DROP PARTITION ID ${quoteString(partition.id)}`);
}

/** Sums up partitions per table. */
export function usageOf(partitions: readonly Partition[], schemaVersion: number): StoreUsage {
  const tables = new Map<string, TableUsage>();
  for (const { table, start, rows, bytes } of partitions) {
    const sum = tables.get(table) ?? { name: table, rows: 0, bytes: 0, oldest: start };
    tables.set(table, { ...sum, rows: sum.rows + rows, bytes: sum.bytes + bytes });
  }
  const list = [...tables.values()].sort((a, b) => b.bytes - a.bytes);
  return { schemaVersion, bytes: list.reduce((total, table) => total + table.bytes, 0), tables: list };
}
