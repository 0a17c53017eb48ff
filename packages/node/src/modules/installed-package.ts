import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A package in a `node_modules` folder, with what its package.json says. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** Files, relative to the package, by which `import` or `require` of its bare name may be answered. */
  readonly entries: ReadonlySet<string>;
  /** Whether `import` of this file gives an ES module, rather than what `require` would give. */
  isEsModule(file: string): boolean;
}

/** Where a file lies in the innermost package that holds it. */
export interface PackageFile {
  readonly name: string;
  /** Of the package, without a separator at its end. */
  readonly folder: string;
  /** Inside the package, with `/`. */
  readonly file: string;
}

const separator = '/node_modules/';
const packages = new Map<string, InstalledPackage | undefined>();

/** Undefined for files outside of any `node_modules`. */
export function packageFileOf(path: string): PackageFile | undefined {
  const normalized = path.includes('\\') ? path.replaceAll('\\', '/') : path;
  const at = normalized.lastIndexOf(separator);
  if (at < 0) return undefined;
  const begin = at + separator.length;
  const first = normalized.indexOf('/', begin);
  const end = normalized[begin] === '@' && first >= 0 ? normalized.indexOf('/', first + 1) : first;
  if (end < 0) return undefined;
  return {
    name: normalized.slice(begin, end),
    folder: path.slice(0, end),
    file: normalized.slice(end + 1),
  };
}

/** Undefined where there is no readable package.json. Read once for each folder. */
export function readPackage(folder: string): InstalledPackage | undefined {
  if (packages.has(folder)) return packages.get(folder);
  const manifest = readManifest(folder);
  const installed =
    manifest === undefined
      ? undefined
      : {
          name: typeof manifest.name === 'string' ? manifest.name : '',
          version: typeof manifest.version === 'string' ? manifest.version : '0.0.0',
          entries: entriesOf(manifest),
          isEsModule: (file: string) => file.endsWith('.mjs') || (file.endsWith('.js') && isTypeModule(folder, file)),
        };
  packages.set(folder, installed);
  return installed;
}

/**
 * Finds the folders in which the program, or its working directory, would find packages: real paths. Each `node_modules` is
 * listed once, as many packages are asked for and few are there.
 */
export function installedFolders(): (name: string) => readonly string[] {
  const listings = startFolders().map(nodeModulesAbove);
  return (name) => {
    const [first = ''] = name.split('/');
    const folders = new Set<string>();
    for (const { folder, entries } of listings.flat()) {
      if (!entries.has(first)) continue;
      const candidate = join(folder, name);
      if (existsSync(join(candidate, 'package.json'))) folders.add(realpathSync(candidate));
    }
    return [...folders];
  };
}

interface NodeModules {
  readonly folder: string;
  /** Names of packages, and of scopes. */
  readonly entries: ReadonlySet<string>;
}

function nodeModulesAbove(start: string): NodeModules[] {
  const found: NodeModules[] = [];
  for (let above = start; ; above = dirname(above)) {
    const folder = join(above, 'node_modules');
    const entries = listFolder(folder);
    if (entries.length > 0) found.push({ folder, entries: new Set(entries) });
    if (above === dirname(above)) return found;
  }
}

function listFolder(folder: string): readonly string[] {
  try {
    return existsSync(folder) ? readdirSync(folder) : [];
  } catch {
    // A file of that name, or a folder that may not be listed: what is in it counts as not installed.
    return [];
  }
}

function startFolders(): readonly string[] {
  const program = process.argv[1];
  const folders = [process.cwd()];
  if (program !== undefined && existsSync(program)) folders.unshift(dirname(realpathSync(program)));
  return folders;
}

function readManifest(folder: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    // Absent or broken: to Node, too, the folder is then no package with a name and a version.
    return undefined;
  }
}

/** The nearest package.json decides, which inside a package of two forms is often one with nothing but a `type`. */
function isTypeModule(folder: string, file: string): boolean {
  for (let inner = dirname(file); ; inner = dirname(inner)) {
    const manifest = readManifest(join(folder, inner));
    if (manifest !== undefined) return manifest.type === 'module';
    if (inner === '.') return false;
  }
}

/** Every answer that `main`, `module` and the conditions under `exports['.']` can give. */
function entriesOf({ main, exports }: Record<string, unknown>): ReadonlySet<string> {
  const entries = new Set<string>();
  const add = (target: unknown): void => {
    if (typeof target === 'string') entries.add(target.replace(/^\.\//, ''));
    else if (typeof target === 'object' && target !== null) Object.values(target).forEach(add);
  };
  if (exports === undefined || exports === null) {
    const name = typeof main === 'string' ? main.replace(/^\.\//, '').replace(/\/$/, '') : 'index.js';
    // `require` completes names in these ways.
    for (const entry of [name, `${name}.js`, `${name}.cjs`, `${name}/index.js`]) entries.add(entry);
    if (name === '' || name === '.') entries.add('index.js');
  } else {
    const subpaths = typeof exports === 'object' && '.' in exports ? exports['.' as keyof typeof exports] : exports;
    add(subpaths);
  }
  return entries;
}
