import { nanosPerMilli, nanosPerSecond, type TimeRange } from '../time-range.ts';
import { reachNanos } from './later-spans.ts';

/** A part of the range, which is searched as a whole. */
export interface SearchWindow {
  readonly window: TimeRange;
  /** So small that finding out where keys are costs more than it saves. */
  readonly isSmall: boolean;
  readonly isLast: boolean;
  /** Of the range, 0 to 1, that was searched before it. */
  readonly share: { readonly before: number };
}

/** The table is sorted by five minutes first. */
const firstNanos = 300n * nanosPerSecond;
const smallNanos = 2_400n * nanosPerSecond;
/** How many times as far back as before a window reaches. */
const leastGrowth = 4;
const mostGrowth = 48;
/** More than the traces found so far let expect is searched, since they may lie unevenly. */
const margin = 1.5;

/**
 * Windows from the newest to the oldest, none overlapping another, which grow until enough is found: as far as the traces
 * found so far let expect.
 * @param until the end of the first window: spans that begin later lead to no trace of the range
 * @param found how many traces were found in the windows before
 */
export function* searchWindows(
  search: { readonly range: TimeRange; readonly limit: number; readonly isBySpanStart?: boolean },
  until: bigint,
  nowMs: number,
  found: () => number,
): Generator<SearchWindow> {
  const { from, to } = search.range;
  const reach = search.isBySpanStart ? 0n : reachNanos;
  const now = BigInt(nowMs) * nanosPerMilli;
  const end = now > from && now < to ? now : to;
  const first = from > reach ? from - reach : 0n;
  let upper = until;
  for (let length = firstNanos; ; length *= growth(found(), search.limit)) {
    const isLast = end - length <= first;
    const lower = isLast ? first : end - length;
    const before = Number(until - upper) / Number(until - first);
    yield {
      window: { from: lower, to: upper },
      isSmall: length <= smallNanos || end - first <= smallNanos,
      isLast,
      share: { before },
    };
    if (isLast) return;
    upper = lower;
  }
}

function growth(found: number, wanted: number): bigint {
  const expected = found === 0 ? mostGrowth : (margin * wanted) / found;
  return BigInt(Math.round(Math.min(mostGrowth, Math.max(leastGrowth, expected))));
}
