import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryInstall {
  /** Undefined where npm could not install them. */
  readonly nodeModules: string | undefined;
  /** npm's own words, if it could not. */
  readonly reason: string;
  remove(): void;
}

/**
 * Installs packages (name and version) into a temporary folder: for the long tier, which needs versions of libraries that
 * are too many to be the repository's own. It asks the registry that npm is set up with; without one there is a reason.
 */
export async function installPackages(wanted: Readonly<Record<string, string>>): Promise<TemporaryInstall> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-packages-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // So that npm takes this folder, and none above it, for the project.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  mkdirSync(join(folder, 'node_modules'));
  const names = Object.entries(wanted).map(([name, version]) => `${name}@${version}`);
  const reason = await new Promise<string | undefined>((resolve) => {
    execFile(
      'npm',
      ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error', ...names],
      { cwd: folder, timeout: 120_000 },
      (error, _stdout, stderr) => resolve(error === null ? undefined : stderr.trim() || error.message),
    );
  });
  if (reason === undefined) return { nodeModules: join(folder, 'node_modules'), reason: '', remove };
  remove();
  return { nodeModules: undefined, reason: reason.split('\n', 1)[0] ?? '', remove };
}
