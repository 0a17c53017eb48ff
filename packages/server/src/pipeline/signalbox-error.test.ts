import { describe, expect, it } from 'vitest';
import { ERROR_CODES, SignalboxError, toSignalboxError } from './signalbox-error.ts';

describe('SignalboxError', () => {
  it('takes statuses and retryability from its code', () => {
    const error = new SignalboxError('resource_exhausted', 'busy', { retryAfterMs: 1000 });
    expect(error).toMatchObject({ grpcStatus: 8, httpStatus: 429, retryable: true, retryAfterMs: 1000 });
    expect(new SignalboxError('too_large', 'big')).toMatchObject({ grpcStatus: 8, httpStatus: 413, retryable: false });
  });

  it('lets an error differ from its code in retryability', () => {
    expect(new SignalboxError('internal', 'x', { retryable: true }).retryable).toBe(true);
    expect(new SignalboxError('unavailable', 'x', { retryable: false }).retryable).toBe(false);
  });

  it('answers retryable codes with statuses an OTLP client retries, and others with statuses it does not', () => {
    // OTLP specification: retry on 429, 502, 503, 504. `cancelled` has no reader left.
    for (const [code, row] of Object.entries(ERROR_CODES)) {
      if (code !== 'cancelled') {
        expect([code, [429, 502, 503, 504].includes(row.httpStatus)]).toEqual([code, row.retryable]);
      }
    }
  });

  it('keeps what an unexpected error says out of the message', () => {
    const cause = new TypeError('password is hunter2');
    const error = toSignalboxError(cause);
    expect(error).toMatchObject({ code: 'internal', message: 'Internal error', cause });
    expect(toSignalboxError(error)).toBe(error);
    expect(toSignalboxError(new DOMException('gone', 'AbortError')).code).toBe('cancelled');
  });
});
