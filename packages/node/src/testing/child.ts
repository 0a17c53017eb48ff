import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const packageFolder = fileURLToPath(new URL('../../', import.meta.url));
const workspaceModules = fileURLToPath(new URL('../../../../node_modules/', import.meta.url));
export const registerUrl = new URL('../../dist/register.js', import.meta.url).href;

/** Real processes run what is published, so it must be there and be of today. */
export function buildPackage(): void {
  execFileSync(process.execPath, [join(packageFolder, 'build', 'bundle.mjs')], { stdio: 'inherit' });
}

export interface AppOptions {
  /** File name, whose ending chooses the module system. */
  readonly file: `app.${'mjs' | 'cjs' | 'ts' | 'mts'}`;
  readonly source: string;
  /** Further files beside it, by relative path; it then runs in its own folder, as `--import ./setup.mjs` wants. */
  readonly files?: Readonly<Record<string, string>>;
  /** Packages it has of its own, by name: where they come from among the workspace's (`express` from `express-4`), or on disk. */
  readonly packages?: Readonly<Record<string, string>>;
  /** Or else the `node_modules` folder with these, as `installPackages` makes one. */
  readonly nodeModules?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Defaults to `--import <register>`. */
  readonly nodeArguments?: readonly string[];
  /** Node to run it with; SIGNALBOX_TEST_NODE, else the one that runs the tests. */
  readonly execPath?: string;
}

/** A small application in a process of its own, with what it printed. */
export class App {
  readonly process: ChildProcess;
  readonly #folder: string;
  stdout = '';
  stderr = '';
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor({
    file,
    source,
    files,
    packages = {},
    nodeModules,
    env = {},
    nodeArguments = ['--import', registerUrl],
    execPath = process.env.SIGNALBOX_TEST_NODE ?? process.execPath,
  }: AppOptions) {
    // Inside the package, so that bare imports resolve as they do for an installed application.
    this.#folder = mkdtempSync(join(packageFolder, 'dist', '.app-'));
    writeFileSync(join(this.#folder, file), source);
    for (const [path, text] of Object.entries(files ?? {})) {
      mkdirSync(dirname(join(this.#folder, path)), { recursive: true });
      writeFileSync(join(this.#folder, path), text);
    }
    for (const [name, from] of Object.entries(packages))
      cpSync(resolve(workspaceModules, from), join(this.#folder, 'node_modules', name), { recursive: true });
    if (nodeModules !== undefined) symlinkSync(nodeModules, join(this.#folder, 'node_modules'), 'dir');
    this.process = spawn(execPath, [...nodeArguments, join(this.#folder, file)], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(files !== undefined && { cwd: this.#folder }),
    });
    this.process.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
    });
    this.process.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
    this.exited = once(this.process, 'close').then(([code, signal]) => {
      rmSync(this.#folder, { recursive: true, force: true });
      return { code, signal };
    });
  }

  /** Waits for a line `port=1234` and returns the number. */
  async port(): Promise<number> {
    const match = await this.printed(/port=(\d+)/);
    return Number(match[1]);
  }

  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (match !== null) return match;
      if (Date.now() > deadline || this.process.exitCode !== null)
        throw new Error(`never printed ${pattern}: ${this.stdout}${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Sends `signal` and resolves with how the process ended and after how many milliseconds. */
  async stop(
    signal: NodeJS.Signals = 'SIGTERM',
  ): Promise<{ code: number | null; signal: NodeJS.Signals | null; millis: number }> {
    const begun = performance.now();
    this.process.kill(signal);
    return { ...(await this.exited), millis: performance.now() - begun };
  }
}
