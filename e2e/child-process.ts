import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A real process of ours under test, with everything it printed. */
export class Child {
  readonly process: ChildProcess;
  output = '';
  #waiters = new Set<() => void>();

  constructor(command: string, args: string[], environment: Record<string, string> = {}) {
    this.process = spawn(command, args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        for (const waiter of this.#waiters) waiter();
      });
    }
    this.process.on('close', () => {
      for (const waiter of this.#waiters) waiter();
    });
  }

  get exited(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** Resolves with the match once the output holds it; rejects when the process ends or the time is over. */
  async waitFor(pattern: RegExp, timeoutMs = 60_000): Promise<RegExpExecArray> {
    return await new Promise((resolve, reject) => {
      const check = () => {
        const match = pattern.exec(this.output);
        if (match) finish(() => resolve(match));
        else if (this.exited) finish(() => reject(new Error(`The process ended before ${pattern}:\n${this.output}`)));
      };
      const timer = setTimeout(
        () => finish(() => reject(new Error(`No ${pattern} within ${timeoutMs} ms:\n${this.output}`))),
        timeoutMs,
      );
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.#waiters.delete(check);
        settle();
      };
      this.#waiters.add(check);
      check();
    });
  }

  /** Sends the signal and resolves with how the process ended. */
  async stop(
    signal: NodeJS.Signals = 'SIGTERM',
  ): Promise<{ code: number | null; signal: NodeJS.Signals | null; elapsedMs: number }> {
    const started = performance.now();
    if (!this.exited) {
      this.process.kill(signal);
      await once(this.process, 'exit');
    }
    return { code: this.process.exitCode, signal: this.process.signalCode, elapsedMs: performance.now() - started };
  }
}
