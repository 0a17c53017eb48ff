// Which of the sources are in files of their own beside `register`, and how these are made. A process reads one when it first needs
// what is in it, so that it starts without reading, compiling and running what it may never use.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * By the name of the file, sources without their ending. Each exports either an instrumentation that waits for its library, or
 * functions and nothing else; those are what takes the place of the source in `register`.
 */
export const parts = {
  databases: [
    'database/elasticsearch',
    'database/ioredis',
    'database/memjs',
    'database/node-redis',
    'database/opensearch',
    'database/sql/better-sqlite3',
    'database/sql/create-sqlite-observer',
    'database/sql/mysql2',
    'database/sql/pg',
  ],
  frameworks: [
    'http/frameworks/express',
    'http/frameworks/hono',
    'http/frameworks/koa',
    'http/frameworks/nestjs',
    'logging/bunyan',
    'logging/winston',
  ],
  messaging: [
    'messaging/amqplib',
    'messaging/bullmq',
    'messaging/kafkajs',
    'messaging/mqtt',
    'messaging/nats/nats',
    'llm/llm-instrumentation',
  ],
  exporters: [
    'export/create-grpc-transport',
    'export/create-spool',
    'metrics/prometheus/create-prometheus-endpoint',
    'propagation/other-propagators',
    'trace/official-trace-signal',
  ],
  serializers: ['export/official-serializers'],
};

/**
 * What `register` is to be built with so that the parts are left out of it, and the parts, which use the modules of `register` and
 * hold none twice. A module that two parts use is one of `register`'s.
 *
 * @param options of esbuild, with a function for what each build has of its own
 */
export async function separateParts(build, folder, { common, plugins, entry }) {
  const source = (name) => join(folder, 'src', `${name}.ts`);
  const roots = new Map(Object.entries(parts).flatMap(([part, names]) => names.map((name) => [source(name), part])));
  /** What parts use of `register`: numbers by path and name. */
  const used = new Map();
  const withoutParts = (format, except = '') => ({
    name: 'without-parts',
    setup({ onLoad, onResolve }) {
      onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) =>
        roots.has(path) && roots.get(path) !== except
          ? { contents: placeholder(path, roots.get(path)), resolveDir: folder }
          : undefined,
      );
      onResolve({ filter: /\.part\.cjs$/ }, ({ path }) => ({ path, external: true }));
      onResolve({ filter: /^shared-modules$/ }, ({ path }) => ({ path, namespace: 'shared-modules' }));
      onLoad({ filter: /.*/, namespace: 'shared-modules' }, () => ({
        contents: sharedModules(used, format),
        resolveDir: folder,
      }));
    },
  });
  const inputsOf = async (options) =>
    Object.keys((await build({ ...common, write: false, metafile: true, ...options })).metafile.inputs)
      .filter((name) => !/^(?:<|[\w-]{2,}:)/.test(name))
      .map((name) => join(process.cwd(), name));

  const own = new Set(await inputsOf({ entryPoints: [entry], plugins: [withoutParts('cjs'), ...plugins] }));
  const users = new Map();
  for (const [part, names] of Object.entries(parts)) {
    const inputs = await inputsOf({
      stdin: exporting(names.map(source), folder),
      plugins: [withoutParts('cjs', part), ...plugins],
    });
    for (const path of inputs) users.set(path, (users.get(path) ?? new Set()).add(part));
  }
  for (const [path, { size }] of users) if (size > 1) own.add(path);

  const shared = [...own].filter((path) => users.has(path));
  const exportsOf = await exportedNames(build, shared, { common, plugins });
  const texts = {};
  for (const [part, names] of Object.entries(parts)) {
    const { outputFiles } = await build({
      ...common,
      write: false,
      format: 'iife',
      globalName: 'part',
      banner: undefined,
      stdin: exporting(names.map(source), folder),
      plugins: [fromRegister(own, exportsOf, (path) => roots.get(path) === part), ...plugins],
    });
    const [{ text: whole }] = outputFiles;
    if (whole.includes('bundleUrl')) throw new Error(`${part}.part.cjs does not know where it is`);
    const text = whole.replaceAll(/\$shared\("([^"]+)"\)/g, (_, key) => {
      if (!used.has(key)) used.set(key, used.size);
      return `$shared[${used.get(key)}]`;
    });
    texts[part] = `"use strict";module.exports=$shared=>{${text}return part};\n`;
  }
  return { texts, withoutParts };
}

