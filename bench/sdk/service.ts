import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NodeProgram } from './peers.ts';
import type { Variant } from './variants.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/**
 * A folder of its own for an application, with the packages it uses and no others: which are installed decides about hooks
 * for ES modules.
 */
export class AppFolder {
  readonly path: string;

  constructor(packages: readonly string[] = []) {
    this.path = mkdtempSync(join(tmpdir(), 'signalbox-bench-app-'));
    cpSync(path('apps'), this.path, { recursive: true });
    mkdirSync(join(this.path, 'node_modules'));
    for (const name of packages)
      symlinkSync(path(`../../node_modules/${name}`), join(this.path, 'node_modules', name), 'dir');
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

const children = new Set<ChildProcess>();
// Nothing is left running by a benchmark that is interrupted or fails.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

function spawnPinned(
  core: 0 | 1,
  command: readonly string[],
  options: { cwd?: string; env: NodeJS.ProcessEnv },
): ChildProcess {
  const child = spawn('taskset', ['-c', String(core), ...command], {
    ...options,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** A service under test, alone on core 0; this process and the receiver keep to core 1. */
export class Service {
  readonly port: number;
  /** From the start of the process until it listens. */
  readonly readyMillis: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number, readyMillis: number) {
    this.#child = child;
    this.port = port;
    this.readyMillis = readyMillis;
  }

  /** `app` is a file of `bench/sdk/apps` and its arguments. */
  static async start(
    { nodeArguments, env }: Variant,
    app: readonly string[],
    { node, folder, collector }: { readonly node: NodeProgram; readonly folder: AppFolder; readonly collector: string },
  ): Promise<Service> {
    const child = spawnPinned(0, [node.path, ...nodeArguments, ...app], {
      cwd: folder.path,
      env: { PATH: process.env.PATH, ...exporterEnvironment(collector), ...env },
    });
    const [, port, ready] = await printed(child, /port=(\d+) ready=([\d.]+)/);
    return new Service(child, Number(port), Number(ready));
  }

  /** User and system time of all threads so far. */
  async cpuMicros(): Promise<number> {
    const answer = printed(this.#child, /usage=(\d+)/);
    this.#child.kill('SIGUSR2');
    return Number((await answer)[1]);
  }

  /** What is in use after a garbage collection; of a Node with `--expose-gc`. */
  async heapMegabytes(): Promise<number> {
    const answer = printed(this.#child, /heap=(\d+)/);
    this.#child.kill('SIGUSR2');
    return Number((await answer)[1]) / 1024 / 1024;
  }

  residentMegabytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

/** Everything on, to `collector`. */
export function exporterEnvironment(collector: string): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector,
    OTEL_SERVICE_NAME: 'bench',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_LOGS_EXPORTER: 'otlp',
  };
}

/** A receiver that only swallows. */
export async function startCollector(): Promise<{ readonly url: string } & Disposable> {
  const child = spawnPinned(1, [process.execPath, '--import', 'tsx', path('sink.ts')], { env: process.env });
  const [, port] = await printed(child, /port=(\d+)/);
  return { url: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void child.kill() };
}

function printed(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let output = '';
    const settle = (settled: () => void): void => {
      child.stdout?.off('data', onData);
      child.off('exit', onExit);
      settled();
    };
    const onData = (chunk: Buffer): void => {
      output += chunk;
      const match = pattern.exec(output);
      if (match !== null) settle(() => resolve(match));
    };
    const onExit = (): void => settle(() => reject(new Error(`it ended before it printed ${pattern}: ${output}`)));
    child.stdout?.on('data', onData);
    child.once('exit', onExit);
  });
}
