import { Worker } from 'node:worker_threads';

const maxWorkers = 8;
const task = new URL('./task.js', import.meta.url);

/** Starts tasks in threads of their own; how they start and end is seen without a line here. */
export class Supervisor {
  readonly #running = new Set<Worker>();

  /** Resolves with the exit code of the task. */
  async run(input: { readonly fails: boolean }): Promise<number> {
    if (this.#running.size >= maxWorkers) throw new Error(`${maxWorkers} workers run already`);
    const worker = new Worker(task, { workerData: input });
    this.#running.add(worker);
    worker.on('error', () => {});
    const code = await new Promise<number>((resolve) => worker.once('exit', resolve));
    this.#running.delete(worker);
    return code;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running].map((worker) => worker.terminate()));
  }
}
