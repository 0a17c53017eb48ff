import type { ChildProcess } from 'node:child_process';
import { type EventEmitter, errorMonitor } from 'node:events';
import type { Ending } from './ending.ts';

/** Tells once how a child ended, or that it could not be started. */
export function watchChild(child: ChildProcess, onEnd: (ending: Ending) => void): void {
  child.once('exit', (code, signal) => onEnd({ code, signal }));
  // A listener for 'error' itself would keep an error that nobody handles from being one.
  (child as EventEmitter).on(errorMonitor, (error: unknown) => {
    // Other errors are of signals and messages that could not be sent; Node tells the exit after them.
    if (child.pid === undefined) onEnd({ failure: { error } });
  });
}
