import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Path of a Prometheus 3.x program; undefined: there is none to compare with. */
export const prometheusProgram = process.env.SIGNALBOX_PROMETHEUS;

/** A Prometheus with a store of its own. */
export class PeerPrometheus {
  /** Where it listens: `http://127.0.0.1:…`. */
  readonly base: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  /** Resolves when it answers. @param configuration YAML */
  static async start(
    program: string,
    configuration = 'global: {}\n',
    options: readonly string[] = [],
  ): Promise<PeerPrometheus> {
    const folder = await mkdtemp(join(tmpdir(), 'signalbox-prometheus-'));
    await writeFile(join(folder, 'prometheus.yml'), configuration);
    const port = await freePort();
    const all = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      ...options,
    ];
    const peer = new PeerPrometheus(`http://127.0.0.1:${port}`, folder, spawn(program, all, { stdio: 'ignore' }));
    while (!(await isReady(peer.base))) {
      if (peer.#process.exitCode !== null) throw new Error(`Prometheus ended with status ${peer.#process.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return peer;
  }

  private constructor(base: string, folder: string, process: ChildProcess) {
    this.base = base;
    this.#folder = folder;
    this.#process = process;
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function isReady(base: string): Promise<boolean> {
  try {
    return (await fetch(`${base}/-/ready`)).ok;
  } catch {
    // It does not listen yet; the time of whoever starts it ends the waiting.
    return false;
  }
}

async function freePort(): Promise<number> {
  const socket = createServer();
  await new Promise<void>((resolve) => socket.listen(0, '127.0.0.1', resolve));
  const { port } = socket.address() as AddressInfo;
  await new Promise((resolve) => socket.close(resolve));
  return port;
}
