import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Of OpenSearch's client, by the name that they are installed under, which the long tier does. */
export const openSearchVersions = [
  { version: 3, installed: 'opensearch-3', asked: '3.6.0' },
  { version: 2, installed: 'opensearch-2', asked: '2.13.0' },
  // The first that is taken.
  { version: 2, installed: 'opensearch-2.0', asked: '2.0.0' },
] as const;

/** Clients in a folder of their own: they are no packages of the workspace's. */
export interface InstalledClients {
  /** What an application takes for the client. @param installed of `openSearchVersions` */
  packagesOf(installed: string): Readonly<Record<string, string>>;
  remove(): void;
}

/** Installs clients, each with what it needs inside its own folder. */
export async function installOpenSearchClients(
  versions: readonly (typeof openSearchVersions)[number][] = openSearchVersions,
): Promise<InstalledClients> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-opensearch-clients-'));
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const options = ['--install-strategy=nested', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  const packages = versions.map((each) => `${each.installed}@npm:@opensearch-project/opensearch@${each.asked}`);
  await promisify(execFile)('npm', ['install', ...options, ...packages], { cwd: folder, timeout: 240_000 });
  return {
    packagesOf: (installed) => ({ '@opensearch-project/opensearch': join(folder, 'node_modules', installed) }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
