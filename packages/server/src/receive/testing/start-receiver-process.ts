import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ReceiverProcessOptions, ReceiverProcessReady } from './receiver-process.ts';

export interface ReceiverProcess extends ReceiverProcessReady {
  /** What it has printed to standard error so far. */
  errors(): string;
  /** Null while it runs. */
  exitCode(): number | null;
  stop(): Promise<void>;
  /** Its resident memory now and at its highest, in bytes. Linux only. */
  memory(): { now: number; highest: number };
}

export async function startReceiverProcess(options: ReceiverProcessOptions): Promise<ReceiverProcess> {
  const program = fileURLToPath(new URL('./receiver-process.ts', import.meta.url));
  const args = ['--conditions=@signalbox/source', '--import', 'tsx', program, JSON.stringify(options)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ready = await firstLine(child).catch((error: Error) => {
    throw new Error(`${error.message}: ${errors}`);
  });
  return {
    ...(JSON.parse(ready) as ReceiverProcessReady),
    errors: () => errors,
    exitCode: () => child.exitCode,
    memory: () => memoryOf(child),
    stop: async () => {
      if (child.exitCode === null) {
        child.stdin.end();
        await once(child, 'exit');
      }
    },
  };
}

function firstLine(child: ChildProcess & { stdout: NodeJS.ReadableStream }): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve);
    child.once('exit', () => reject(new Error('the process ended before it listened')));
  });
}

function memoryOf(child: ChildProcess): { now: number; highest: number } {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const kibibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  return { now: kibibytes('VmRSS'), highest: kibibytes('VmHWM') };
}
