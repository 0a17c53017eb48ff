// Makes what is published of the sources: for each module system `instance` (everything but the API, which the application
// shares), `register` (everything, see parts.mjs) and `index`, through which both are one. Does nothing, quickly, when all is up to
// date.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { separateParts } from './parts.mjs';

const folder = fileURLToPath(new URL('..', import.meta.url));
const dist = join(folder, 'dist');
const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const dependencies = Object.keys(manifest.dependencies);
const api = '@opentelemetry/api';
// Whichever copy is loaded first is the one for the whole process, as in src/shared-instance.ts: `--import` loads an ES
// module, the application may be CommonJS.
const sharedKey = `Symbol.for(${JSON.stringify(`@signalbox/node ${manifest.version}`)})`;
/** CommonJS has no `import.meta`, and an application that is bundled as such leaves it empty. */
const bundleUrl = {
  esm: `import.meta.url??process.getBuiltinModule('node:url').pathToFileURL(process.cwd()+'/').href`,
  cjs: `require('node:url').pathToFileURL(__filename).href`,
};

/**
 * Whatever a process reads when it starts is read faster if it is short. Names of functions and classes stay, for those who look at
 * stacks and profiles; names inside of functions go from `register`, which is a quarter of it (esbuild takes a text that does
 * not say that it is a module for a script, whose names others may use).
 */
const minified = { target: 'node20.19', minifySyntax: true, minifyWhitespace: true, legalComments: 'none' };

const wanted = fingerprint();
const stamp = join(dist, '.bundled');
if (readText(stamp) !== wanted) {
  const esbuild = await import('esbuild');
  for (const format of ['esm', 'cjs']) await bundle(esbuild, format);
  write(stamp, wanted);
}

async function bundle({ build, transform }, format) {
  const ending = format === 'esm' ? 'js' : 'cjs';
  const common = {
    bundle: true,
    platform: 'node',
    format,
    ...minified,
    mainFields: ['module', 'main'],
    conditions: ['module'],
    metafile: true,
    write: false,
    outdir: dist,
    logLevel: 'warning',
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: `const{Buffer,process}=globalThis;const bundleUrl=${bundleUrl[format]};` },
  };
  const instance = await build({
    ...common,
    entryPoints: { instance: join(folder, 'src/index.ts') },
    external: dependencies,
    plugins: [
      configurationFile(format),
      withoutWrappers(),
      builtins(format),
      ...(format === 'esm' ? [withoutRequire(dependencies)] : []),
    ],
  });
  // It runs before anything else is loaded, so nothing can hold another copy of the API yet: having it in the same file
  // saves the reading of sixty. Both copies meet in the API's global object.
  const externals = dependencies.filter((name) => name !== api);
  const plugins = [
    configurationFile(format),
    installedApiVersion(),
    withoutWrappers(),
    builtins(format),
    ...(format === 'esm' ? [withoutRequire(externals)] : []),
  ];
  const parts = await separateParts(build, folder, {
    common: { ...common, banner: undefined, external: externals },
    plugins,
    entry: join(folder, 'src/register.ts'),
  });
  const register = await build({
    ...common,
    banner: undefined,
    stdin: { contents: `import 'shared-modules'; import './src/register.ts';`, resolveDir: folder },
    external: externals,
    plugins: [parts.withoutParts(format), ...plugins],
  });
  for (const { imports } of [instance, register].flatMap(({ metafile }) => Object.values(metafile.outputs)))
    if (imports.some(({ kind }) => kind === 'dynamic-import')) throw new Error('the bundle imports dynamically');
  write(join(dist, `instance.${ending}`), instance.outputFiles[0].text);
  const short = await transform(register.outputFiles[0].text, { ...minified, minifyIdentifiers: true });
  // Nothing else in it says that it is an ES module.
  const footer = format === 'esm' ? 'export {};\n' : '';
  write(join(dist, `register.${ending}`), `${common.banner.js}\n${short.code}${footer}`);
  if (format === 'esm')
    for (const [name, text] of Object.entries(parts.texts)) write(join(dist, `${name}.part.cjs`), text);
  if (format === 'cjs') {
    // The API too: of it only what two copies may differ in without harm is used.
    const reader = await build({
      ...common,
      entryPoints: { 'configuration-file': join(folder, 'src/declarative/read-configuration-file.ts') },
    });
    write(join(dist, 'configuration-file.cjs'), reader.outputFiles[0].text);
    write(join(dist, 'temporal-workflow.cjs'), (await sandboxed(build, common)).outputFiles[0].text);
  }
  if (format === 'esm') {
    const names = Object.values(instance.metafile.outputs)[0].exports.sort();
    write(join(dist, 'index.js'), esmIndex(names));
    write(join(dist, 'index.cjs'), cjsIndex(names));
    write(join(dist, 'register-whole.js'), wholeRegister());
  }
}

