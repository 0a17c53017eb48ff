import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

test.skipIf(!mayHide)('hiding a program hides it from this command only', () => {
  const command = withoutPrograms(['git'], ['sh', '-c', 'git --version || echo "no git"']);
  const [program = '', ...args] = command ?? [];
  expect(execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })).toBe('no git\n');
  expect(findProgram('git')).not.toBeNull();
});
