import { SignalboxError } from '../signalbox-error.ts';

/** How long a sender waits before it asks a full queue again. */
const RETRY_AFTER_MS = 5_000;

export function queueFull(maxBytes: number): SignalboxError {
  return new SignalboxError('resource_exhausted', `the queue is full (${maxBytes} bytes)`, {
    retryAfterMs: RETRY_AFTER_MS,
  });
}
