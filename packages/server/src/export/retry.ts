import { setTimeout as sleep } from 'node:timers/promises';
import { SignalboxError, toSignalboxError } from '../pipeline/signalbox-error.ts';
import type { RetrySettings } from './send-settings.ts';

export interface RetryOptions {
  /** null: one attempt. */
  readonly retry: RetrySettings | null;
  /** Of one attempt, in milliseconds; 0: none. */
  readonly timeoutMs: number;
  /** Ends attempts and pauses. */
  readonly abort: AbortSignal;
  /** Told of each failure that is followed by a pause. */
  readonly onRetry?: (error: SignalboxError, pauseMs: number) => void;
}

/**
 * Tries until it succeeds, fails for good, or time is up; gives what the attempt gave or throws its last error. Between attempts it
 * waits longer each time, at least as long as the destination asked.
 */
export async function retry<Result>(
  attempt: (abort: AbortSignal) => Promise<Result>,
  { retry: settings, timeoutMs, abort, onRetry }: RetryOptions,
): Promise<Result> {
  const startedAt = performance.now();
  let interval = settings?.initialMs ?? 0;
  for (;;) {
    const timeout = timeoutMs === 0 ? null : AbortSignal.timeout(timeoutMs);
    try {
      return await attempt(timeout === null ? abort : AbortSignal.any([abort, timeout]));
    } catch (thrown) {
      const late = timeout?.aborted === true && !abort.aborted;
      const error = late
        ? new SignalboxError('timeout', `No answer within ${timeoutMs} ms`, { cause: thrown })
        : toSignalboxError(thrown);
      if (!error.retryable || settings === null || abort.aborted) throw error;
      const spread = 1 + settings.randomization * (2 * Math.random() - 1);
      const pauseMs = Math.max(interval * spread, error.retryAfterMs ?? 0);
      const elapsedMs = performance.now() - startedAt;
      if (settings.maxElapsedMs > 0 && elapsedMs + pauseMs > settings.maxElapsedMs) {
        throw new SignalboxError(error.code, `${error.message} (given up after ${Math.round(elapsedMs / 1000)} s)`, {
          cause: error,
          retryable: false,
        });
      }
      onRetry?.(error, pauseMs);
      interval = Math.min(interval * settings.multiplier, settings.maxMs);
      await sleep(pauseMs, undefined, { signal: abort });
    }
  }
}
