import { resolve } from 'node:path';
import type { Config } from '../config/options.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';
import { openStore } from '../store/open-store.ts';
import { askRunning } from './ask-running.ts';
import { connectionOptions } from './connection-options.ts';
import { readRuntimeFile } from './runtime-file.ts';

/** `signalbox backup`: asks the process that has the data folder open to write it, or opens the folder itself. */
export async function runBackup(config: Config, folder: string): Promise<void> {
  const to = resolve(folder);
  const running = readRuntimeFile(config.data);
  const answer = running && (await askRunning(running, to));
  if (answer) {
    if (answer.status !== 200) {
      throw new SignalboxError(answer.status < 500 ? 'invalid_argument' : 'unavailable', `${to}: ${answer.text}`, {
        hint: 'Name a folder that does not exist yet, where the running Signalbox may write.',
      });
    }
    return;
  }
  const store = await openStore({ connection: connectionOptions(config), retentionIntervalMs: 0 });
  try {
    await store.backup(to);
  } finally {
    await store.shutdown(config['shutdown-timeout']);
  }
}
