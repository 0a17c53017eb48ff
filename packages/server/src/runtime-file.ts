import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a running Signalbox leaves in its data folder for other commands to find: `signalbox.json`. */
export interface RuntimeFile {
  pid: number;
  /** Base address of the page and the HTTP APIs. */
  page: string;
}

const fileName = 'signalbox.json';

export function writeRuntimeFile(dataFolder: string, content: RuntimeFile): void {
  writeFileSync(join(dataFolder, fileName), `${JSON.stringify(content)}\n`, { mode: 0o600 });
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
