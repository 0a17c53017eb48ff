import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { packageFileOf, readPackage } from './installed-package.ts';

test.each([
  ['/app/node_modules/koa/lib/application.js', 'koa', '/app/node_modules/koa', 'lib/application.js'],
  ['/app/node_modules/@koa/router/index.js', '@koa/router', '/app/node_modules/@koa/router', 'index.js'],
  ['/a/node_modules/b/node_modules/c/d.js', 'c', '/a/node_modules/b/node_modules/c', 'd.js'],
  [
    '/app/node_modules/.pnpm/koa@3.0.0/node_modules/koa/x.js',
    'koa',
    '/app/node_modules/.pnpm/koa@3.0.0/node_modules/koa',
    'x.js',
  ],
  ['C:\\app\\node_modules\\@a\\b\\lib\\c.js', '@a/b', 'C:\\app\\node_modules\\@a\\b', 'lib/c.js'],
])('%s lies in %s', (path, name, folder, file) => {
  expect(packageFileOf(path)).toEqual({ name, folder, file });
});

test.each(['/app/src/main.js', '/app/node_modules/file.js', '/app/my_node_modules/koa/index.js'])(
  '%s lies in no package',
  (path) => {
    expect(packageFileOf(path)).toBeUndefined();
  },
);

describe('a package', () => {
  const root = mkdtempSync(join(tmpdir(), 'signalbox-packages-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const write = (name: string, files: Readonly<Record<string, object>>): string => {
    const folder = join(root, name);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), JSON.stringify(content));
    }
    return folder;
  };

  test('has the entries of all conditions', () => {
    const folder = write('both', {
      'package.json': {
        version: '1.0.0',
        main: './old.js',
        exports: {
          '.': { import: { types: './i.d.ts', default: './esm/i.js' }, require: './cjs/i.js' },
          './sub': './sub.js',
        },
      },
      'esm/package.json': { type: 'module' },
    });
    const installed = readPackage(folder);
    expect([...(installed?.entries ?? [])]).toEqual(['i.d.ts', 'esm/i.js', 'cjs/i.js']);
    expect(['esm/i.js', 'cjs/i.js', 'a.mjs', 'esm/a.cjs'].map((file) => installed?.isEsModule(file))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  test.each([
    [{}, 'index.js'],
    [{ main: 'lib/main' }, 'lib/main.js'],
    [{ main: './lib/' }, 'lib/index.js'],
    [{ main: '.' }, 'index.js'],
    [{ exports: './dist/x.js' }, 'dist/x.js'],
    [{ exports: { import: './x.mjs' } }, 'x.mjs'],
  ])('of %o is entered by %s', (manifest, entry) => {
    const folder = write(`entry-${JSON.stringify(manifest).replaceAll(/\W/g, '-')}`, { 'package.json': manifest });
    expect(readPackage(folder)?.entries).toContain(entry);
  });

  test('without a manifest is none', () => {
    expect(readPackage(join(root, 'nowhere'))).toBeUndefined();
  });
});
