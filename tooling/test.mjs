// `npm test`: formatting and lint, types, unit tests, whole-system tests. `--full` adds the long tier (SIGNALBOX_TEST_TIER=full).
// Everything runs even when an earlier step failed; the exit status is non-zero when anything failed or could not run.
// The files of a few failed tests are run once more, alone: what fails again has failed, what passes then is named as unsteady.
// What failed is said last, since the end is what people see of a long output.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeMissing, ensurePrograms, findProgram } from './debian-packages.mjs';

const filesToRunAgain = 4;
const skippedNamesPerSuite = 3;
const linesPerFailure = 30;

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => join(root, 'node_modules', '.bin', name);
const resultsFolder = join(root, '.stamp', 'test-results');
const full = process.argv.includes('--full');
rmSync(resultsFolder, { recursive: true, force: true });
mkdirSync(resultsFolder, { recursive: true });

const missing = ensurePrograms([
  { program: 'chromium', debianPackage: 'chromium', neededFor: 'the tests of the page in a real browser' },
  { program: 'redis-server', debianPackage: 'redis-server', neededFor: 'the tests of Redis clients' },
  { program: 'pg_ctlcluster', debianPackage: 'postgresql', neededFor: 'the tests of pg and what stands on it' },
  { program: 'mariadbd', debianPackage: 'mariadb-server-core', neededFor: 'the tests of mysql2' },
  ...(full
    ? [
        { program: 'rabbitmqctl', debianPackage: 'rabbitmq-server', neededFor: 'the long tier of amqplib' },
        { program: 'memcached', debianPackage: 'memcached', neededFor: 'the tests of memjs' },
      ]
    : []),
]);

const chromium = process.env.SIGNALBOX_CHROMIUM ?? findProgram('chromium');

let passed = 0;
const skipped = [];
const unsteady = [];
const failed = [];
const failedSteps = [];

command('lint', bin('biome'), ['ci', '.']);
command('types', bin('tsc'), ['-p', 'tsconfig.tests.json']);
tests('unit tests', 'vitest.config.ts');
tests('whole-system tests', 'e2e/vitest.config.ts');

console.log('');
if (skipped.length > 0) console.log(`Skipped here:\n${grouped(skipped).join('\n')}`);
if (missing.length > 0) console.log(`Missing on this machine:\n${describeMissing(missing)}`);
if (unsteady.length > 0)
  console.log(
    `Failed at first, passed when run again alone (each a defect of that test):\n${unsteady.map(described).join('\n')}`,
  );
if (failedSteps.length > 0) console.log(`Failed: ${failedSteps.join(', ')}`);
if (failed.length > 0) console.log(failed.map(described).join('\n'));
console.log(`\n${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
process.exit(failedSteps.length > 0 || missing.length > 0 ? 1 : 0);

function command(name, program, args) {
  if (run(name, program, args) !== 0) failedSteps.push(name);
}

function tests(name, config) {
  const first = vitest(name, config);
  if (first.status === 0 || first.results === null) {
    record(first.results);
    if (first.status !== 0) failedSteps.push(name);
    return;
  }
  const files = [...new Set(first.results.failed.map(({ file }) => file))];
  if (first.results.unhandled.length > 0 || files.length === 0 || files.length > filesToRunAgain) {
    record(first.results);
    failedSteps.push(name);
    return;
  }
  const second = vitest(`${name}, again`, config, ['--no-file-parallelism', ...files]);
  // The second run decides about these files: by its exit status, as the first does where it is the only one.
  const failedAgain = second.results?.failed ?? first.results.failed;
  const passedNow = first.results.failed.filter((failure) => !failedAgain.some((again) => again.name === failure.name));
  unsteady.push(...passedNow);
  record({ ...first.results, passed: first.results.passed + passedNow.length, failed: failedAgain });
  if (second.status !== 0) failedSteps.push(name);
}

function vitest(name, config, args = []) {
  const file = join(resultsFolder, `${name.replaceAll(/[ ,]+/g, '-')}.json`);
  const reporters = ['--reporter=default', `--reporter=${join(root, 'tooling', 'test-results.mjs')}`];
  const status = run(name, bin('vitest'), ['run', '--config', config, ...reporters, ...args], {
    SIGNALBOX_TEST_TIER: full ? 'full' : 'quick',
    SIGNALBOX_TEST_RESULTS: file,
    // Where it was looked for and found is where the tests must take it from.
    ...(chromium === null ? {} : { SIGNALBOX_CHROMIUM: chromium }),
  });
  return { status, results: existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null };
}

function run(name, program, args, env = {}) {
  console.log(`\n== ${name}`);
  const started = Date.now();
  const { status } = spawnSync(program, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  console.log(`-- ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${Math.round((Date.now() - started) / 1000)} s`);
  return status;
}

function record(results) {
  if (results === null) return;
  passed += results.passed;
  skipped.push(...results.skipped);
  failed.push(
    ...results.failed,
    ...results.unhandled.map((message) => ({ file: '', name: 'an unhandled error', message })),
  );
}

function described({ file, name, message }) {
  const lines = message.split('\n').slice(0, linesPerFailure);
  return `  ${file} ${name}\n${lines.map((line) => `    ${line}`).join('\n')}`;
}

// A suite of hundreds is a few lines: its first tests, and how many more.
function grouped(tests) {
  const suites = new Map();
  for (const { suite, name } of tests) suites.set(suite, [...(suites.get(suite) ?? []), name]);
  return [...suites].flatMap(([suite, names]) => {
    const lines = names.slice(0, skippedNamesPerSuite).map((name) => `  ${suite} > ${name}`);
    const more = names.length - lines.length;
    return more === 0 ? lines : [...lines, `  … and ${more} more of ${suite}`];
  });
}
