import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';

/** A Prometheus 3 beside us, which takes the same OTLP. */
export class Prometheus {
  readonly #folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-prometheus-'));
  #child: ChildProcess | undefined;
  base = '';

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('Prometheus does not run');
    return pid;
  }

  /** @param program the path of a Prometheus 3 */
  async start(program: string): Promise<this> {
    const port = await freePort();
    this.base = `http://127.0.0.1:${port}`;
    writeFileSync(join(this.#folder, 'prometheus.yml'), 'global: {}\n');
    const options = [
      `--config.file=${join(this.#folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(this.#folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-otlp-receiver',
    ];
    this.#child = spawn(program, options, { stdio: 'ignore' });
    for (let attempt = 0; attempt < 300; attempt++) {
      const answer = await fetch(`${this.base}/-/ready`).catch(() => undefined);
      await answer?.text();
      if (answer?.ok) return this;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('Prometheus did not become ready');
  }

  async dispose(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
