import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/**
 * Who may import whom: docs/architecture.md says why. A record goes from `receive` through `process` to `store`, whose rows
 * `query` asks for on behalf of `api`; stages meet at `pipeline` and are wired together by main.ts alone.
 */
const SERVER_FOLDERS: Readonly<Record<string, readonly string[]>> = {
  pipeline: ['config', '@signalbox/records'],
  receive: ['pipeline', 'config', '@signalbox/records', '@signalbox/otlp', '@signalbox/protocols'],
  extend: ['pipeline', 'config'],
  process: ['pipeline', 'config', '@signalbox/records', '@signalbox/otlp'],
  export: ['pipeline', 'config', '@signalbox/records', '@signalbox/otlp', '@signalbox/protocols'],
  store: ['pipeline', '@signalbox/records'],
  'go-template': [],
  query: [
    'pipeline',
    'go-template',
    'store',
    '@signalbox/records',
    '@signalbox/otlp',
    '@signalbox/api-contract',
    '@signalbox/query-language',
  ],
  page: ['pipeline'],
  api: [
    'pipeline',
    'query',
    'store',
    'page',
    '@signalbox/protocols',
    '@signalbox/api-contract',
    '@signalbox/query-language',
  ],
  alert: ['pipeline', 'query', 'go-template', '@signalbox/query-language'],
  config: [],
  observe: ['pipeline', 'page', '@signalbox/records', '@signalbox/otlp'],
  graph: ['config', 'pipeline', '@signalbox/records'],
  commands: ['config', 'graph', 'pipeline', 'store', 'page', 'alert', 'query'],
};

/** What a package's sources may import of our other packages. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  records: [],
  otlp: ['@signalbox/records'],
  protocols: ['@signalbox/records', '@signalbox/otlp'],
  'api-contract': [],
  'query-language': [],
  server: [
    '@signalbox/records',
    '@signalbox/otlp',
    '@signalbox/protocols',
    '@signalbox/api-contract',
    '@signalbox/query-language',
  ],
  ui: ['@signalbox/api-contract', '@signalbox/query-language'],
  node: [],
  testing: ['@signalbox/node', '@signalbox/otlp', '@signalbox/records'],
};

const packages = fileURLToPath(new URL('../..', import.meta.url));

interface Import {
  /** Path below `packages/`. */
  readonly file: string;
  /** A path below `packages/`, or the name of one of our packages. */
  readonly target: string;
}

/** All imports, exports from and dynamic imports of a package's sources that lead to sources of ours. */
function importsOf(packageName: string): Import[] {
  const folder = join(packages, packageName, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
  return files.flatMap((name) => {
    const file = join(folder, name);
    const found = readFileSync(file, 'utf8').matchAll(/(?:\bfrom|\bimport|\bimport\()\s*['"]([^'"]+)['"]/g);
    return Array.from(found, ([, specifier = '']) => specifier)
      .filter((specifier) => specifier.startsWith('.') || specifier.startsWith('@signalbox/'))
      .map((specifier) => ({
        file: pathBelowPackages(file),
        target: specifier.startsWith('.') ? pathBelowPackages(join(dirname(file), specifier)) : specifier,
      }));
  });
}

function pathBelowPackages(file: string): string {
  return relative(packages, file).split(sep).join('/');
}

function isTest(path: string): boolean {
  return /\.(test|bench)\.tsx?$|\/(testing|conformance)\//.test(path);
}

test('every package and every folder of the server has a rule', () => {
  const folders = (path: string) =>
    readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  expect(Object.keys(PACKAGES)).toEqual(expect.arrayContaining(folders(packages)));
  expect(Object.keys(SERVER_FOLDERS)).toEqual(expect.arrayContaining(folders(join(packages, 'server', 'src'))));
});

for (const [packageName, allowed] of Object.entries(PACKAGES)) {
  test(`${packageName} imports only ${allowed.join(', ') || 'itself'}, and names it in its package.json`, () => {
    const imports = importsOf(packageName);
    expect(imports.length).toBeGreaterThan(0);
    const wrong = imports.filter(
      ({ file, target }) =>
        !target.startsWith(`${packageName}/`) &&
        !(allowed.includes(target) || (isTest(file) && /^(@|\.\.\/tooling\/)/.test(target))),
    );
    expect(wrong).toEqual([]);
    // The page is built into the server's package and brings nothing along, so all it needs is for development.
    const field = packageName === 'ui' ? 'devDependencies' : 'dependencies';
    const manifest: unknown = JSON.parse(readFileSync(join(packages, packageName, 'package.json'), 'utf8'));
    const { [field]: dependencies = {} } = manifest as Partial<Record<typeof field, object>>;
    const used = imports.filter(({ file, target }) => target.startsWith('@') && !isTest(file));
    expect(Object.keys(dependencies)).toEqual(expect.arrayContaining(used.map(({ target }) => target)));
  });
}

for (const [folder, allowed] of Object.entries(SERVER_FOLDERS)) {
  test(`server/src/${folder} imports only ${allowed.join(', ') || 'itself'}`, () => {
    const own = `server/src/${folder}/`;
    const imports = importsOf('server').filter(({ file }) => file.startsWith(own) && !isTest(file));
    expect(imports.length).toBeGreaterThan(0);
    const wrong = imports.filter(
      ({ target }) =>
        !target.startsWith(own) && !allowed.some((name) => target === name || target.startsWith(`server/src/${name}/`)),
    );
    expect(wrong).toEqual([]);
  });
}

test('what runs never imports what only tests use', () => {
  const wrong = Object.keys(PACKAGES)
    .flatMap(importsOf)
    .filter(({ file, target }) => !isTest(file) && isTest(target));
  expect(wrong).toEqual([]);
});
