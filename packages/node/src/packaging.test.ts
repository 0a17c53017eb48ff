import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { App, buildPackage } from './testing/child.ts';
import { OtlpSink } from './testing/otlp-sink.ts';

const run = promisify(execFile);
const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));
let sink: OtlpSink;

beforeAll(() => buildPackage());
beforeEach(async () => {
  sink = await new OtlpSink().listen();
});
afterEach(() => sink.close());

describe('the bundles', () => {
  test('register, import and require are one', async () => {
    const app = new App({
      file: 'app.mjs',
      source: `import { createRequire } from 'node:module'; import * as imported from '@signalbox/node';
        const required = createRequire(import.meta.url)('@signalbox/node');
        console.log(JSON.stringify([required.start === imported.start, imported.start() === required.start(), Object.keys(required)]));
        imported.start({ serviceName: 'late' });`,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url },
    });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    const [same, running, names] = JSON.parse(app.stdout);
    expect({ same, running }).toEqual({ same: true, running: true });
    expect(names).toContain('setRoute');
    expect(app.stderr).toContain('telemetry runs already');
  });

  test('starting reads one file, and loads nothing of Node that it does not need yet', async () => {
    const app = new App({
      file: 'app.cjs',
      source: `console.log(JSON.stringify([Object.keys(require.cache).filter((path) => path.includes('@opentelemetry')),
        process.moduleLoadList.filter((name) => /^NativeModule (crypto|tls|https|http2|zlib|internal\\/deps\\/undici)/.test(name))]));
        process.reallyExit(0);`,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url },
    });
    await app.exited;
    expect(JSON.parse(app.stdout)).toEqual([[], []]);
  });
});

describe('register speaks for the API that is installed, whatever its version', () => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-api-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    ['beside it', 'node_modules', 'node_modules/@signalbox/node', {}],
    ['where only Node knows', 'elsewhere', 'own/@signalbox/node', { NODE_PATH: join(folder, 'elsewhere') }],
  ])('%s', async (_name, packages, own, variables) => {
    const api = join(folder, packages, '@opentelemetry/api');
    cpSync(join(modules, '@opentelemetry/api'), api, { recursive: true });
    for (const file of ['package.json', 'build/src/version.js']) {
      const text = readFileSync(join(api, file), 'utf8');
      writeFileSync(join(api, file), text.replace(/(version"?(?::| =) ["'])1\.\d+\.\d+/i, '$11.99.7'));
    }
    const register = join(folder, own, 'dist/register.cjs');
    mkdirSync(dirname(register), { recursive: true });
    cpSync(join(packageFolder, 'dist/register.cjs'), register);
    symlinkSync(join(modules, 'import-in-the-middle'), join(folder, packages, 'import-in-the-middle'));
    const file = join(folder, 'app.cjs');
    writeFileSync(
      file,
      `const { trace } = require('@opentelemetry/api'); const { VERSION } = require(${JSON.stringify(join(api, 'build/src/version.js'))});
       console.log(VERSION, trace.getTracer('app').startSpan('job').isRecording()); process.reallyExit(0);`,
    );
    const { stdout } = await run(process.execPath, ['--require', register, file], {
      env: { PATH: process.env.PATH, OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...variables },
    });
    expect(stdout).toBe('1.99.7 true\n');
  });
});

describe('the parts of register, where nothing is installed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-parts-'));
  const register = join(packageFolder, 'dist/register');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const parts = `const parts = () => Object.keys(require.cache).flatMap((path) => /([a-z]+)\\.part\\.cjs$/.exec(path)?.[1] ?? []).sort();
    const before = parts();`;
  const own = `const koa = require(${JSON.stringify(join(modules, 'koa'))});
    const afterLibrary = parts();
    const { tracingChannel } = require('node:diagnostics_channel'); const { trace } = require(${JSON.stringify(join(modules, '@opentelemetry/api'))});
    const query = { query: 'SELECT 1', database: 'shop', serverAddress: 'db.test', serverPort: 3306 };
    // As a library does that is bundled with the application.
    tracingChannel('mysql2:query').tracePromise(async () => { trace.getTracer('app').startSpan('inside').end(); return [{}]; }, query)
      .then(() => console.log(JSON.stringify({ before, afterLibrary, after: parts(), wrapped: koa.prototype.createContext.toString().includes('Reflect.apply') })));`;

  test.each([
    ['--import', ['--import', `file://${register}.js`], parts, true],
    ['--require', ['--require', `${register}.cjs`], parts, true],
    ['start', [], `require(${JSON.stringify(join(packageFolder, 'dist/index.cjs'))}).start(); ${parts}`, false],
  ] as const)('are loaded with a library or its first message: %s', async (_name, nodeArguments, head, hasParts) => {
    const file = join(folder, 'app.cjs');
    writeFileSync(file, head + own);
    const { stdout, stderr } = await run(process.execPath, [...nodeArguments, file], {
      cwd: folder,
      env: { PATH: process.env.PATH, OTEL_EXPORTER_OTLP_ENDPOINT: sink.url },
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      before: [],
      afterLibrary: hasParts ? ['frameworks'] : [],
      after: hasParts ? ['databases', 'frameworks'] : [],
      wrapped: true,
    });
    const query = sink.span('SELECT');
    expect(query).toMatchObject({ attributes: { 'db.system.name': 'mysql', 'db.namespace': 'shop' } });
    expect(sink.span('inside').parentSpanId).toBe(query.spanId);
  });

  test('what is set, and metrics, need some of them', async () => {
    const file = join(folder, 'app.cjs');
    writeFileSync(
      file,
      `${parts} const { propagation, context, trace, metrics } = require(${JSON.stringify(join(modules, '@opentelemetry/api'))});
       const headers = {}; const span = trace.getTracer('app').startSpan('job'); metrics.getMeter('app').createCounter('jobs').add(3);
       propagation.inject(trace.setSpan(context.active(), span), headers); span.end();
       console.log(JSON.stringify({ before, headers: Object.keys(headers).sort() }));`,
    );
    const { stdout, stderr } = await run(process.execPath, ['--import', `file://${register}.js`, file], {
      cwd: folder,
      env: { PATH: process.env.PATH, OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_PROPAGATORS: 'b3,jaeger' },
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ before: ['exporters'], headers: ['b3', 'uber-trace-id'] });
    expect(sink.spans.map(({ name }) => name)).toEqual(['job']);
    expect(sink.point('jobs', {}).value).toBe(3);
  });
});

