import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openConnection } from '../open-connection.ts';
import { type Migration, migrate, readMigrations, splitStatements } from './migrate.ts';

describe('splitStatements', () => {
  it('ends a statement at a semicolon that ends a line, and leaves out lines of comment', () => {
    expect(
      splitStatements(`-- first; not a statement;
CREATE TABLE a (
  -- a column;
  b String DEFAULT ';' COMMENT 'x; y'
) ENGINE = Memory;

DROP TABLE c; -- not at the end of the line: part of the statement
SELECT 1;
`),
    ).toEqual([
      "CREATE TABLE a (\n  b String DEFAULT ';' COMMENT 'x; y'\n) ENGINE = Memory",
      'DROP TABLE c; -- not at the end of the line: part of the statement\nSELECT 1',
    ]);
  });
});

describe('the migrations', () => {
  it('make nothing that is there already', () => {
    for (const statement of readMigrations()[0]?.statements ?? []) {
      expect(statement).toMatch(/^(CREATE TABLE IF NOT EXISTS|ALTER TABLE \w+ .*IF (NOT )?EXISTS) /);
    }
  });

  it('keep what is stored, wherever a crash cuts them short', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'signalbox-migrate-'));
    const connection = await openConnection({ kind: 'embedded', folder });
    try {
      const [first, second, third, fourth] = readMigrations() as [Migration, Migration, Migration, Migration];
      await migrate(connection, [first]);
      const tables = ['number_points', 'histogram_points', 'exponential_histogram_points', 'summary_points'];
      for (const table of tables) {
        await connection.command(
          `INSERT INTO ${table} (metric_name, series_id, time) SELECT 'm', number, '2026-01-01 00:00:00' FROM numbers(3)`,
        );
      }
      await connection.command(
        `INSERT INTO logs (time, attributes_string, attributes_int) SELECT toDateTime64('2026-01-01 00:00:00', 9, 'UTC') + INTERVAL number HOUR, map('a', 'x'), map('b.c', 1) FROM numbers(8)`,
      );
      for (let cut = 1; cut <= second.statements.length; cut++) {
        for (const statement of second.statements.slice(0, cut)) await connection.command(statement);
      }
      await migrate(connection);
      for (const table of tables) {
        expect((await connection.query(`SELECT sum(series_id), count() FROM ${table}`)).rows).toEqual([['3', '3']]);
        const { rows } = await connection.query<[string]>(
          'SELECT sorting_key FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
          { parameters: { table } },
        );
        expect(rows[0]?.[0]).toBe('metric_name, toStartOfFifteenMinutes(time), series_id, time');
      }
      for (const { statements } of [third, fourth]) {
        for (const statement of statements) await connection.command(statement);
      }
      const keys = 'SELECT DISTINCT time, key FROM log_attribute_keys ORDER BY time, key';
      expect((await connection.query(keys)).rows).toEqual(
        ['2026-01-01 00:00:00', '2026-01-01 06:00:00'].flatMap((time) => [
          [time, 'a'],
          [time, 'b.c'],
        ]),
      );
    } finally {
      await connection.close(2_000);
      await rm(folder, { recursive: true, force: true });
    }
  }, 300_000);
});
