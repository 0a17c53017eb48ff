import { spawn } from 'node:child_process';
import { once } from 'node:events';

const keptLines = 10;
const stopTimeoutMs = 8000;

/**
 * The demonstration's child processes. Each leads a process group of its own, so that Ctrl-C in a terminal reaches only the demonstration,
 * which then stops them in the right order: the services first, so that their last telemetry still finds Signalbox.
 */
export class Processes {
  #children = [];
  #stopping = false;
  #onDeath;

  /** `onDeath(message)` is called when a child ends that was not told to. */
  constructor(onDeath) {
    this.#onDeath = onDeath;
  }

  /** Starts a program and resolves with the match once it has printed `ready`. Rejects, with what it printed, when it ends before. */
  async start(name, command, args, { environment = {}, ready, timeoutMs = 60_000 }) {
    if (this.#stopping) throw new Error(`${name} was not started: the demonstration is stopping`);
    const child = spawn(command, args, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const entry = { name, child, lines: [], expected: false };
    this.#children.push(entry);
    return await new Promise((resolve, reject) => {
      let printed = '';
      let isReady = false;
      const timer = setTimeout(() => fail(`${name} was not ready within ${timeoutMs / 1000} s`), timeoutMs);
      const fail = (message) => {
        clearTimeout(timer);
        if (isReady) return;
        entry.expected = true;
        reject(new Error(`${message}\n${indent(entry.lines)}`));
      };
      const read = (chunk) => {
        const text = String(chunk);
        entry.lines.push(...text.split('\n').filter(Boolean));
        entry.lines.splice(0, entry.lines.length - keptLines);
        if (isReady) return;
        printed += text;
        const matches = [ready].flat().map((pattern) => pattern.exec(printed));
        if (matches.some((match) => match === null)) return;
        isReady = true;
        printed = '';
        clearTimeout(timer);
        resolve(matches);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.on('error', (error) => fail(`${name} could not be started: ${error.message}`));
      // `close`, not `exit`: its last words have been read by then.
      child.on('close', (code, signal) => {
        const how = signal ? `was ended by ${signal}` : `ended with status ${code}`;
        fail(`${name} ${how}`);
        this.#children.splice(this.#children.indexOf(entry), 1);
        if (isReady && !entry.expected && !this.#stopping) this.#onDeath(`${name} ${how}\n${indent(entry.lines)}`);
      });
    });
  }

  /** Ends one child: SIGTERM, and SIGKILL when that does not help. */
  async stop(name) {
    const entry = this.#children.find((candidate) => candidate.name === name);
    if (!entry) return;
    entry.expected = true;
    const { child } = entry;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const exited = once(child, 'exit');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    child.kill('SIGTERM');
    await exited;
    clearTimeout(timer);
  }

  /** Ends all, the last started first. */
  async stopAll() {
    this.#stopping = true;
    for (const { name } of [...this.#children].reverse()) await this.stop(name);
  }

  /** The last resort: for `process.on('exit')`, where nothing can be waited for. */
  killAll() {
    for (const { child } of this.#children) child.kill('SIGKILL');
  }
}

function indent(lines) {
  return lines.map((line) => `    ${line.slice(0, 300)}`).join('\n');
}
