/** A classic histogram's counts: one more than `bounds`, the last for what lies above them. */
export interface ExplicitBuckets {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/**
 * The q-quantile, interpolated as Prometheus's `histogram_quantile` does: linearly inside of a bucket, whose lower end is 0
 * for the first one when its upper end is positive (otherwise that upper end is the answer); in the last, open bucket the
 * largest bound. Null without observations.
 */
export function explicitQuantile({ bounds, counts }: ExplicitBuckets, q: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (!(total > 0) || bounds.length === 0) return null;
  const rank = q * total;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    const upper = bounds[index];
    if (upper === undefined) break;
    if (count > 0 && below + count >= rank) {
      const lower = index === 0 ? Math.min(upper, 0) : (bounds[index - 1] ?? 0);
      return lower + (upper - lower) * ((rank - below) / count);
    }
    below += count;
  }
  return bounds.at(-1) ?? null;
}

/** Makes one histogram of several. Where bounds differ, observations are taken to lie evenly in their bucket. */
export function mergeExplicit(histograms: readonly ExplicitBuckets[]): ExplicitBuckets {
  const [first, ...others] = histograms;
  if (first === undefined) return { bounds: [], counts: [] };
  if (others.length === 0) return first;
  const bounds = [...new Set(histograms.flatMap((histogram) => histogram.bounds))].sort((a, b) => a - b);
  const upTo = [...bounds, Number.POSITIVE_INFINITY].map((bound) =>
    histograms.reduce((sum, histogram) => sum + countUpTo(histogram, bound), 0),
  );
  return { bounds, counts: upTo.map((count, index) => count - (upTo[index - 1] ?? 0)) };
}

function countUpTo({ bounds, counts }: ExplicitBuckets, bound: number): number {
  let below = 0;
  for (const [index, count] of counts.entries()) {
    const upper = bounds[index] ?? Number.POSITIVE_INFINITY;
    if (upper <= bound) {
      below += count;
      continue;
    }
    const lower = bounds[index - 1] ?? Math.min(0, upper);
    if (bound > lower && Number.isFinite(upper)) below += (count * (bound - lower)) / (upper - lower);
    break;
  }
  return below;
}

/** An exponential histogram's counts: bucket i of `positive` counts (base^i, base^(i+1)], base = 2^(2^-scale). */
export interface ExponentialBuckets {
  readonly scale: number;
  readonly zeroCount: number;
  readonly zeroThreshold: number;
  readonly positive: ReadonlyMap<number, number>;
  /** The same for values below zero, by their absolute value. */
  readonly negative: ReadonlyMap<number, number>;
}

/**
 * The q-quantile, interpolated inside of its bucket on the logarithmic scale, in the zero bucket linearly (one-sided when
 * all else lies on one side), as Prometheus does for native histograms. Null without observations.
 */
export function exponentialQuantile(histogram: ExponentialBuckets, q: number): number | null {
  const { scale, zeroCount, zeroThreshold } = histogram;
  const present = (buckets: ReadonlyMap<number, number>): [number, number][] =>
    [...buckets].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
  const positive = present(histogram.positive);
  const negative = present(histogram.negative).reverse();
  const edge = (index: number): number => 2 ** (index * 2 ** -scale);
  const inside = (index: number, part: number): number => 2 ** ((index + part) * 2 ** -scale);
  const total = [...positive, ...negative].reduce((sum, [, count]) => sum + count, Math.max(0, zeroCount));
  if (!(total > 0)) return null;
  const rank = q * total;
  let below = 0;
  for (const [index, count] of negative) {
    if (below + count >= rank) return -inside(index, 1 - (rank - below) / count);
    below += count;
  }
  if (zeroCount > 0 && below + zeroCount >= rank) {
    const lower = negative.length === 0 ? 0 : -zeroThreshold;
    const upper = positive.length === 0 && negative.length > 0 ? 0 : zeroThreshold;
    return lower + (upper - lower) * ((rank - below) / zeroCount);
  }
  below += Math.max(0, zeroCount);
  for (const [index, count] of positive) {
    if (below + count >= rank) return inside(index, (rank - below) / count);
    below += count;
  }
  const last = positive.at(-1);
  return last === undefined ? 0 : edge(last[0] + 1);
}
