/** A bucket of a classic histogram: how many observations are at most `upperBound`. */
export interface ClassicBucket {
  upperBound: number;
  count: number;
}

/** Differences of neighbouring counts below this, relative to them, come from arithmetic. */
const SMALL_DIFFERENCE = 1e-12;

export interface ForcedMonotonicity {
  minBucket: number;
  maxBucket: number;
  maxDifference: number;
}

/** The quantile of a classic histogram, linear within buckets; `forced`: counts that decreased were mended. Changes `buckets`. */
export function classicQuantile(
  q: number,
  buckets: ClassicBucket[],
): { value: number; forced: ForcedMonotonicity | undefined } {
  const result = (value: number, forced?: ForcedMonotonicity) => ({ value, forced });
  if (Number.isNaN(q)) return result(Number.NaN);
  if (q < 0) return result(Number.NEGATIVE_INFINITY);
  if (q > 1) return result(Number.POSITIVE_INFINITY);
  const merged = mergeBounds(buckets);
  if (merged.at(-1)?.upperBound !== Number.POSITIVE_INFINITY) return result(Number.NaN);
  const forced = makeMonotonic(merged);
  const observations = (merged.at(-1) as ClassicBucket).count;
  if (merged.length < 2 || observations === 0) return result(Number.NaN, forced);
  let rank = q * observations;
  const found = merged.findIndex(({ count }) => count >= rank);
  const at = found < 0 ? merged.length - 1 : found;
  if (at === merged.length - 1) return result(merged[merged.length - 2].upperBound, forced);
  if (at === 0 && merged[0].upperBound <= 0) return result(merged[0].upperBound, forced);
  let start = 0;
  let { upperBound: end, count } = merged[at];
  if (at > 0) {
    start = merged[at - 1].upperBound;
    count -= merged[at - 1].count;
    rank -= merged[at - 1].count;
  }
  end = start + (end - start) * (rank / count);
  return result(end, forced);
}

/** The fraction of a classic histogram's observations between two bounds. */
export function classicFraction(lower: number, upper: number, buckets: ClassicBucket[]): number {
  const merged = mergeBounds(buckets);
  const last = merged.at(-1);
  if (last?.upperBound !== Number.POSITIVE_INFINITY) return Number.NaN;
  const { count } = last;
  if (count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const rankOf = (bound: number): number => {
    let rank = 0;
    let bucketStart = merged[0].upperBound <= 0 ? Number.NEGATIVE_INFINITY : 0;
    for (const { upperBound, count: atMost } of merged) {
      if (bucketStart >= bound) return rank;
      if (upperBound > bound) {
        if (bucketStart === Number.NEGATIVE_INFINITY) return atMost;
        return rank + ((atMost - rank) * (bound - bucketStart)) / (upperBound - bucketStart);
      }
      rank = atMost;
      bucketStart = upperBound;
    }
    return count;
  };
  return (Math.min(rankOf(upper), count) - Math.min(rankOf(lower), count)) / count;
}

/** Sorted by bound, those of the same bound as one. */
function mergeBounds(buckets: readonly ClassicBucket[]): ClassicBucket[] {
  const merged: ClassicBucket[] = [];
  for (const bucket of buckets.toSorted((a, b) =>
    a.upperBound < b.upperBound ? -1 : a.upperBound > b.upperBound ? 1 : 0,
  )) {
    const last = merged.at(-1);
    if (last?.upperBound === bucket.upperBound) last.count += bucket.count;
    else merged.push({ ...bucket });
  }
  return merged;
}

function makeMonotonic(buckets: ClassicBucket[]): ForcedMonotonicity | undefined {
  let forced: ForcedMonotonicity | undefined;
  let previous = buckets[0].count;
  for (const bucket of buckets.slice(1)) {
    if (bucket.count === previous) continue;
    if (isAlmostEqual(previous, bucket.count)) bucket.count = previous;
    else if (bucket.count < previous) {
      forced = {
        minBucket: Math.min(forced?.minBucket ?? Number.POSITIVE_INFINITY, bucket.upperBound),
        maxBucket: Math.max(forced?.maxBucket ?? Number.NEGATIVE_INFINITY, bucket.upperBound),
        maxDifference: Math.max(forced?.maxDifference ?? 0, previous - bucket.count),
      };
      bucket.count = previous;
    } else previous = bucket.count;
  }
  return forced;
}

function isAlmostEqual(a: number, b: number): boolean {
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < 2.2250738585072014e-308)
    return difference < SMALL_DIFFERENCE * 2.2250738585072014e-308;
  return difference / Math.min(sum, Number.MAX_VALUE) < SMALL_DIFFERENCE;
}
