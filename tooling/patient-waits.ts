import { vi } from 'vitest';

/**
 * Before every test file: `vi.waitFor` and `vi.waitUntil` wait half a minute at least, instead of a second. A wait ends as soon as its
 * condition holds, so patience costs nothing where tests pass, and on a busy machine a second is nothing.
 */
const patienceMs = 30_000;

const { waitFor, waitUntil } = vi;

function patient(options: number | { timeout?: number; interval?: number } = {}) {
  const given = typeof options === 'number' ? { timeout: options } : options;
  return { ...given, timeout: Math.max(given.timeout ?? 0, patienceMs) };
}

vi.waitFor = (callback, options) => waitFor(callback, patient(options));
vi.waitUntil = (callback, options) => waitUntil(callback, patient(options));
