import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignalboxError } from '../pipeline/signalbox-error.ts';
import { DATABASE } from './clickhouse/embedded/database-name.ts';
import { migrate } from './clickhouse/migrate.ts';
import { quoteString } from './clickhouse/query-parameters.ts';
import type { Connection } from './connection.ts';
import { type ConnectionOptions, openConnection } from './open-connection.ts';

/**
 * Writes a consistent copy of everything to a folder that does not exist yet, or to a file when the name ends in
 * `.tar`, `.tar.zst` or `.zip`. The store goes on working meanwhile.
 */
export async function backup(connection: Connection, to: string, signal?: AbortSignal): Promise<void> {
  await runBackup(connection, `BACKUP DATABASE ${DATABASE} TO File(${quoteString(resolve(to))})`, signal);
}

/**
 * Fills a fresh data folder from a backup. Throws `invalid_argument` when the folder holds a store already, or the
 * backup is missing, and `unavailable` when it was written by a newer program.
 */
export async function restore(options: ConnectionOptions & { kind: 'embedded' }, from: string): Promise<void> {
  const connection = await openConnection(options);
  try {
    const { rows } = await connection.query<[string]>(
      'SELECT count() FROM system.tables WHERE database = currentDatabase()',
    );
    if (rows[0]?.[0] !== '0') {
      throw new SignalboxError('invalid_argument', `The data folder ${options.folder} is not empty`, {
        hint: 'A backup is restored to a fresh folder: choose one with --data.',
      });
    }
    await runBackup(connection, `RESTORE DATABASE ${DATABASE} FROM File(${quoteString(resolve(from))})`);
    await migrate(connection);
  } finally {
    await connection.close(5_000);
  }
}

/** Runs it in the background of the engine, and looks for its end: the session for commands must stay free. */
async function runBackup(connection: Connection, statement: string, signal?: AbortSignal): Promise<void> {
  const id = `signalbox-${process.pid}-${Date.now()}`;
  try {
    await connection.command(`${statement} SETTINGS id = ${quoteString(id)} ASYNC`);
  } catch (error) {
    throw asBackupError(error);
  }
  for (;;) {
    const { rows } = await connection.query<[status: string, error: string]>(
      'SELECT status, error FROM system.backups WHERE id = {id:String}',
      { parameters: { id }, housekeeping: true },
    );
    const [status, error] = rows[0] ?? ['', 'the engine has forgotten it'];
    if (status === 'BACKUP_CREATED' || status === 'RESTORED') {
      return;
    }
    if (error !== '') {
      throw asBackupError(new Error(error));
    }
    await sleep(POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
}

function asBackupError(error: unknown): SignalboxError {
  const words = error instanceof SignalboxError ? String((error.cause as Error | undefined)?.message) : String(error);
  if (/BACKUP_ALREADY_EXISTS|BACKUP_NOT_FOUND|CANNOT_(OPEN|STAT)|BAD_ARGUMENTS/.test(words)) {
    const what = words.includes('NOT_FOUND') ? 'There is no backup there' : 'The backup can not be written there';
    return new SignalboxError('invalid_argument', what, { cause: error });
  }
  return error instanceof SignalboxError
    ? error
    : new SignalboxError('internal', 'The backup failed', { cause: error });
}

const POLL_MS = 100;
