import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import type { Connection } from '../connection.ts';

export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  readonly statements: readonly string[];
}

/**
 * Brings the database's schema to the newest version that this program knows, and returns that version.
 *
 * A version is noted after its last statement, and its statements can be run again, so that a crash in between is
 * made good by the next start. Throws `unavailable` (not retryable) when the schema is newer than the program.
 */
export async function migrate(
  connection: Connection,
  migrations: readonly Migration[] = readMigrations(),
): Promise<number> {
  const newest = migrations.at(-1)?.version ?? 0;
  await connection.command(
    `CREATE TABLE IF NOT EXISTS schema_version (version UInt32, applied DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY version SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`,
  );
  const { rows } = await connection.query<[number]>('SELECT max(version) FROM schema_version');
  const current = rows[0]?.[0] ?? 0;
  if (current > newest) {
    throw new SignalboxError(
      'unavailable',
      `The stored data has schema version ${current}; this program knows versions up to ${newest}`,
      { retryable: false, hint: 'Use the newer Signalbox that wrote it, or another data folder.' },
    );
  }
  for (const migration of migrations) {
    if (migration.version <= current) {
      continue;
    }
    for (const statement of migration.statements) {
      await connection.command(statement);
    }
    await connection.command('INSERT INTO schema_version SELECT {version:UInt32}, now64(3)', {
      parameters: { version: migration.version },
    });
  }
  return newest;
}

/** The program's own migrations, `schema/0001-name.sql` and on. */
export function readMigrations(folder: string = SCHEMA_FOLDER): Migration[] {
  const migrations = readdirSync(folder)
    .filter((name) => /^\d{4}-.*\.sql$/.test(name))
    .sort()
    .map((name) => ({
      version: Number(name.slice(0, 4)),
      statements: splitStatements(readFileSync(join(folder, name), 'utf8')),
    }));
  migrations.forEach((migration, index) => {
    if (migration.version !== index + 1) {
      throw new Error(`Schema migrations have a gap or a double before version ${migration.version}`);
    }
  });
  return migrations;
}

/** Splits a file of ours: statements end with a semicolon at the end of a line, and nothing else does; lines of `--` are comments. */
export function splitStatements(text: string): string[] {
  return text
    .replace(/^[ \t]*--.*\n?/gm, '')
    .split(/;[ \t]*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

// From the sources as from `dist`, three folders up is the package, which is published with this folder of its sources.
const SCHEMA_FOLDER = fileURLToPath(new URL('../../../src/store/clickhouse/schema', import.meta.url));