/**
 * What runs in the sandbox of Temporal's workflows, where neither Node nor a browser is. The worker's own bundler takes it from
 * there, and finds Temporal's part and the API where the application has them.
 */
function sandboxed(build, { banner: _banner, define: _define, ...common }) {
  return build({
    ...common,
    platform: 'browser',
    mainFields: ['browser', 'module', 'main'],
    target: 'es2022',
    entryPoints: { 'temporal-workflow': join(folder, 'src/workflows/sandbox/interceptors.ts') },
    external: [api, '@temporalio/workflow'],
  });
}

/** `register` for bundlers of applications, which would not take along the parts of the other: the condition `module` is theirs. */
function wholeRegister() {
  return `import { start } from './index.js';
if (process.getBuiltinModule('node:worker_threads').isMainThread) start();
`;
}

function esmIndex(names) {
  return `import * as own from './instance.js';
const instance = (globalThis[${sharedKey}] ??= own);
export const { ${names.join(', ')} } = instance;
`;
}

function cjsIndex(names) {
  return `module.exports = globalThis[${sharedKey}] ??= require('./instance.cjs');
// Tells Node, which only reads the text, what can be imported by name.
0 && (module.exports = { ${names.join(', ')} });
`;
}

/**
 * Node's modules are taken as CommonJS has them: importing one into an ES module reads all it exports, which for `node:http`
 * means loading `WebSocket` and undici. What esbuild makes of `require` for an `import` reads all of it too (of `node:util`
 * that opens standard error), so each name that is imported is read by itself.
 */
function builtins(format) {
  const load = (path) =>
    format === 'esm' ? `process.getBuiltinModule(${JSON.stringify(path)})` : `require(${JSON.stringify(path)})`;
  return {
    name: 'builtins',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /.*/ }, ({ path, kind, namespace }) => {
        if (!isBuiltin(path) || namespace.startsWith('builtin')) return undefined;
        const name = path.replace(/^(?!node:)/, 'node:');
        if (kind === 'import-statement') return { path: name, namespace: 'builtin' };
        return format === 'esm' ? { path: name, namespace: 'builtin-required' } : undefined;
      });
      onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => {
        const names = Object.keys(process.getBuiltinModule(path)).filter((name) =>
          /^(?!default$)[A-Za-z]\w*$/.test(name),
        );
        // Unused ones are left out: the annotation says that reading them does nothing else.
        const read = names.map((name) => `export const ${name} = /* @__PURE__ */ $read(${JSON.stringify(name)});`);
        return {
          contents: `const $all = ${load(path)};\nconst $read = (name) => $all[name];\nexport default $all;\n${read.join('\n')}`,
        };
      });
      onLoad({ filter: /.*/, namespace: 'builtin-required' }, ({ path }) => ({
        contents: `module.exports = ${load(path)};`,
      }));
    },
  };
}

