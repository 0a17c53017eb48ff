import { errorMonitor } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import workerThreads, { type Worker, type WorkerOptions } from 'node:worker_threads';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { Failure } from '../surfaces/operation.ts';
import { environmentOf } from './environment-carrier.ts';
import type { RunningWorker, WorkerRecorder } from './worker-recorder.ts';

type WorkerConstructor = typeof Worker;
type WorkerArguments = [file: string | URL, options?: WorkerOptions];

/**
 * Node publishes a `Worker` only when its thread runs, too late to give it anything, so the constructor is replaced, for
 * `require` and `import` alike.
 */
export function observeWorkerThreads({ protect }: InstrumentationContext, recorder: WorkerRecorder): () => void {
  const original = workerThreads.Worker;
  const watchSafely = protect(watch, () => {});
  const optionsFor = protect(
    (worker: RunningWorker, options: WorkerOptions | undefined) => withTrace(worker, options),
    (_, options) => options,
  );
  const observed: WorkerConstructor = new Proxy(original, {
    construct(target, [file, options]: WorkerArguments, newTarget: WorkerConstructor) {
      const running = recorder.start({ type: 'thread', file: options?.eval === true ? '[eval]' : fileName(file) });
      if (running === undefined) return Reflect.construct(target, [file, options], newTarget);
      try {
        const worker: Worker = Reflect.construct(target, [file, optionsFor(running, options)], newTarget);
        watchSafely(worker, running, options?.eval !== true && isEndedByTerminate(file));
        return worker;
      } catch (error) {
        running.started({});
        running.terminated({ failure: { error } });
        throw error;
      }
    },
  });
  replaceWorker(observed);
  return () => {
    if (workerThreads.Worker === observed) replaceWorker(original);
  };
}

function replaceWorker(replacement: WorkerConstructor): void {
  Reflect.set(workerThreads, 'Worker', replacement);
  syncBuiltinESMExports();
}

/** A thread that shares this one's environment cannot be given one of its own. */
function withTrace(worker: RunningWorker, options: WorkerOptions | undefined): WorkerOptions | undefined {
  const env: unknown = options?.env ?? process.env;
  if (typeof env !== 'object' || env === null) return options;
  return { ...options, env: { ...env, ...environmentOf(worker.context) } as NodeJS.Dict<string> };
}

/** Threads that their library ends with `terminate()` when they have said that they are done: Temporal's. Others may be cut off by it. */
const ENDED_BY_TERMINATE = /[\\/]@temporalio[\\/]worker[\\/].*[\\/]workflow-worker-thread(?:\.js)?$/;

function isEndedByTerminate(file: string | URL): boolean {
  return ENDED_BY_TERMINATE.test(String(file));
}

function watch(worker: Worker, running: RunningWorker, isEnded: boolean): void {
  running.started({ 'thread.id': worker.threadId });
  let thrown: Failure | undefined;
  let isOrderly = false;
  worker.on(errorMonitor, (error: unknown) => {
    thrown = { error };
  });
  worker.once('exit', (code) => running.terminated({ code, isOrderly, ...(thrown && { failure: thrown }) }));
  if (!isEnded) return;
  const { terminate } = worker;
  worker.terminate = () => {
    isOrderly = true;
    return terminate.call(worker);
  };
}

function fileName(file: string | URL): string {
  const text = String(file);
  return text.startsWith('data:') ? '[eval]' : basename(text);
}
