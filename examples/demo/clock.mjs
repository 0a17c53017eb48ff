import { setTimeout as sleep } from 'node:timers/promises';

const timeoutMs = 15_000;

/** Acts every `seconds` seconds, give or take a third; for the first time after `first`. */
export async function clock(signal, seconds, act, first = seconds) {
  for (let wait = first; !signal.aborted; wait = seconds) {
    await pause(wait * 1000 * (0.67 + Math.random() * 0.67), signal);
    if (!signal.aborted) await act();
  }
}

/** One request, read to its end; its JSON when `asJson`. A failure is part of the show: null. */
export async function request(url, signal, options = {}, asJson = false) {
  try {
    const response = await fetch(url, {
      ...options,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (asJson) return await response.json();
    await response.arrayBuffer();
    return response;
  } catch {
    return null;
  }
}

export async function pause(ms, signal) {
  await sleep(ms, undefined, { signal }).catch(() => {});
}

export function pick(items) {
  return items[Math.floor(Math.random() * items.length)];
}

export function whole(low, high) {
  return low + Math.floor(Math.random() * (high - low + 1));
}
