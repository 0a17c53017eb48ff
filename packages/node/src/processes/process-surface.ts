import { defineSurface } from '../surfaces/surface.ts';
import { observeChildProcesses } from './child-processes.ts';
import { WorkerRecorder } from './worker-recorder.ts';
import { observeWorkerThreads } from './worker-threads.ts';

/**
 * Processes and threads that this one starts: `child_process` (its synchronous functions excepted), `worker_threads`, and the
 * workers of `cluster`.
 */
export const processSurface = defineSurface(
  'processes',
  (instrumentation) => new WorkerRecorder(instrumentation),
  (instrumentation, recorder) => {
    const undo = [observeChildProcesses(instrumentation, recorder), observeWorkerThreads(instrumentation, recorder)];
    return () => {
      for (const step of undo) step();
    };
  },
);
