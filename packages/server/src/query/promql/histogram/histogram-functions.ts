import type { TextRange } from '@signalbox/query-language';
import type { Annotations } from '../annotations.ts';
import { KahanSum } from '../kahan.ts';
import type { FloatHistogram } from './float-histogram.ts';

/** What is said about a histogram's result, and where. */
export interface HistogramContext {
  readonly annotations: Annotations;
  readonly place: TextRange;
  readonly metricName: string;
}

/**
 * The quantile of a native histogram: linear within custom buckets and the zero bucket, on a logarithmic scale within the
 * others. NaN observations count above all buckets.
 */
export function histogramQuantile(q: number, histogram: FloatHistogram, context: HistogramContext): number {
  const { annotations, place, metricName } = context;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  if (histogram.count === 0 || Number.isNaN(q)) return Number.NaN;
  const hasNaN = Number.isNaN(histogram.sum);
  const isForward = hasNaN || q < 0.5;
  const ranges = isForward ? histogram.ranges() : histogram.ranges().reverse();
  let rank = (isForward ? q : 1 - q) * histogram.count;
  let bucket = { lower: 0, upper: 0, count: 0 };
  let count = 0;
  let next = 0;
  for (; next < ranges.length; next++) {
    if (ranges[next].count === 0) continue;
    bucket = { ...ranges[next] };
    count += bucket.count;
    if (count >= rank) {
      next++;
      break;
    }
  }
  if (histogram.hasCustomBuckets) {
    if (bucket.lower === Number.NEGATIVE_INFINITY) {
      if (bucket.upper <= 0) return bucket.upper;
      bucket.lower = 0;
    } else if (bucket.upper === Number.POSITIVE_INFINITY) return bucket.lower;
  } else if (bucket.lower < 0 && bucket.upper > 0) narrowZeroBucket(bucket, histogram);
  count = Math.min(count, histogram.count);
  if (count < rank) {
    if (!hasNaN) return bucket.upper;
    annotations.quantileIsNaN(metricName, place);
    return Number.NaN;
  }
  rank = isForward ? rank - (count - bucket.count) : count - rank;
  if (hasNaN) {
    for (; next < ranges.length; next++) count += ranges[next].count;
    if (count < histogram.count) annotations.quantileIsSkewed(metricName, place);
  }
  const fraction = rank / bucket.count;
  if (histogram.hasCustomBuckets || (bucket.lower <= 0 && bucket.upper >= 0)) {
    return bucket.lower + (bucket.upper - bucket.lower) * fraction;
  }
  const lower = Math.log2(Math.abs(bucket.lower));
  const upper = Math.log2(Math.abs(bucket.upper));
  return bucket.lower > 0
    ? 2 ** (lower + (upper - lower) * fraction)
    : -(2 ** (upper + (lower - upper) * (1 - fraction)));
}

/** A histogram without negative buckets has no observations below zero, and the other way round. */
function narrowZeroBucket(bucket: { lower: number; upper: number }, { positive, negative }: FloatHistogram): void {
  if (negative.counts.length === 0 && positive.counts.length > 0) bucket.lower = 0;
  else if (positive.counts.length === 0 && negative.counts.length > 0) bucket.upper = 0;
}

/** The fraction of observations between two bounds: the inverse of the quantile. */
export function histogramFraction(
  lower: number,
  upper: number,
  histogram: FloatHistogram,
  context: HistogramContext,
): number {
  if (histogram.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const ranges = histogram.ranges();
  let total = ranges.reduce((sum, { count }) => sum + count, 0);
  if (Number.isNaN(histogram.sum)) {
    if (total < histogram.count) context.annotations.fractionExcludesNaN(context.metricName, context.place);
  } else total = histogram.count;
  const rankOf = (bound: number) => Math.min(rankBelow(bound, histogram), total);
  return (rankOf(upper) - rankOf(lower)) / histogram.count;
}

/** How many observations lie below a bound; Infinity: it is above all buckets. */
function rankBelow(bound: number, histogram: FloatHistogram): number {
  let rank = 0;
  for (const range of histogram.ranges()) {
    const bucket = { ...range };
    const { hasCustomBuckets } = histogram;
    const isZero = !hasCustomBuckets && bucket.lower <= 0 && bucket.upper >= 0;
    if (isZero) narrowZeroBucket(bucket, histogram);
    // The first of custom buckets begins at zero unless it ends there or below.
    else if (hasCustomBuckets && bucket.lower === Number.NEGATIVE_INFINITY && bucket.upper > 0) bucket.lower = 0;
    if (bucket.lower >= bound) return rank;
    if (bucket.upper > bound) {
      if (histogram.hasCustomBuckets || isZero) {
        if (bucket.lower === Number.NEGATIVE_INFINITY) return bucket.count;
        return rank + bucket.count * ((bound - bucket.lower) / (bucket.upper - bucket.lower));
      }
      return rank + bucket.count * exponentialFraction(bound, bucket);
    }
    rank += bucket.count;
  }
  return Number.POSITIVE_INFINITY;
}

function exponentialFraction(value: number, { lower, upper }: { lower: number; upper: number }): number {
  const [low, high, at] = [lower, upper, value].map((bound) => Math.log2(Math.abs(bound)));
  return value > 0 ? (at - low) / (high - low) : 1 - (at - high) / (low - high);
}

/** The variance of the observations, each taken for the middle of its bucket. */
export function histogramVariance(histogram: FloatHistogram): number {
  const mean = histogram.sum / histogram.count;
  const sum = new KahanSum();
  for (const { lower, upper, count } of histogram.ranges()) {
    if (count === 0) continue;
    let middle: number;
    if (histogram.hasCustomBuckets) middle = (upper + lower) / 2;
    else if (lower <= 0 && upper >= 0) middle = 0;
    else middle = Math.sqrt(upper * lower) * (upper < 0 ? -1 : 1);
    sum.add(count * (middle - mean) ** 2);
  }
  return (sum.sum + sum.compensation) / histogram.count;
}
