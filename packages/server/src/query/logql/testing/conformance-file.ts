import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../../../', import.meta.url));

/** Folder of third-party cases: beside the repository, or `SIGNALBOX_CONFORMANCE`. */
const FOLDER = process.env.SIGNALBOX_CONFORMANCE ?? join(ROOT, '../shared/conformance');

/** The text of a file of third-party cases; undefined when it is not there. */
export function readConformanceFile(file: string): string | undefined {
  const path = join(FOLDER, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

export function readConformanceJson(file: string): unknown {
  const text = readConformanceFile(file);
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

/** Those of Loki's scripts that are there: not all are everywhere. */
export function scriptNames(): string[] {
  return [
    'conversions',
    'formatters',
    'functions',
    'line_filters',
    'parsers',
    'vector_aggregations',
    'binary_operations',
    'label_filters',
    'range_aggregations',
  ].filter((name) => readConformanceFile(`logqltest/testdata__${name}.logqltest`) !== undefined);
}
