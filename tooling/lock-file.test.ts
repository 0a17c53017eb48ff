import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

interface Entry {
  resolved?: string;
  link?: boolean;
  hasInstallScript?: boolean;
  optionalDependencies?: Record<string, string>;
}

const read = (path: string) =>
  JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as Record<string, unknown>;
const packages = read('../package-lock.json').packages as Record<string, Entry>;

describe('the lock file', () => {
  test('names no download addresses, so that every registry mirror serves it', () => {
    const addresses = Object.values(packages).flatMap(({ resolved, link }) => (resolved && !link ? [resolved] : []));
    expect(addresses).toEqual([]);
  });

  // npm leaves out what its registry does not serve to the machine that writes the lock; others could then not install.
  test('holds the optional packages of every platform', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
      ),
    );
    expect(missing).toEqual([]);
  });

  test('has no install script that package.json does not decide on by name', () => {
    const allowed = Object.keys(read('../package.json').allowScripts as Record<string, boolean>);
    const scripts = Object.entries(packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => path.split('node_modules/').at(-1) ?? path);
    for (const name of scripts) expect(allowed).toContain(name);
  });
});
