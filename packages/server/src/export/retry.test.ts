import { expect, test } from 'vitest';
import { SignalboxError } from '../pipeline/signalbox-error.ts';
import { retry } from './retry.ts';

const SETTINGS = { initialMs: 1, maxMs: 4, multiplier: 2, randomization: 0, maxElapsedMs: 0 };
const never = new AbortController().signal;
const down = new SignalboxError('unavailable', 'down');

test('pauses grow up to the longest', async () => {
  const pauses: number[] = [];
  let attempts = 0;
  const result = await retry(
    async () => {
      if (++attempts < 6) throw down;
      return 'sent';
    },
    { retry: SETTINGS, timeoutMs: 0, abort: never, onRetry: (_, pauseMs) => pauses.push(pauseMs) },
  );
  expect([result, pauses]).toEqual(['sent', [1, 2, 4, 4, 4]]);
});

test('an attempt that takes too long is a failure that may pass', async () => {
  let attempts = 0;
  const hanging = (abort: AbortSignal) =>
    ++attempts === 2
      ? Promise.resolve('sent')
      : new Promise<string>((_, reject) => abort.addEventListener('abort', () => reject(abort.reason)));
  const errors: string[] = [];
  const options = {
    retry: SETTINGS,
    timeoutMs: 10,
    abort: never,
    onRetry: (error: Error) => errors.push(error.message),
  };
  expect(await retry(hanging, options)).toBe('sent');
  expect(errors).toEqual(['No answer within 10 ms']);
});

test('what fails for good, or when nobody wants retries, is thrown at once', async () => {
  const fatal = new SignalboxError('invalid_argument', 'no');
  await expect(retry(() => Promise.reject(fatal), { retry: SETTINGS, timeoutMs: 0, abort: never })).rejects.toBe(fatal);
  await expect(retry(() => Promise.reject(down), { retry: null, timeoutMs: 0, abort: never })).rejects.toBe(down);
});

test('gives up when time is up, and says so', async () => {
  const limited = { ...SETTINGS, initialMs: 5, maxElapsedMs: 1 };
  await expect(retry(() => Promise.reject(down), { retry: limited, timeoutMs: 0, abort: never })).rejects.toMatchObject(
    { message: 'down (given up after 0 s)', retryable: false },
  );
});

test('ends in the middle of a pause when the program stops', async () => {
  const stop = new AbortController();
  const slow = { ...SETTINGS, initialMs: 60_000, maxMs: 60_000 };
  const running = retry(() => Promise.reject(down), {
    retry: slow,
    timeoutMs: 0,
    abort: stop.signal,
    onRetry: () => setImmediate(() => stop.abort()),
  });
  await expect(running).rejects.toMatchObject({ name: 'AbortError' });
});
