import type { ChildProcess } from 'node:child_process';
import { basename } from 'node:path';
import type { InstrumentationContext } from '../instrumentation.ts';
import { environmentOf } from './environment-carrier.ts';
import { watchChild } from './watch-child.ts';
import type { RunningWorker, WorkerRecorder } from './worker-recorder.ts';

/** What Node hands to the method that starts the process, the last before the system is asked. */
interface SpawnOptions {
  readonly file?: string;
  /** `NAME=value`. */
  readonly envPairs?: string[];
}

/**
 * Node publishes every `ChildProcess` when it is made, before it is started, whichever function of `child_process` made it.
 * `spawn` is replaced on that object alone; nothing global is patched.
 */
export function observeChildProcesses(
  { subscribe, protect }: InstrumentationContext,
  recorder: WorkerRecorder,
): () => void {
  const begin = protect(
    (options: SpawnOptions) => beforeSpawn(options, recorder),
    () => undefined,
  );
  const replaceSpawn = (child: ChildProcess): void => {
    const spawn: unknown = Reflect.get(child, 'spawn');
    if (typeof spawn !== 'function') return;
    Reflect.set(child, 'spawn', (options: SpawnOptions): unknown => {
      Reflect.deleteProperty(child, 'spawn');
      const worker = begin(options);
      const identify = (): void => worker?.started(child.pid === undefined ? {} : { 'process.pid': child.pid });
      if (worker !== undefined) watchChild(child, (ending) => worker.terminated(ending));
      try {
        const result: unknown = Reflect.apply(spawn, child, [options]);
        identify();
        return result;
      } catch (error) {
        identify();
        worker?.terminated({ failure: { error } });
        throw error;
      }
    });
  };
  return subscribe('child_process', (message) => replaceSpawn((message as { process: ChildProcess }).process));
}

function beforeSpawn({ file = '', envPairs }: SpawnOptions, recorder: WorkerRecorder): RunningWorker | undefined {
  // What `cluster` tells its workers by.
  const isCluster = envPairs?.some((pair) => pair.startsWith('NODE_UNIQUE_ID=')) === true;
  const worker = recorder.start({ type: isCluster ? 'cluster' : 'process', file: basename(file) });
  if (worker === undefined || envPairs === undefined) return worker;
  for (const [name, value] of Object.entries(environmentOf(worker.context))) {
    const index = envPairs.findIndex((pair) => pair.startsWith(`${name}=`));
    envPairs.splice(index < 0 ? envPairs.length : index, 1, `${name}=${value}`);
  }
  return worker;
}
