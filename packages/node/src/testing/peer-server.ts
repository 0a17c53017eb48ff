import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether a program is installed, so that tests that need it can skip by name where it is not. */
export function hasProgram(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** A port that nothing listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A real server beside the tests, which can go away and come back at the same place. */
export class PeerServer {
  readonly port: number;
  readonly #command: readonly [program: string, ...args: string[]];
  readonly #env: NodeJS.ProcessEnv;
  #process: ChildProcess | undefined;
  #output = '';

  constructor(port: number, command: readonly [program: string, ...args: string[]], env: NodeJS.ProcessEnv = {}) {
    this.port = port;
    this.#command = command;
    this.#env = env;
  }

  /** Resolves when it accepts connections. */
  async start(timeoutMillis = 30_000): Promise<this> {
    const [program, ...args] = this.#command;
    const process_ = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.#env } });
    this.#process = process_;
    for (const stream of [process_.stdout, process_.stderr])
      stream.on('data', (chunk) => {
        this.#output = `${this.#output}${chunk}`.slice(-10_000);
      });
    const deadline = Date.now() + timeoutMillis;
    while (!(await this.#accepts())) {
      if (process_.exitCode !== null || Date.now() > deadline)
        throw new Error(`${program} did not start: ${this.#output}`);
      await sleep(20);
    }
    return this;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const process_ = this.#process;
    if (process_ === undefined || process_.exitCode !== null || process_.signalCode !== null) return;
    process_.kill(signal);
    await once(process_, 'close');
  }

  async #accepts(): Promise<boolean> {
    const socket = connect(this.port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      // Not yet.
      return false;
    } finally {
      socket.destroy();
    }
  }
}

export async function startRedis(): Promise<PeerServer> {
  const port = await freePort();
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  return new PeerServer(port, ['redis-server', ...options]).start();
}
