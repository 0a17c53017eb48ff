import { beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';

beforeAll(buildPackage, 120_000);

/** A library of each kind, as npm would install them. */
const libraries: Readonly<Record<string, string>> = {
  'node_modules/plain/package.json': '{ "name": "plain", "version": "1.2.3", "main": "./lib/main" }',
  'node_modules/plain/lib/main.js':
    "exports.Client = require('./client').Client; exports.greet = function greet(name) { return 'hello ' + name; };",
  'node_modules/plain/lib/client.js': "exports.Client = class Client { ask(what) { return 'answer to ' + what; } };",
  'node_modules/callable/package.json': '{ "name": "callable", "version": "2.0.0" }',
  'node_modules/callable/index.js': "module.exports = (text) => 'called with ' + text;",
  'node_modules/@scope/both/package.json': `{ "name": "@scope/both", "version": "3.0.0-beta.1",
    "exports": { ".": { "import": "./esm/index.js", "require": "./cjs/index.js" } } }`,
  'node_modules/@scope/both/esm/package.json': '{ "type": "module" }',
  'node_modules/@scope/both/esm/index.js': "export const greet = (name) => 'hi ' + name;",
  'node_modules/@scope/both/cjs/index.js': "exports.greet = (name) => 'hi ' + name;",
  'node_modules/modern/package.json':
    '{ "name": "modern", "version": "4.0.0", "type": "module", "exports": "./index.js" }',
  'node_modules/modern/index.js': `export class Queue { add(job) { return 'added ' + job; } } export default (text) => 'default ' + text;`,
  'node_modules/newest/package.json': '{ "name": "newest", "version": "9.0.0" }',
  'node_modules/newest/index.js': "exports.greet = () => 'untouched';",
  'node_modules/fragile/package.json': '{ "name": "fragile", "version": "1.0.0" }',
  'node_modules/fragile/index.js': "exports.greet = () => 'untouched';",
};

const setup = `
import { start } from '@signalbox/node';
const loud = (original) => function (...args) { return String(original.apply(this, args)).toUpperCase(); };
globalThis.seen = [];
const marks = {
  name: 'marks',
  enable({ onModule }) {
    const seen = ({ name, version, file }) => globalThis.seen.push(name + '@' + version + ' ' + file);
    const undo = [
      onModule('plain', { versions: { from: '1.2', below: '2' } }, (exports, module) => { seen(module); module.wrap(exports, 'greet', loud); }),
      onModule('plain', { files: ['lib/client.js'] }, ({ Client }, module) => { seen(module); module.wrap(Client.prototype, 'ask', loud); }),
      onModule('callable', {}, (exports, module) => { seen(module); return loud(exports); }),
      onModule('@scope/both', {}, (exports, module) => { seen(module); module.wrap(exports, 'greet', loud); }),
      onModule('modern', {}, (exports, module) => { seen(module); module.wrap(exports.Queue.prototype, 'add', loud); return { default: loud(exports.default) }; }),
      onModule('newest', { versions: { from: '8', below: '9' } }, () => { throw new Error('called for another version'); }),
      onModule('fragile', {}, () => { throw new Error('no such function'); }),
      onModule('absent', {}, () => {}),
    ];
    return { [Symbol.dispose]() { for (const each of undo) each(); } };
  },
};
globalThis.telemetry = start({ traces: false, metrics: false, logs: false, instrumentations: [marks] });
`;

const use = `
const before = [plain.greet('a'), new plain.Client().ask('b'), callable('c'), both.greet('d'), newest.greet(), fragile.greet()];
const modernBefore = modern && [new modern.Queue().add('e'), modern.default('f')];
const named = plain.greet.name + plain.greet.length;
await telemetry.shutdown();
const after = [plain.greet('a'), new plain.Client().ask('b'), both.greet('d')];
console.log(JSON.stringify({ before, modern: modernBefore, named, after, seen: seen.sort(), modernAfter: modern && new modern.Queue().add('e') }));
`;
const esm = `
import plain from 'plain'; import { greet } from 'plain'; import callable from 'callable'; import * as both from '@scope/both';
import * as modern from 'modern'; import newest from 'newest'; import fragile from 'fragile';
if (greet('x') !== 'HELLO X') throw new Error('a named import of CommonJS is not covered');
${use}`;
const cjs = (modern: string): string => `
const [plain, callable, both, newest, fragile] = ['plain', 'callable', '@scope/both', 'newest', 'fragile'].map((name) => require(name));
const modern = ${modern};
(async () => { ${use} })();`;

const variants = [
  { file: 'app.mjs', source: esm, nodeArguments: ['--import', './setup.mjs'], both: 'esm' },
  {
    file: 'app.mts',
    source: `const typed: number = 1; ${esm}`,
    nodeArguments: ['--import', 'tsx', '--import', './setup.mjs'],
    both: 'esm',
  },
  { file: 'app.cjs', source: cjs('undefined'), nodeArguments: ['--import', './setup.mjs'], both: 'cjs' },
  { file: 'app.cjs', source: cjs("require('modern')"), nodeArguments: ['--import', './setup.mjs'], both: 'cjs' },
] as const;

describe.each(variants)('a hooked library, $file under $nodeArguments', ({ file, source, nodeArguments, both }) => {
  test('is changed before the application gets it, and back at shutdown', async () => {
    const app = new App({ file, source, nodeArguments, files: { ...libraries, 'setup.mjs': setup } });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    const result = JSON.parse(app.stdout);
    const withModern = !source.includes('modern = undefined');
    expect(result).toEqual({
      before: ['HELLO A', 'ANSWER TO B', 'CALLED WITH C', 'HI D', 'untouched', 'untouched'],
      ...(withModern && { modern: ['ADDED E', 'DEFAULT F'], modernAfter: 'added e' }),
      named: 'greet1',
      after: ['hello a', 'answer to b', 'hi d'],
      seen: [
        `@scope/both@3.0.0-beta.1 ${both}/index.js`,
        'callable@2.0.0 index.js',
        ...(withModern ? ['modern@4.0.0 index.js'] : []),
        'plain@1.2.3 lib/client.js',
        'plain@1.2.3 lib/main.js',
      ],
    });
    expect(app.stderr.trim().split('\n')).toEqual([
      expect.stringContaining('newest 9.0.0 is not instrumented, only versions from 8 below 9'),
      expect.stringMatching(/marks of fragile failed, the application is not affected: no such function/),
    ]);
  });
});

describe('hooks', () => {
  /** Prints which of Node's own functions were replaced, and whether the library for ES modules was loaded. */
  const inspect = `
    import Module, { createRequire } from 'node:module';
    const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('import-in-the-middle'));
    console.log(JSON.stringify({ replaced: ['load', '_compile'].filter((name) => /Reflect\\.apply/.test(String(Module.prototype[name]))), loaded: loaded.length > 0 }));
    process.exit();`;
  const run = async (enable: string, files: Readonly<Record<string, string>>, env = {}) => {
    const app = new App({
      file: 'app.mjs',
      source: inspect,
      nodeArguments: ['--import', './setup.mjs'],
      env,
      files: {
        'setup.mjs': `import { start } from '@signalbox/node';
          start({ traces: false, metrics: false, logs: false, instrumentations: [{ name: 'marks', enable({ onModule }) { ${enable} return { [Symbol.dispose]() {} }; } }] });`,
        ...files,
      },
    });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    expect(app.stderr).toBe('');
    return JSON.parse(app.stdout);
  };

  test('cost nothing where none is wanted', async () => {
    expect(await run('', libraries)).toEqual({ replaced: [], loaded: false });
  });

  test('leave ES modules alone where no library that is one is installed', async () => {
    expect(await run("onModule('plain', {}, () => {}); onModule('absent', {}, () => {});", libraries)).toEqual({
      replaced: ['load', '_compile'],
      loaded: false,
    });
    expect(await run("onModule('modern', {}, () => {});", libraries)).toMatchObject({ loaded: true });
  });

  test('are not there under OTEL_SDK_DISABLED', async () => {
    expect(await run("onModule('modern', {}, () => {});", libraries, { OTEL_SDK_DISABLED: 'true' })).toEqual({
      replaced: [],
      loaded: false,
    });
  });

  test('warn of a library that was loaded before them', async () => {
    const app = new App({
      file: 'app.cjs',
      source: `const plain = require('plain'); const { start } = require('@signalbox/node');
        const marks = { name: 'marks', enable({ onModule }) { onModule('plain', {}, () => ({})); return { [Symbol.dispose]() {} }; } };
        start({ traces: false, metrics: false, logs: false, instrumentations: [marks] });
        console.log(plain.greet('you'), require('plain').greet('again'));`,
      nodeArguments: [],
      files: libraries,
    });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    expect(app.stdout).toBe('hello you hello again\n');
    expect(app.stderr).toMatch(
      /^signalbox: plain was loaded before telemetry started, so it is not instrumented; .*\n$/,
    );
  });

  test('warn of an ES module that was loaded before them, wherever it is imported', async () => {
    const app = new App({
      file: 'app.mjs',
      source: `import './uses-modern.mjs'; import { start } from '@signalbox/node';
        const marks = { name: 'marks', enable({ onModule }) { for (const name of ['modern', 'plain']) onModule(name, {}, () => ({})); return { [Symbol.dispose]() {} }; } };
        start({ traces: false, metrics: false, logs: false, instrumentations: [marks] });`,
      nodeArguments: [],
      files: { ...libraries, 'uses-modern.mjs': "import 'modern';" },
    });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    expect(app.stderr).toMatch(
      /^signalbox: modern was loaded before telemetry started, so it is not instrumented; .*--import @signalbox\/node\/register\n$/,
    );
  });

  test('reach a library from npm, with what is bound to it beforehand', async () => {
    const app = new App({
      file: 'app.mjs',
      source: `import pino, { levels } from 'pino'; console.log(pino({ enabled: false }).marked, levels.values.info);`,
      nodeArguments: ['--import', './setup.mjs'],
      files: {
        'setup.mjs': `import { start } from '@signalbox/node';
          const marks = { name: 'marks', enable({ onModule }) {
            onModule('pino', { versions: { from: '10' } }, (pino) => Object.assign((...args) => Object.assign(pino(...args), { marked: true }), pino));
            return { [Symbol.dispose]() {} };
          } };
          start({ traces: false, metrics: false, logs: false, instrumentations: [marks] });`,
      },
    });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    expect(app.stdout).toBe('true 30\n');
  });
});
