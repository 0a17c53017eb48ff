import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findProgram } from './debian-packages.mjs';
import { withoutPrograms } from './hidden-programs.ts';

// What `npm test` does around the tests: what it says of a machine that lacks something, and whether its exit status is true.
// The programs that do the work stand in for themselves here: each does nothing, well or badly.

const nobody = '65534';
const mayHide = withoutPrograms([], ['true']) !== null;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-test-command-'));
  mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
  cpSync(fileURLToPath(new URL('.', import.meta.url)), join(folder, 'tooling'), { recursive: true });
  for (const name of ['biome', 'tsc', 'vitest']) standIn(name, 0);
  chmodSync(folder, 0o777);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function standIn(name: string, status: number): void {
  const path = join(folder, 'node_modules', '.bin', name);
  writeFileSync(path, `#!/bin/sh\necho "${name} ran"\nexit ${status}\n`);
  chmodSync(path, 0o755);
}

/** A vitest that ends with `status` and leaves these results, the next ones at its next run. */
function vitestStandIn(...runs: { status: number; results: object }[]): void {
  for (const [index, { results }] of runs.entries())
    writeFileSync(join(folder, `results-${index}.json`), JSON.stringify(results));
  const path = join(folder, 'node_modules', '.bin', 'vitest');
  const statuses = runs.map(({ status }, index) => `${index}) exit ${status};;`).join(' ');
  writeFileSync(
    path,
    `#!/bin/sh
cd '${folder}'
n=$(cat count 2>/dev/null || echo 0)
echo $((n + 1)) > count
echo "vitest ran: $*"
cp "results-$n.json" "$SIGNALBOX_TEST_RESULTS"
case $n in ${statuses} esac
`,
  );
  chmodSync(path, 0o755);
}

function runTests(hidden: readonly string[], as: readonly string[] = []): { status: number | null; output: string } {
  const command = withoutPrograms(hidden, [...as, process.execPath, join(folder, 'tooling', 'test.mjs')]);
  if (command === null) throw new Error('no mount namespace');
  const [program = '', ...args] = command;
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 60_000 });
  return { status, output: stdout + stderr };
}

describe.skipIf(!mayHide)('npm test on a machine that lacks something (root can hide it)', () => {
  test('without root it names what is missing, runs everything else, and does not claim success', () => {
    const { status, output } = runTests(
      ['chromium', 'redis-server'],
      ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'],
    );
    expect(output).toContain(
      '  chromium: needed for the tests of the page in a real browser; install it with: sudo apt-get install chromium',
    );
    expect(output).toContain('sudo apt-get install redis-server');
    expect(output).not.toContain('Installing');
    for (const name of ['biome', 'tsc', 'vitest']) expect(output).toContain(`${name} ran`);
    expect(output).not.toContain('Failed:');
    expect(status).toBe(1);
  });

  test('with root but without apt it is the same', () => {
    const { status, output } = runTests(['chromium', 'apt-get']);
    expect(output).toContain('Missing on this machine:\n  chromium: needed for');
    expect(status).toBe(1);
  });

  test.skipIf(
    ['chromium', 'redis-server', 'pg_ctlcluster', 'mariadbd'].some((program) => findProgram(program) === null),
  )('with everything there, only the steps decide', () => {
    expect(runTests([])).toMatchObject({ status: 0, output: expect.not.stringContaining('Missing') });
    standIn('tsc', 2);
    const { status, output } = runTests([]);
    expect(output).toContain('Failed: types');
    expect(output.match(/vitest ran/g)).toHaveLength(2);
    expect(status).toBe(1);
  });
});

const everythingIsHere = ['chromium', 'redis-server', 'pg_ctlcluster', 'mariadbd'].every(
  (program) => findProgram(program) !== null,
);

