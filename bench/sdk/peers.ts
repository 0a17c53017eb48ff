import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What is compared with, and the Node that figures are quoted for. Not dependencies of this repository: 250 packages, 118 MB. */
const pinned = {
  '@opentelemetry/api': '1.10.0',
  '@opentelemetry/auto-instrumentations-node': '0.82.0',
  '@opentelemetry/sdk-node': '0.300.0',
  '@opentelemetry/instrumentation-http': '0.300.0',
  '@opentelemetry/instrumentation-undici': '0.34.0',
};
const pinnedNode = { [`node-linux-${process.arch}`]: '24.21.0' };

export interface NodeProgram {
  readonly name: string;
  readonly path: string;
}

/** The stock packages and a pinned Node, in a folder outside of the repository. */
export interface Peers {
  /** Undefined where they could not be installed: there is nothing to compare with then. */
  readonly stock: NodeJS.Require | undefined;
  /** The pinned one, if it could be had, and the one that runs this. */
  readonly nodes: readonly NodeProgram[];
}

/**
 * Installs what is not there yet. `SIGNALBOX_BENCH_PEERS` names a folder to keep it in; otherwise it is one for temporary
 * files. What the registry does not give is said, and left out.
 */
export function installPeers(): Peers {
  const folder = process.env.SIGNALBOX_BENCH_PEERS ?? join(tmpdir(), 'signalbox-bench-peers');
  const stock = install(join(folder, 'stock'), pinned);
  const node = install(join(folder, 'node'), pinnedNode);
  const own = { name: `Node ${process.versions.node}`, path: process.execPath };
  const [name, version] = Object.entries(pinnedNode)[0] ?? [];
  return {
    stock: stock ? createRequire(join(folder, 'stock', 'package.json')) : undefined,
    nodes: node
      ? [{ name: `Node ${version}`, path: join(folder, 'node', 'node_modules', String(name), 'bin', 'node') }, own]
      : [own],
  };
}

function install(folder: string, dependencies: Readonly<Record<string, string>>): boolean {
  const manifest = JSON.stringify({ private: true, dependencies }, null, 2);
  const installed = join(folder, '.installed');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === manifest) return true;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), manifest);
  console.log(`Installing ${Object.keys(dependencies).join(', ')} in ${folder}.`);
  try {
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'];
    // --force: the newest stock packages ask for a newer Node than the oldest that we support, and run on it nevertheless.
    execFileSync('npm', ['install', '--force', ...quiet], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  } catch (error) {
    console.log(`Not compared with ${Object.keys(dependencies).join(', ')}: npm could not install them (${error}).`);
    return false;
  }
  writeFileSync(installed, manifest);
  return true;
}
