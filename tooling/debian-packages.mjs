// What the tests and the demo need from outside npm: found, or installed with apt where that is allowed.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Absolute path of a program on the PATH, or null. */
export function findProgram(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter).concat('/usr/bin', '/usr/sbin')) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // not in this folder
    }
  }
  return null;
}

/**
 * Makes sure that each of `packages` (`{ program, debianPackage, neededFor }`) is there. Installs what is missing when this process may:
 * root on a system with apt-get. Returns those that are still missing.
 */
export function ensurePrograms(packages, log = console.log) {
  const missing = packages.filter(({ program }) => !findProgram(program));
  if (missing.length === 0) return [];
  const names = missing.map(({ debianPackage }) => debianPackage);
  if (process.getuid?.() === 0 && findProgram('apt-get')) {
    log(`Installing Debian packages: ${names.join(', ')}`);
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const apt = (...args) =>
      spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env: environment, timeout: 600_000 });
    apt('update', '-qq');
    apt('install', '-y', '-qq', '--no-install-recommends', ...names);
  }
  return missing.filter(({ program }) => !findProgram(program));
}

/** One line a missing program, with the command that installs it. */
export function describeMissing(missing) {
  return missing
    .map(
      ({ program, debianPackage, neededFor }) =>
        `  ${program}: needed for ${neededFor}; install it with: sudo apt-get install ${debianPackage}`,
    )
    .join('\n');
}