describe.skipIf(!everythingIsHere)('what npm test says of tests that fail', () => {
  const nothing = { passed: 0, skipped: [], failed: [], unhandled: [] };
  const failure = (name: string) => ({ file: 'a.test.ts', name, message: 'Error: expected 1' });

  test('a file with a failed test is run again alone; what passes then is named, and is no failure', () => {
    vitestStandIn(
      { status: 1, results: { ...nothing, passed: 7, failed: [failure('once'), failure('twice')] } },
      { status: 0, results: { ...nothing, passed: 9 } },
      { status: 0, results: { ...nothing, passed: 2 } },
    );
    const { status, output } = run();
    expect(output).toMatch(/vitest ran: .*--no-file-parallelism a\.test\.ts\n/);
    expect(output).toContain('Failed at first, passed when run again alone');
    expect(output).toContain('  a.test.ts once\n    Error: expected 1');
    expect(output).toContain('11 passed, 0 failed, 0 skipped');
    expect(status).toBe(0);
  });

  test('what fails again has failed, and is the last that is said', () => {
    vitestStandIn(
      { status: 1, results: { ...nothing, passed: 7, failed: [failure('once'), failure('twice')] } },
      { status: 1, results: { ...nothing, passed: 8, failed: [failure('twice')] } },
      { status: 0, results: { ...nothing, passed: 2 } },
    );
    const { status, output } = run();
    expect(output).toMatch(
      /Failed: unit tests\n {2}a\.test\.ts twice\n {4}Error: expected 1\n\n10 passed, 1 failed, 0 skipped\n$/,
    );
    expect(status).toBe(1);
  });

  test('an error that no test caught, and failures in many files, are not tried again', () => {
    const many = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ file: `${name}.test.ts`, name, message: 'Error' }));
    vitestStandIn(
      { status: 1, results: { ...nothing, failed: [failure('one')], unhandled: ['Error: nobody waited'] } },
      { status: 1, results: { ...nothing, failed: many } },
    );
    const { status, output } = run();
    expect(output.match(/vitest ran/g)).toHaveLength(2);
    expect(output).toContain('Failed: unit tests, whole-system tests');
    expect(output).toContain('Error: nobody waited');
    expect(output).toContain('0 passed, 7 failed, 0 skipped');
    expect(status).toBe(1);
  });

  test('a run that left no results is a failure', () => {
    standIn('vitest', 1);
    const { status, output } = run();
    expect(output).toContain('Failed: unit tests, whole-system tests');
    expect(status).toBe(1);
  });

  test('of a suite that is skipped as a whole the first tests are named', () => {
    const skipped = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ suite: 'beside a peer', name }));
    vitestStandIn({ status: 0, results: { ...nothing, skipped } }, { status: 0, results: nothing });
    expect(run().output).toContain(
      'Skipped here:\n  beside a peer > a\n  beside a peer > b\n  beside a peer > c\n  … and 2 more of beside a peer\n',
    );
  });

  function run() {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'tooling', 'test.mjs')], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { status, output: stdout + stderr };
  }
});

test('the results say what passed, was skipped, failed and why, and which files could not be read', () => {
  const tests = join(folder, 'tests');
  mkdirSync(tests);
  writeFileSync(
    join(tests, 'some.test.mjs'),
    `test('passes', () => {});
describe('a suite', () => {
  test('fails', () => expect(1).toBe(2));
  test.skip('is left out', () => {});
});
`,
  );
  writeFileSync(join(tests, 'broken.test.mjs'), "throw new Error('cannot be collected');\n");
  const results = join(folder, 'results.json');
  const { status } = spawnSync(
    process.execPath,
    [
      fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url)),
      ...['run', '--root', tests, '--globals', `--reporter=${join(folder, 'tooling', 'test-results.mjs')}`],
    ],
    { cwd: tests, env: { ...process.env, SIGNALBOX_TEST_RESULTS: results }, encoding: 'utf8', timeout: 100_000 },
  );
  expect(status).toBe(1);
  expect(JSON.parse(readFileSync(results, 'utf8'))).toEqual({
    passed: 1,
    skipped: [{ suite: 'a suite', name: 'is left out' }],
    failed: expect.arrayContaining([
      { file: 'some.test.mjs', name: 'a suite > fails', message: expect.stringContaining('expected 1 to be 2') },
      { file: 'broken.test.mjs', name: '(the file itself)', message: expect.stringContaining('cannot be collected') },
    ]),
    unhandled: [],
  });
});

test.skipIf(!mayHide)('hiding a program hides it from this command only', () => {
  const command = withoutPrograms(['git'], ['sh', '-c', 'git --version || echo "no git"']);
  const [program = '', ...args] = command ?? [];
  expect(execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })).toBe('no git\n');
  expect(findProgram('git')).not.toBeNull();
});
