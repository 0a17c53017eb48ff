import { exponentialBound } from './bucket-bounds.ts';
import type { BucketRange, Buckets, FloatHistogram } from './float-histogram.ts';

/** What of a bucket is kept: how many observations, and the value that stands for each of them. */
interface Kept {
  readonly count: number;
  readonly middle: number;
}

/** Observations of a histogram at most (`upper`), or at least (`lower`), as large as a bound: a new histogram. */
export function trimHistogram(histogram: FloatHistogram, bound: number, side: 'upper' | 'lower'): FloatHistogram {
  const result = histogram.copy();
  const keepsBelow = side === 'upper';
  let count = 0;
  let sum = 0;
  let isTrimmed = false;
  const keep = (before: number, { count: kept, middle }: Kept): number => {
    count += kept;
    sum += middle * kept;
    if (kept !== before) isTrimmed = true;
    return kept;
  };
  const trimSide = ({ indexes, counts }: Buckets, isPositive: boolean): Buckets => ({
    indexes,
    counts: counts.map((before, i) => {
      if (before === 0) return 0;
      const range = rangeOf(histogram, indexes[i], before, isPositive);
      return keep(before, keptOf(range, bound, keepsBelow, isPositive, histogram.hasCustomBuckets));
    }),
  });
  result.positive = trimSide(histogram.positive, true);
  result.negative = trimSide(histogram.negative, false);
  if (histogram.zeroCount > 0) result.zeroCount = keep(histogram.zeroCount, keptOfZero(histogram, bound, keepsBelow));
  if (!isTrimmed) return result;
  result.count = count;
  result.sum = sum;
  return result.compact();
}

function rangeOf(histogram: FloatHistogram, index: number, count: number, isPositive: boolean): BucketRange {
  const { customBounds, schema } = histogram;
  if (histogram.hasCustomBuckets) {
    return {
      lower: customBounds[index - 1] ?? Number.NEGATIVE_INFINITY,
      upper: customBounds[index] ?? Number.POSITIVE_INFINITY,
      count,
    };
  }
  const [near, far] = [exponentialBound(index - 1, schema), exponentialBound(index, schema)];
  return isPositive ? { lower: near, upper: far, count } : { lower: -far, upper: -near, count };
}

function keptOf(range: BucketRange, bound: number, keepsBelow: boolean, isPositive: boolean, isLinear: boolean): Kept {
  const { lower, upper, count } = range;
  const isInside = keepsBelow ? upper <= bound : lower >= bound;
  if (isInside) return { count, middle: middleOf(lower, upper, isPositive, isLinear) };
  const isOutside = keepsBelow ? lower >= bound : upper <= bound;
  if (isOutside) return { count: 0, middle: 0 };
  if (!Number.isFinite(lower) || !Number.isFinite(upper)) return keptOfInfinite(range, bound, keepsBelow);
  const below = count * fractionBelow(range, bound, isLinear);
  return keepsBelow
    ? { count: below, middle: middleOf(lower, bound, isPositive, isLinear) }
    : { count: count - below, middle: middleOf(bound, upper, isPositive, isLinear) };
}

/**
 * A bucket without an end, in which the bound lies: how its observations are spread is not known. Below a positive bound they
 * are taken to begin at 0.
 */
function keptOfInfinite({ lower, upper, count }: BucketRange, bound: number, keepsBelow: boolean): Kept {
  if (lower === Number.NEGATIVE_INFINITY) {
    const startsAtZero = upper > 0 && Number.isFinite(upper);
    if (keepsBelow) {
      if (bound > 0 && startsAtZero) return { count: (count * bound) / upper, middle: bound / 2 };
      return upper <= 0 ? { count, middle: bound } : { count: 0, middle: 0 };
    }
    if (bound >= 0 && startsAtZero) return { count: count * (1 - bound / upper), middle: (bound + upper) / 2 };
    return { count: 0, middle: 0 };
  }
  return keepsBelow ? { count: 0, middle: 0 } : { count, middle: bound };
}

function keptOfZero(histogram: FloatHistogram, bound: number, keepsBelow: boolean): Kept {
  const count = histogram.zeroCount;
  const hasPositive = histogram.positive.counts.some((value) => value !== 0);
  const hasNegative = histogram.negative.counts.some((value) => value !== 0);
  const lower = hasPositive && !hasNegative ? 0 : -histogram.zeroThreshold;
  const upper = hasNegative && !hasPositive ? 0 : histogram.zeroThreshold;
  const [from, to] = keepsBelow ? [lower, Math.min(bound, upper)] : [Math.max(bound, lower), upper];
  if (from >= to) {
    const keepsAll = keepsBelow ? bound >= upper && bound > lower : bound <= lower;
    return keepsAll ? { count, middle: (lower + upper) / 2 } : { count: 0, middle: 0 };
  }
  return { count: count * ((to - from) / (upper - lower)), middle: (from + to) / 2 };
}

function fractionBelow({ lower, upper }: BucketRange, bound: number, isLinear: boolean): number {
  if (isLinear) return (bound - lower) / (upper - lower);
  const [low, high, at] = [lower, upper, bound].map((value) => Math.log2(Math.abs(value)));
  return bound > 0 ? (at - low) / (high - low) : 1 - (at - high) / (low - high);
}

/** The value that stands for those of an interval: its arithmetic, or its geometric, middle. */
function middleOf(lower: number, upper: number, isPositive: boolean, isLinear: boolean): number {
  if (!Number.isFinite(lower)) {
    if (!Number.isFinite(upper)) return 0;
    return upper > 0 ? upper / 2 : upper;
  }
  if (!Number.isFinite(upper)) return lower;
  if (isLinear) return (lower + upper) / 2;
  const middle = Math.sqrt(Math.abs(lower * upper));
  return isPositive ? middle : -middle;
}
