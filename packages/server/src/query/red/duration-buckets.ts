/**
 * Logarithmic duration buckets of `red` and `edges`: bucket i counts durations of [2^(i/8), 2^((i+1)/8)) nanoseconds,
 * so that a bucket's ends lie 9 % apart.
 */
export type DurationBuckets = Map<number, number>;

export const bucketsPerDoubling = 8;

/**
 * The q-quantile in nanoseconds, interpolated in its bucket on the logarithmic scale; null without durations.
 * Never above `max`, the largest duration there was.
 */
export function durationQuantile(buckets: DurationBuckets, q: number, max: number): number | null {
  const sorted = [...buckets].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return null;
  const rank = q * total;
  let below = 0;
  for (const [index, count] of sorted) {
    if (below + count >= rank) {
      return Math.min(max, 2 ** ((index + (rank - below) / count) / bucketsPerDoubling));
    }
    below += count;
  }
  return max;
}
