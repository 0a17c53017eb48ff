// `npm test`: formatting and lint, types, unit tests, whole-system tests. `--full` adds the long tier (SIGNALBOX_TEST_TIER=full).
// Everything runs even when an earlier step failed; the exit status is non-zero when anything failed or could not run.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeMissing, ensurePrograms, findProgram } from './debian-packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => join(root, 'node_modules', '.bin', name);
const results = join(root, '.stamp', 'test-results');
const full = process.argv.includes('--full');
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

const missing = ensurePrograms([
  { program: 'chromium', debianPackage: 'chromium', neededFor: 'the tests of the page in a real browser' },
  { program: 'redis-server', debianPackage: 'redis-server', neededFor: 'the tests of Redis clients' },
  { program: 'pg_ctlcluster', debianPackage: 'postgresql', neededFor: 'the tests of pg and what stands on it' },
  { program: 'mariadbd', debianPackage: 'mariadb-server-core', neededFor: 'the tests of mysql2' },
  ...(full
    ? [{ program: 'rabbitmqctl', debianPackage: 'rabbitmq-server', neededFor: 'the long tier of amqplib' }]
    : []),
]);

const chromium = process.env.SIGNALBOX_CHROMIUM ?? findProgram('chromium');

const totals = { passed: 0, failed: 0, skipped: 0 };
const skippedNames = [];
const failures = [];

step('lint', bin('biome'), ['ci', '.']);
step('types', bin('tsc'), ['-p', 'tsconfig.tests.json']);
vitest('unit tests', 'vitest.config.ts');
vitest('whole-system tests', 'e2e/vitest.config.ts');

console.log('');
if (skippedNames.length > 0) console.log(`Skipped here:\n${skippedNames.map((name) => `  ${name}`).join('\n')}`);
if (missing.length > 0) console.log(`Missing on this machine:\n${describeMissing(missing)}`);
if (failures.length > 0) console.log(`Failed: ${failures.join(', ')}`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(failures.length > 0 || missing.length > 0 ? 1 : 0);

function step(name, command, args, env = {}) {
  console.log(`\n== ${name}`);
  const started = Date.now();
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  console.log(`-- ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${Math.round((Date.now() - started) / 1000)} s`);
  if (status !== 0) failures.push(name);
}

function vitest(name, config) {
  const report = join(results, `${name.replaceAll(' ', '-')}.json`);
  step(
    name,
    bin('vitest'),
    ['run', '--config', config, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    {
      SIGNALBOX_TEST_TIER: full ? 'full' : 'quick',
      // Where it was looked for and found is where the tests must take it from.
      ...(chromium === null ? {} : { SIGNALBOX_CHROMIUM: chromium }),
    },
  );
  if (!existsSync(report)) return;
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  totals.passed += numPassedTests;
  totals.failed += numFailedTests;
  totals.skipped += numPendingTests + (numTodoTests ?? 0);
  for (const file of testResults) {
    for (const test of file.assertionResults)
      if (test.status === 'pending' || test.status === 'skipped') skippedNames.push(test.fullName);
  }
}