const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';

describe.skipIf(!isFull)('the packed tarball (long tier)', () => {
  let folder: string;
  let tarball: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'signalbox-node-'));
    await run(process.execPath, [join(modules, 'typescript/bin/tsc'), '-b', packageFolder]);
    await run(process.execPath, [join(packageFolder, 'build/declarations.mjs')]);
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: packageFolder });
    const [{ filename }] = JSON.parse(stdout);
    tarball = join(folder, filename);
    install('@signalbox/node', (target) => run('tar', ['-xzf', tarball, '--strip-components=1', '-C', target]));
    const { dependencies } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
    for (const name of [...Object.keys(dependencies), '@types/node', 'undici-types'])
      symlink(name, join(folder, 'node_modules', name));
    // The application's own copy of the API, not the one that we come with.
    rmSync(join(folder, 'node_modules/@opentelemetry/api'));
    cpSync(join(modules, '@opentelemetry/api'), join(folder, 'node_modules/@opentelemetry/api'), { recursive: true });
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function install(name: string, fill: (target: string) => unknown): void {
    const target = join(folder, 'node_modules', name);
    mkdirSync(target, { recursive: true });
    fill(target);
  }

  function symlink(name: string, target: string): void {
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(join(modules, name), target);
  }

  async function execute(file: string, nodeArguments: readonly string[] = [], variables = {}): Promise<void> {
    const { stderr } = await run(process.execPath, [...nodeArguments, file], {
      cwd: folder,
      env: { PATH: process.env.PATH, OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_SERVICE_NAME: 'packed', ...variables },
    });
    expect(stderr).toBe('');
  }

  const work = "trace.getTracer('app').startSpan('job').end();";
  const esm = `import { trace } from '@opentelemetry/api'; ${work}`;
  const cjs = `const { trace } = require('@opentelemetry/api'); ${work}`;
  test.each([
    ['--import, ES module', 'import.mjs', esm, ['--import', '@signalbox/node/register']],
    ['--import, CommonJS', 'import.cjs', cjs, ['--import', '@signalbox/node/register']],
    ['--require, CommonJS', 'require.cjs', cjs, ['--require', '@signalbox/node/register']],
    ['import of start', 'start.mjs', `import { start } from '@signalbox/node'; start(); ${esm}`, []],
    ['require of start', 'start.cjs', `require('@signalbox/node').start(); ${cjs}`, []],
    ['import of register', 'register.mjs', `import '@signalbox/node/register'; ${esm}`, []],
  ])('%s', async (_name, file, source, nodeArguments) => {
    writeFileSync(join(folder, file), source);
    await execute(file, nodeArguments);
    expect(sink.spans.map(({ name }) => name)).toEqual(['job']);
  });

  test.each([
    ['esm', 'start', `import { start } from '@signalbox/node'; start(); ${esm}`],
    ['cjs', 'start', `import { start } from '@signalbox/node'; start(); ${esm}`],
    ['esm', 'register', `import '@signalbox/node/register'; ${esm}`],
    ['cjs', 'register', `import '@signalbox/node/register'; ${esm}`],
  ] as const)('bundled with an application by esbuild (%s, %s)', async (format, _entry, contents) => {
    const { build } = await import('esbuild');
    const file = `bundled.${format === 'esm' ? 'mjs' : 'cjs'}`;
    await build({
      stdin: { contents, resolveDir: folder },
      bundle: true,
      platform: 'node',
      format,
      outfile: join(folder, file),
      logLevel: 'error',
    });
    await execute(file);
    expect(sink.spans.map(({ name }) => name)).toEqual(['job']);
  });

  test.each([
    ['an ES module', 'configured.mjs', `import { start } from '@signalbox/node'; start(); ${esm}`, false],
    ['CommonJS', 'configured.cjs', `require('@signalbox/node').start(); ${cjs}`, false],
    ['CommonJS bundled with its application', 'to-bundle.cjs', `require('@signalbox/node').start(); ${cjs}`, true],
  ])('a configuration file, in %s', async (_name, file, source, isBundled) => {
    writeFileSync(join(folder, file), source);
    writeFileSync(
      join(folder, 'sdk.yaml'),
      `file_format: "1.0"\ntracer_provider: { processors: [{ batch: { exporter: { otlp_http: { endpoint: "${sink.url}/v1/traces" } } } }] }`,
    );
    const outfile = join(folder, 'configured-bundle.cjs');
    const { build } = await import('esbuild');
    if (isBundled)
      await build({ entryPoints: [join(folder, file)], bundle: true, platform: 'node', outfile, logLevel: 'error' });
    await execute(isBundled ? outfile : file, [], { OTEL_CONFIG_FILE: 'sdk.yaml', OTEL_EXPORTER_OTLP_ENDPOINT: '' });
    expect(sink.spans.map(({ name }) => name)).toEqual(['job']);
  });

  test.each(['mts', 'cts'])('its types, in a .%s file, without skipLibCheck', async (ending) => {
    writeFileSync(
      join(folder, `types.${ending}`),
      `import { start, type Telemetry } from '@signalbox/node'; import type { TracerProvider } from '@opentelemetry/api';
       const telemetry: Telemetry = start({ serviceName: 'x', metrics: { exportIntervalMillis: 1 } });
       const provider: TracerProvider = telemetry.tracerProvider; provider.getTracer('x');
       // @ts-expect-error: an option must be known
       start({ nonsense: 1 });\n`,
    );
    const options = '--noEmit --strict --module nodenext --target es2023 --lib es2023 --types node'.split(' ');
    await run(process.execPath, [join(modules, 'typescript/bin/tsc'), ...options, `types.${ending}`], { cwd: folder });
  });

  test('exports what api-report.txt says', async () => {
    // Rejects, with what to do, if it does not.
    await run(process.execPath, [join(packageFolder, 'build/api-report.mjs'), '--check']);
  });

  test('publint finds nothing', async () => {
    const { publint } = await import('publint');
    const { messages } = await publint({ pkgDir: join(folder, 'node_modules/@signalbox/node'), pack: false });
    expect(messages).toEqual([]);
  });

  test('are-the-types-wrong finds nothing', async () => {
    const { checkPackage, createPackageFromTarballData } = await import('@arethetypeswrong/core');
    const result = await checkPackage(createPackageFromTarballData(readFileSync(tarball)));
    if (!result.types) throw new Error('no types');
    // node10 is the resolution of before `exports`; Node itself has not used it since 12.
    const problems = result.problems.filter(
      (problem) => !('resolutionKind' in problem && problem.resolutionKind === 'node10'),
    );
    expect(problems).toEqual([]);
  });
});
