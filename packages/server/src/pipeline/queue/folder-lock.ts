import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SignalboxError } from '../signalbox-error.ts';

/** Paths locked by this process: its own id in a file left behind says nothing about them. */
const held = new Set<string>();

/** Keeps two processes off the same folder. One that was killed leaves its file behind, which the next one takes over. */
export class FolderLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Throws `SignalboxError` (`unavailable`) when a living process has the folder. */
  static take(folder: string): FolderLock {
    const path = join(folder, 'lock');
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        const file = openSync(path, 'wx', 0o600);
        writeSync(file, String(process.pid));
        closeSync(file);
        held.add(path);
        return new FolderLock(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw cannotLock(folder, error);
        const owner = ownerOf(path);
        if (owner === process.pid ? held.has(path) : isAlive(owner)) {
          throw new SignalboxError('unavailable', `Process ${owner} has the folder ${folder}`, {
            retryable: false,
            hint: 'Stop it, or start this one with another --data.',
          });
        }
        rmSync(path, { force: true });
      }
    }
    throw cannotLock(folder, undefined);
  }

  release(): void {
    held.delete(this.#path);
    rmSync(this.#path, { force: true });
  }
}

function cannotLock(folder: string, cause: unknown): SignalboxError {
  return new SignalboxError('unavailable', `The folder ${folder} can not be locked`, { cause, retryable: false });
}

/** 0: nobody can tell. */
function ownerOf(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8')) || 0;
  } catch {
    // It went away in between.
    return 0;
  }
}

function isAlive(pid: number): boolean {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
