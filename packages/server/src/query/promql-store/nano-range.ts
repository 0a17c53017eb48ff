import type { TimeRange } from '../time-range.ts';

/**
 * Milliseconds as nanoseconds within what the store can hold: "no beginning" and "no end" lie beyond. A range that ends before
 * 1970 stays one that holds nothing.
 */
export function nanoRange(fromMs: number, toMs: number): TimeRange {
  return { from: nanos(fromMs), to: nanos(toMs) };
}

function nanos(milliseconds: number): bigint {
  return BigInt(Math.min(Math.max(Math.floor(milliseconds), -1), latestMs)) * 1_000_000n;
}

const latestMs = Date.UTC(2262, 0, 1);
