import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SignalboxError } from '../../../pipeline/signalbox-error.ts';
import { translateEngineError } from '../engine-error.ts';
import { DATABASE } from './database-name.ts';
import { EngineSession } from './engine-session.ts';

/** Locks the folder and makes the database if it is missing. Throws `unavailable` when another process has the folder. */
export function createDatabase(engineFolder: string, engineArguments: readonly string[], folder: string): void {
  const session = new EngineSession(engineFolder, engineArguments, undefined);
  try {
    session.createDatabase(DATABASE);
  } catch (error) {
    if (error instanceof Error && (error as { code?: unknown }).code === 'CHDB_CONNECTION') {
      throw openError(error, folder, engineFolder);
    }
    throw translateEngineError(error);
  } finally {
    session.close();
  }
}

/** The engine writes why it can't open a folder to standard error, and does not tell; its lock file names the owner. */
function openError(error: Error, folder: string, engineFolder: string): SignalboxError {
  const owner = lockOwner(engineFolder);
  return owner === undefined
    ? new SignalboxError('unavailable', `The data folder ${folder} could not be opened`, {
        cause: error,
        retryable: false,
        hint: 'The path may have no quotes or backslashes, and the program must be allowed to write there.',
      })
    : new SignalboxError('unavailable', `The data folder ${folder} is in use by process ${owner}`, {
        cause: error,
        retryable: false,
        hint: 'Stop the other Signalbox, or choose another folder with --data.',
      });
}

/** The process that the engine's lock file names, if it is alive. */
function lockOwner(engineFolder: string): number | undefined {
  let owner: number | undefined;
  try {
    owner = Number(/^PID: (\d+)$/m.exec(readFileSync(join(engineFolder, 'status'), 'utf8'))?.[1]);
    process.kill(owner, 0);
    return owner;
  } catch (error) {
    // It is alive, and someone else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? owner : undefined;
  }
}

/** What a killed process left. Only after the engine has locked the folder: the files could be another process's. */
export function clearTemporaryFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const entry of readdirSync(folder)) {
    rmSync(join(folder, entry), { recursive: true, force: true });
  }
}