/** What placeholders use: the loaded parts, each given what it uses of `register`. */
function sharedModules(used, format) {
  const imports = [...used].map(([key, number]) => {
    const [path, name] = key.split('#');
    return `import { ${name} as shared${number} } from ${JSON.stringify(path)};`;
  });
  const loads = Object.keys(parts).map((name) => {
    const file = JSON.stringify(`./${name}.part.cjs`);
    // Seen by bundlers of applications where it is `require`, which then take it along.
    return `${name}: () => ${format === 'esm' ? `createRequire(bundleUrl)(${file})` : `require(${file})`}`;
  });
  return `import { createRequire } from 'node:module';
${imports.join('\n')}
const loads = { ${loads.join(', ')} };
const loaded = {};
export function loadPart(name) {
  return (loaded[name] ??= readPart(name)([${[...used.values()].map((number) => `shared${number}`).join(', ')}]));
}
function readPart(name) {
  try {
    return loads[name]();
  } catch (cause) {
    throw new Error(
      'a part of @signalbox/node is not where its register is: an application that is bundled must leave @signalbox/node outside of its bundle, or be bundled with the condition "module"',
      { cause },
    );
  }
}`;
}

function exporting(paths, resolveDir) {
  return { contents: paths.map((path) => `export * from ${JSON.stringify(path)};`).join('\n'), resolveDir };
}

/** In the place of a source of a part, in `register`. */
function placeholder(path, part) {
  const text = readFileSync(path, 'utf8');
  const load = `loadPart(${JSON.stringify(part)})`;
  const exported = [...text.matchAll(/^export (?!type |interface )(.*)/gm)].map(([, declaration]) => {
    const instrumentation = /^const (\w+): Instrumentation = \{$/.exec(declaration)?.[1];
    if (instrumentation !== undefined) {
      const [, name] = new RegExp(`const ${instrumentation}: Instrumentation = \\{\\n  name: '([^']+)',`).exec(text);
      return `export const ${instrumentation} = { name: '${name}', enable: (context) => ${load}.${instrumentation}.enable(context) };`;
    }
    const called = /^function (\w+)[(<]/.exec(declaration)?.[1];
    if (called === undefined) throw new Error(`${path}: a part of register cannot export "${declaration}"`);
    return `export const ${called} = (...given) => ${load}.${called}(...given);`;
  });
  return `import { loadPart } from 'shared-modules';\n${exported.join('\n')}`;
}

/** In a part, for modules that are in `register`. */
function fromRegister(own, exportsOf, isRoot) {
  return {
    name: 'from-register',
    setup({ onResolve, onLoad, ...rest }) {
      onResolve({ filter: /.*/ }, async ({ path, pluginData, ...about }) => {
        if (pluginData === 'resolving' || about.namespace !== 'file' || about.kind === 'entry-point') return undefined;
        const resolved = await rest.resolve(path, { ...about, pluginData: 'resolving' });
        if (resolved.errors.length > 0 || resolved.namespace !== 'file' || !own.has(resolved.path)) return undefined;
        if (isRoot(resolved.path)) return undefined;
        return { path: resolved.path, namespace: 'from-register' };
      });
      onLoad({ filter: /.*/, namespace: 'from-register' }, ({ path }) => ({
        contents: exportsOf
          .get(path)
          .filter((name) => name !== 'default')
          .map((name) => `export const ${name} = /* @__PURE__ */ $shared(${JSON.stringify(`${path}#${name}`)});`)
          .join('\n'),
      }));
    },
  };
}

async function exportedNames(build, paths, { common, plugins }) {
  const { metafile } = await build({
    ...common,
    write: false,
    metafile: true,
    format: 'esm',
    banner: undefined,
    entryPoints: Object.fromEntries(paths.map((path, index) => [`m${index}`, path])),
    plugins,
  });
  return new Map(
    Object.entries(metafile.outputs).map(([output, { exports }]) => [
      paths[Number(/m(\d+)\.js$/.exec(output)[1])],
      exports,
    ]),
  );
}
