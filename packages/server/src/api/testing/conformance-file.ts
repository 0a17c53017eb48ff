import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../../../', import.meta.url));

/** Folder of third-party cases: beside the repository, or `SIGNALBOX_CONFORMANCE`. */
const folder = process.env.SIGNALBOX_CONFORMANCE ?? join(root, '../shared/conformance');

/** The JSON of a file of third-party cases; undefined when it is not there. */
export function readConformanceJson(file: string): unknown {
  const path = join(folder, file);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}
