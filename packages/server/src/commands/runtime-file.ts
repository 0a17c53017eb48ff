import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a running Signalbox leaves in its data folder for other commands of the same user: `signalbox.json`, readable by that user only. */
export interface RuntimeFile {
  pid: number;
  /** Base address of the page and the HTTP APIs. */
  page: string;
  /** What a command must show to be obeyed: new at each start. */
  token: string;
}

const fileName = 'signalbox.json';

export function writeRuntimeFile(dataFolder: string, content: RuntimeFile): void {
  const path = join(dataFolder, fileName);
  rmSync(path, { force: true }); // an old file would keep its own mode
  writeFileSync(path, `${JSON.stringify(content)}\n`, { mode: 0o600 });
}

export function removeRuntimeFile(dataFolder: string): void {
  rmSync(join(dataFolder, fileName), { force: true });
}

/** The running process of a data folder; undefined when there is none, also when one left the file behind by dying. */
export function readRuntimeFile(dataFolder: string): RuntimeFile | undefined {
  try {
    const content = JSON.parse(readFileSync(join(dataFolder, fileName), 'utf8')) as RuntimeFile;
    process.kill(content.pid, 0);
    return content;
  } catch {
    return undefined; // no file, or no such process
  }
}