/** For ES modules, which lack `require`: packages that exist as CommonJS only call it, so what stays outside is imported. */
function withoutRequire(externals) {
  return {
    name: 'without-require',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /.*/ }, ({ path, kind }) =>
        kind === 'require-call' && externals.includes(path) ? { path, namespace: 'required' } : undefined,
      );
      onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => ({
        contents: `export * from ${JSON.stringify(path)};`,
        resolveDir: folder,
      }));
    },
  };
}

/**
 * YAML and the schema of the declarative configuration are a third of everything else together, and few processes have a
 * file: they stay outside, and are loaded when there is one.
 */
function configurationFile(format) {
  const required = {
    esm: `import { createRequire } from 'node:module'; const load = () => createRequire(import.meta.url)('./configuration-file.cjs');`,
    // Seen by bundlers of applications, which then take it along.
    cjs: `const load = () => require('./configuration-file.cjs');`,
  };
  return {
    name: 'configuration-file',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^\.\/configuration-file\.cjs$/ }, ({ path }) => ({ path, external: true }));
      onLoad({ filter: /[\\/]load-configuration-file\.ts$/ }, () => ({
        contents: `${required[format]} export const readConfigurationFile = (...about) => load().readConfigurationFile(...about);`,
        resolveDir: join(folder, 'src/declarative'),
      }));
    },
  };
}

/**
 * What is required or imported dynamically is evaluated then, so that it, and all it imports, is put into functions, one a file, of
 * which nothing is left out. For the API that is prevented here: the context manager is the only official package that is not an
 * ES module as well, and the detectors of machines, which import dynamically, are not used.
 */
function withoutWrappers() {
  const root = fileURLToPath(import.meta.resolve('@opentelemetry/context-async-hooks'));
  return {
    name: 'without-wrappers',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^\.\/getMachineId-/ }, ({ path }) => ({ path, external: true }));
      onResolve({ filter: /^@opentelemetry\/context-async-hooks$/ }, () => ({
        path: join(root, '../AsyncLocalStorageContextManager.js'),
      }));
      onLoad({ filter: /context-async-hooks[\\/].*\.js$/ }, ({ path }) => {
        const contents = readFileSync(path, 'utf8')
          .replaceAll(/^const (\w+) = require\(("[^"]+")\);$/gm, 'import * as $1 from $2;')
          .replaceAll(/^(?:Object\.defineProperty\(exports, "__esModule".*|exports\.\w+ = void 0;)$/gm, '')
          .replaceAll(/^exports\.(\w+) = \1;$/gm, 'export { $1 };');
        if (/\b(?:require\(|exports\.)/.test(contents)) throw new Error(`${path} has become another kind of CommonJS`);
        return { contents };
      });
    },
  };
}

/** See installed-api-version.mjs. */
function installedApiVersion() {
  const ours = JSON.parse(readFileSync(findApi(), 'utf8')).version;
  const contents = readFileSync(new URL('installed-api-version.mjs', import.meta.url), 'utf8');
  return {
    name: 'installed-api-version',
    setup({ onLoad }) {
      onLoad({ filter: /@opentelemetry[\\/]api[\\/].*[\\/]version\.js$/ }, () => ({
        contents: contents.replace('BUNDLED_VERSION', JSON.stringify(ours)),
      }));
    },
  };
}

function findApi() {
  for (const root of [folder, join(folder, '../..')]) {
    const path = join(root, 'node_modules', api, 'package.json');
    if (readText(path) !== undefined) return path;
  }
  throw new Error(`${api} is not installed: run npm install`);
}

/** Everything that the bundles are made of. */
function fingerprint() {
  const hash = createHash('sha256');
  const sources = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join('src', name));
  const scripts = readdirSync(join(folder, 'build')).map((name) => join('build', name));
  for (const name of [...sources.sort(), ...scripts.sort(), 'package.json', '../../package-lock.json'])
    hash.update(`${name}\0`).update(readFileSync(join(folder, name)));
  return hash.digest('hex');
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** At once or not at all: tests of several processes may run what is replaced here. */
function write(path, text) {
  if (readText(path) === text) return;
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}
