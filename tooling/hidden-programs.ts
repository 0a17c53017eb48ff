import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findProgram } from './debian-packages.mjs';

/**
 * A command line that runs `command` as on a machine without `programs`: in a mount namespace of its own, where nothing that
 * can be executed stands in their places. Null where this process may not make one (it takes root).
 */
export function withoutPrograms(programs: readonly string[], command: readonly string[]): string[] | null {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'pipe' });
  } catch {
    return null;
  }
  // A merged /usr shows the same file under two paths; a mount on one is seen by both.
  const paths = programs.map((name) => findProgram(name)).filter((path) => path !== null && existsSync(path));
  const hide = paths.map((path) => `mount --bind /dev/null '${path}' && `).join('');
  return ['unshare', '--mount', 'sh', '-c', `${hide}exec "$@"`, 'sh', ...command];
}
