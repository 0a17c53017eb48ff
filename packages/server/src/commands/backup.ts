import { resolve } from 'node:path';
import type { Config } from '../config/options.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';
import { openStore } from '../store/open-store.ts';
import { backupPath, tokenHeader } from './backup-route.ts';
import { connectionOptions } from './connection-options.ts';
import { readRuntimeFile } from './runtime-file.ts';

/** `signalbox backup`: asks the process that has the data folder open to write it, or opens the folder itself. */
export async function runBackup(config: Config, folder: string): Promise<void> {
  const to = resolve(folder);
  const running = readRuntimeFile(config.data);
  if (running) {
    const response = await fetch(new URL(backupPath, running.page), {
      method: 'POST',
      headers: { 'content-type': 'application/json', [tokenHeader]: running.token },
      body: JSON.stringify({ to }),
    });
    if (!response.ok) {
      const reason = (await response.text()).trim();
      throw new SignalboxError(response.status < 500 ? 'invalid_argument' : 'unavailable', `${to}: ${reason}`, {
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
