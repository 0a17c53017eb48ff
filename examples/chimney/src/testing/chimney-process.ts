import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const startTimeoutMs = 20_000;

/** One line that chimney wrote. */
export interface LogLine {
  [field: string]: unknown;
}

/** The built chimney as a process of its own. Its environment is only what the test gives it: nothing leaks in from outside. */
export class ChimneyProcess {
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];
  /** Everything it printed, errors included. */
  output = '';
  url = '';
  #rest = '';

  private constructor(environment: Record<string, string>) {
    if (!existsSync(program)) throw new Error('chimney is not built: npx tsc -b examples/chimney');
    this.child = spawn(process.execPath, [program], {
      env: { PATH: process.env.PATH ?? '', CHIMNEY_PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stderr?.on('data', (chunk) => {
      this.output += String(chunk);
    });
    this.child.stdout?.on('data', (chunk) => this.#read(String(chunk)));
  }

  static async start(environment: Record<string, string>): Promise<ChimneyProcess> {
    const chimney = new ChimneyProcess(environment);
    const deadline = Date.now() + startTimeoutMs;
    while (chimney.url === '') {
      const ended = chimney.child.exitCode !== null || chimney.child.signalCode !== null;
      if (ended || Date.now() > deadline) {
        chimney.child.kill('SIGKILL');
        throw new Error(`chimney did not start:\n${chimney.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return chimney;
  }

  /** Sends a signal and resolves with how the process ended and how many ms that took. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<{ code: number | null; ms: number }> {
    const started = performance.now();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const closed = once(this.child, 'close');
      this.child.kill(signal);
      await closed;
    }
    return { code: this.child.exitCode, ms: performance.now() - started };
  }

  #read(text: string): void {
    this.output += text;
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const parsed = JSON.parse(line) as LogLine;
      this.lines.push(parsed);
      if (parsed.msg === 'chimney listens') this.url = String(parsed.url);
    }
  }
}
