import { CUSTOM_BUCKETS_SCHEMA } from './bucket-bounds.ts';
import type { Buckets, FloatHistogram } from './float-histogram.ts';

/** Whether a counter was reset between `previous` and `current`: some bucket counts less, or the resolution went up. */
export function detectReset(current: FloatHistogram, previous: FloatHistogram): boolean {
  if (current.resetHint === 'reset') return true;
  if (current.resetHint === 'not_reset') return false;
  if (current.count < previous.count) return true;
  if (current.hasCustomBuckets) {
    if (!previous.hasCustomBuckets) return true;
    const bounds = current.customBounds.filter((bound) => previous.customBounds.includes(bound));
    const isSame = bounds.length === current.customBounds.length && bounds.length === previous.customBounds.length;
    if (!isSame) return hasLess(rollUp(current, bounds), rollUp(previous, bounds));
    return bucketsDecrease(current.positive, previous.positive);
  }
  if (previous.schema === CUSTOM_BUCKETS_SCHEMA) return true;
  if (current.schema > previous.schema || current.zeroThreshold < previous.zeroThreshold) return true;
  const before = previous.copy();
  before.reduceResolution(current.schema);
  if (before.zeroThreshold < current.zeroThreshold) before.widenZeroBucket(current.zeroThreshold);
  // The new zero bucket ends within an old bucket that counts something: that can't come about by observing.
  if (before.zeroThreshold !== current.zeroThreshold) return true;
  return (
    current.zeroCount < before.zeroCount ||
    bucketsDecrease(current.positive, before.positive) ||
    bucketsDecrease(current.negative, before.negative)
  );
}

function bucketsDecrease(current: Buckets, previous: Buckets): boolean {
  let at = 0;
  for (let i = 0; i < previous.indexes.length; i++) {
    while (at < current.indexes.length && current.indexes[at] < previous.indexes[i]) at++;
    const count = at < current.indexes.length && current.indexes[at] === previous.indexes[i] ? current.counts[at] : 0;
    if (count < previous.counts[i]) return true;
  }
  return false;
}

/** Counts between bounds that two histograms share, the last one up to +Inf. */
function rollUp({ customBounds, positive }: FloatHistogram, bounds: readonly number[]): number[] {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  for (let i = 0; i < positive.indexes.length; i++) {
    const upper = customBounds[positive.indexes[i]] ?? Number.POSITIVE_INFINITY;
    const place = bounds.findIndex((bound) => bound >= upper);
    counts[place < 0 ? bounds.length : place] += positive.counts[i];
  }
  return counts;
}

function hasLess(current: readonly number[], previous: readonly number[]): boolean {
  return current.some((count, index) => count < previous[index]);
}
