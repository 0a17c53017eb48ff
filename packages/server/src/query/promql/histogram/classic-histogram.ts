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

/**
 * The quantile of a classic histogram, linear within buckets; `forced`: counts that decreased were mended.
 *
 * @param buckets sorted by bound, none twice; changed
 */
export function classicQuantile(
  q: number,
  buckets: ClassicBucket[],
): { value: number; forced: ForcedMonotonicity | undefined } {
  if (Number.isNaN(q)) return { value: Number.NaN, forced: undefined };
  if (q < 0) return { value: Number.NEGATIVE_INFINITY, forced: undefined };
  if (q > 1) return { value: Number.POSITIVE_INFINITY, forced: undefined };
  const last = buckets.length - 1;
  if (buckets[last]?.upperBound !== Number.POSITIVE_INFINITY) return { value: Number.NaN, forced: undefined };
  const forced = makeMonotonic(buckets);
  const observations = buckets[last].count;
  if (last === 0 || observations === 0) return { value: Number.NaN, forced };
  let rank = q * observations;
  let at = 0;
  while (at < last && !(buckets[at].count >= rank)) at++;
  if (at === last) return { value: buckets[last - 1].upperBound, forced };
  if (at === 0 && buckets[0].upperBound <= 0) return { value: buckets[0].upperBound, forced };
  let start = 0;
  let { upperBound: end, count } = buckets[at];
  if (at > 0) {
    start = buckets[at - 1].upperBound;
    count -= buckets[at - 1].count;
    rank -= buckets[at - 1].count;
  }
  end = start + (end - start) * (rank / count);
  return { value: end, forced };
}

/**
 * The fraction of a classic histogram's observations between two bounds.
 *
 * @param buckets sorted by bound, none twice
 */
export function classicFraction(lower: number, upper: number, buckets: readonly ClassicBucket[]): number {
  const last = buckets.at(-1);
  if (last?.upperBound !== Number.POSITIVE_INFINITY) return Number.NaN;
  const { count } = last;
  if (count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const rankOf = (bound: number): number => {
    let rank = 0;
    let bucketStart = buckets[0].upperBound <= 0 ? Number.NEGATIVE_INFINITY : 0;
    for (const { upperBound, count: atMost } of buckets) {
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

function makeMonotonic(buckets: ClassicBucket[]): ForcedMonotonicity | undefined {
  let forced: ForcedMonotonicity | undefined;
  let previous = buckets[0].count;
  for (const bucket of buckets) {
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
