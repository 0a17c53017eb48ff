import { SignalboxError } from '../pipeline/signalbox-error.ts';
import type { QueryContext } from './query-context.ts';

/** How long work keeps the event loop for itself. */
const TURN_MS = 10;

/** Lets others have a turn while something long is worked on: `if (turns.isOver) await turns.next();`. */
export class Turns {
  readonly #context: Pick<QueryContext, 'signal' | 'deadlineMs'> | undefined;
  #endMs = performance.now() + TURN_MS;

  /** @param context the request that is worked for; undefined: the work ends by itself only */
  constructor(context?: Pick<QueryContext, 'signal' | 'deadlineMs'>) {
    this.#context = context;
  }

  get isOver(): boolean {
    return performance.now() >= this.#endMs;
  }

  /** Resolves when the event loop has run. Rejects with `cancelled` or `timeout` when nobody waits for the work any more. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.#context?.signal.aborted) throw new SignalboxError('cancelled', 'The query was cancelled');
    if (this.#context !== undefined && Date.now() > this.#context.deadlineMs) {
      throw new SignalboxError('timeout', 'The query took longer than it may');
    }
    this.#endMs = performance.now() + TURN_MS;
  }
}
