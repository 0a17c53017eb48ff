import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));

/** Folder of third-party cases: beside the repository, or `SIGNALBOX_CONFORMANCE`. */
const FOLDER = process.env.SIGNALBOX_CONFORMANCE ?? join(ROOT, '../shared/conformance');

/** The text of one file of third-party cases; null when it is not on this machine. */
export function readConformanceFile(path: string): string | null {
  const file = join(FOLDER, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}
