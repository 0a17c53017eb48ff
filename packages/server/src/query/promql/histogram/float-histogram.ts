import { formatGo } from '../format-go.ts';
import { KahanSum } from '../kahan.ts';
import { CUSTOM_BUCKETS_SCHEMA, coarserIndex, exponentialBound } from './bucket-bounds.ts';

/** What is known of a counter's reset before a histogram; gauges go up and down. */
export type CounterResetHint = 'unknown' | 'reset' | 'not_reset' | 'gauge';

/** Counts of buckets by their indexes, which ascend. No bucket is there twice; some may count 0. */
export interface Buckets {
  readonly indexes: number[];
  readonly counts: number[];
}

/** A bucket as an interval. Both ends belong to it only in the zero bucket; the upper one, of positive buckets, else. */
export interface BucketRange {
  lower: number;
  upper: number;
  count: number;
}

/** What became known while two histograms were put together. */
export interface Combination {
  /** One says that there was a reset, the other that there was none. */
  readonly resetsCollide: boolean;
  /** Their own bounds differed, and were reduced to those that both have. */
  readonly boundsReconciled: boolean;
}

/** Exponential and custom buckets can't be put together. */
export class IncompatibleSchemaError extends Error {
  override readonly name = 'IncompatibleSchemaError';
}

/**
 * A native histogram (https://prometheus.io/docs/specs/native_histograms/): exponential buckets of a schema from -4 to 8, with
 * a zero bucket, or buckets with custom bounds, whose index is the place of their upper bound. Mutable: its owner may change
 * it, others copy it.
 */
export class FloatHistogram {
  schema = 0;
  zeroThreshold = 0;
  zeroCount = 0;
  count = 0;
  sum = 0;
  positive: Buckets = { indexes: [], counts: [] };
  negative: Buckets = { indexes: [], counts: [] };
  /** Upper bounds but for the last one, +Inf; [] unless the schema is CUSTOM_BUCKETS_SCHEMA. */
  customBounds: readonly number[] = [];
  resetHint: CounterResetHint = 'unknown';

  get hasCustomBuckets(): boolean {
    return this.schema === CUSTOM_BUCKETS_SCHEMA;
  }

  copy(): FloatHistogram {
    const copy = new FloatHistogram();
    copy.schema = this.schema;
    copy.zeroThreshold = this.zeroThreshold;
    copy.zeroCount = this.zeroCount;
    copy.count = this.count;
    copy.sum = this.sum;
    copy.positive = { indexes: [...this.positive.indexes], counts: [...this.positive.counts] };
    copy.negative = { indexes: [...this.negative.indexes], counts: [...this.negative.counts] };
    copy.customBounds = this.customBounds;
    copy.resetHint = this.resetHint;
    return copy;
  }

  /** A copy that does not know of resets: what comes between it and its neighbours is not known any more. */
  withoutResetHint(): FloatHistogram {
    if (this.resetHint !== 'reset' && this.resetHint !== 'not_reset') return this;
    const copy = this.copy();
    copy.resetHint = 'unknown';
    return copy;
  }

  /** How many numbers it takes, roughly: for limits of memory. */
  get size(): number {
    return 10 + (this.positive.counts.length + this.negative.counts.length) + this.customBounds.length / 2;
  }

  multiply(factor: number): this {
    this.#scale((value) => value * factor);
    if (factor < 0) this.resetHint = 'gauge';
    return this;
  }

  divide(divisor: number): this {
    this.#scale((value) => value / divisor);
    if (divisor === 0) {
      this.positive = { indexes: [], counts: [] };
      this.negative = { indexes: [], counts: [] };
    } else if (divisor < 0) this.resetHint = 'gauge';
    return this;
  }

  #scale(change: (value: number) => number): void {
    this.zeroCount = change(this.zeroCount);
    this.count = change(this.count);
    this.sum = change(this.sum);
    this.positive = { indexes: this.positive.indexes, counts: this.positive.counts.map(change) };
    this.negative = { indexes: this.negative.indexes, counts: this.negative.counts.map(change) };
  }

  /** Adds `other` in place. Throws IncompatibleSchemaError. */
  add(other: FloatHistogram): Combination {
    return this.#combine(other, 1);
  }

  /** Subtracts `other` in place. Throws IncompatibleSchemaError. */
  subtract(other: FloatHistogram): Combination {
    return this.#combine(other, -1);
  }

  #combine(given: FloatHistogram, sign: 1 | -1): Combination {
    const resetsCollide = this.#mergeResetHint(given);
    const { other, boundsReconciled } = this.reconcile(given);
    this.zeroCount += sign * other.zeroCount;
    this.count += sign * other.count;
    this.sum += sign * other.sum;
    this.positive = mergeBuckets(this.positive, other.positive, sign);
    this.negative = mergeBuckets(this.negative, other.negative, sign);
    return { resetsCollide, boundsReconciled };
  }

  #mergeResetHint(other: FloatHistogram): boolean {
    const [a, b] = [this.resetHint, other.resetHint];
    if (a === b) return false;
    if (a === 'gauge' || b === 'gauge') {
      this.resetHint = 'gauge';
      return false;
    }
    this.resetHint = 'unknown';
    return a !== 'unknown' && b !== 'unknown';
  }

  /**
   * Brings both to one layout of buckets: the coarser schema, the larger zero bucket, the bounds that both have. Changes this
   * one in place and returns the other, changed as needed. Throws IncompatibleSchemaError.
   */
  reconcile(given: FloatHistogram): { other: FloatHistogram; boundsReconciled: boolean } {
    if (this.hasCustomBuckets !== given.hasCustomBuckets) {
      throw new IncompatibleSchemaError(
        'cannot apply this operation on histograms with a mix of exponential and custom bucket schemas',
      );
    }
    let other = given;
    if (this.hasCustomBuckets) {
      if (sameNumbers(this.customBounds, other.customBounds)) return { other, boundsReconciled: false };
      const shared = this.customBounds.filter((bound) => given.customBounds.includes(bound));
      other = other.copy();
      this.#reduceBounds(shared);
      other.#reduceBounds(shared);
      return { other, boundsReconciled: true };
    }
    if (other.schema < this.schema) this.reduceResolution(other.schema);
    else if (other.schema > this.schema) {
      other = other.copy();
      other.reduceResolution(this.schema);
    }
    if (this.zeroThreshold !== other.zeroThreshold) {
      if (other === given) other = other.copy();
      while (this.zeroThreshold !== other.zeroThreshold) {
        if (this.zeroThreshold > other.zeroThreshold) other.widenZeroBucket(this.zeroThreshold);
        else this.widenZeroBucket(other.zeroThreshold);
      }
    }
    return { other, boundsReconciled: false };
  }

  reduceResolution(schema: number): void {
    if (schema >= this.schema) return;
    const from = this.schema;
    const reduce = ({ indexes, counts }: Buckets): Buckets =>
      gather(
        indexes.map((index) => coarserIndex(index, from, schema)),
        counts,
      );
    this.positive = reduce(this.positive);
    this.negative = reduce(this.negative);
    this.schema = schema;
  }

  #reduceBounds(bounds: readonly number[]): void {
    const own = this.customBounds;
    const target = (index: number): number => {
      if (index >= own.length) return bounds.length;
      const place = bounds.findIndex((bound) => bound >= own[index]);
      return place < 0 ? bounds.length : place;
    };
    this.positive = gather(this.positive.indexes.map(target), this.positive.counts);
    this.customBounds = bounds;
  }

  /**
   * Makes the zero bucket reach at least to `threshold`; where that falls into a bucket that counts something, it takes in the
   * whole of it and reaches further.
   */
  widenZeroBucket(threshold: number): void {
    let reach = threshold;
    for (let isSettled = false; !isSettled; ) {
      isSettled = true;
      for (const { indexes, counts } of [this.positive, this.negative]) {
        for (let i = 0; i < indexes.length; i++) {
          if (exponentialBound(indexes[i] - 1, this.schema) >= reach) break;
          const upper = exponentialBound(indexes[i], this.schema);
          if (upper > reach && counts[i] !== 0) {
            reach = upper;
            isSettled = false;
          }
        }
      }
    }
    const zero = new KahanSum(this.zeroCount);
    const outside = ({ indexes, counts }: Buckets): Buckets => {
      const kept: Buckets = { indexes: [], counts: [] };
      for (let i = 0; i < indexes.length; i++) {
        if (exponentialBound(indexes[i] - 1, this.schema) >= reach) {
          kept.indexes.push(indexes[i]);
          kept.counts.push(counts[i]);
        } else zero.add(counts[i]);
      }
      return kept;
    };
    this.positive = outside(this.positive);
    this.negative = outside(this.negative);
    this.zeroCount = zero.total;
    this.zeroThreshold = reach;
  }

  /** Leaves out buckets that count nothing. */
  compact(): this {
    this.positive = withoutEmpty(this.positive);
    this.negative = withoutEmpty(this.negative);
    return this;
  }

  /** Whether a number in it is infinite: a sum of histograms was too much for a double. */
  get hasOverflow(): boolean {
    const isTooLarge = (value: number) => Math.abs(value) === Number.POSITIVE_INFINITY;
    return [this.zeroCount, this.count, this.sum, ...this.positive.counts, ...this.negative.counts].some(isTooLarge);
  }

  /** The same in every number, empty buckets aside. The hints of resets do not count. */
  equals(other: FloatHistogram): boolean {
    return (
      this.schema === other.schema &&
      Object.is(this.count, other.count) &&
      Object.is(this.sum, other.sum) &&
      this.zeroThreshold === other.zeroThreshold &&
      Object.is(this.zeroCount, other.zeroCount) &&
      sameNumbers(this.customBounds, other.customBounds) &&
      sameBuckets(this.positive, other.positive) &&
      sameBuckets(this.negative, other.negative)
    );
  }

  /** Buckets from the most negative to the most positive one, the zero bucket among them when it counts something. */
  ranges(): BucketRange[] {
    const ranges: BucketRange[] = [];
    const { positive, negative, schema, zeroThreshold } = this;
    for (let i = negative.indexes.length - 1; i >= 0; i--) {
      const index = negative.indexes[i];
      const upper = -exponentialBound(index - 1, schema);
      ranges.push({
        lower: -exponentialBound(index, schema),
        upper: upper < 0 && upper > -zeroThreshold ? -zeroThreshold : upper,
        count: negative.counts[i],
      });
    }
    if (this.zeroCount > 0) ranges.push({ lower: -zeroThreshold, upper: zeroThreshold, count: this.zeroCount });
    for (let i = 0; i < positive.indexes.length; i++) {
      const { lower, upper } = this.#positiveRange(positive.indexes[i]);
      ranges.push({
        lower: lower > 0 && lower < zeroThreshold ? zeroThreshold : lower,
        upper,
        count: positive.counts[i],
      });
    }
    return ranges;
  }

  #positiveRange(index: number): { lower: number; upper: number } {
    if (!this.hasCustomBuckets) {
      return { lower: exponentialBound(index - 1, this.schema), upper: exponentialBound(index, this.schema) };
    }
    return {
      lower: index === 0 ? Number.NEGATIVE_INFINITY : this.customBounds[index - 1],
      upper: index < this.customBounds.length ? this.customBounds[index] : Number.POSITIVE_INFINITY,
    };
  }

  /** `{count:3, sum:4.5, (1,2]:3}`, as Prometheus writes it. */
  toString(): string {
    const parts = [`count:${formatGo(this.count)}`, `sum:${formatGo(this.sum)}`];
    for (const { lower, upper, count } of this.ranges()) {
      if (count === 0) continue;
      const isZero = !this.hasCustomBuckets && lower === -this.zeroThreshold && upper === this.zeroThreshold;
      const isNegative = !isZero && !this.hasCustomBuckets && upper <= 0;
      const [open, close] = isZero ? ['[', ']'] : isNegative ? ['[', ')'] : ['(', ']'];
      parts.push(`${open}${formatGo(lower)},${formatGo(upper)}${close}:${formatGo(count)}`);
    }
    return `{${parts.join(', ')}}`;
  }
}

/** Sorts indexes that may repeat, and adds up the counts of those that do. */
function gather(indexes: readonly number[], counts: readonly number[]): Buckets {
  const gathered: Buckets = { indexes: [], counts: [] };
  for (let i = 0; i < indexes.length; i++) {
    const last = gathered.indexes.length - 1;
    if (last >= 0 && gathered.indexes[last] === indexes[i]) gathered.counts[last] += counts[i];
    else {
      gathered.indexes.push(indexes[i]);
      gathered.counts.push(counts[i]);
    }
  }
  return gathered;
}

function mergeBuckets(a: Buckets, b: Buckets, sign: 1 | -1): Buckets {
  if (b.indexes.length === 0) return a;
  const merged: Buckets = { indexes: [], counts: [] };
  let i = 0;
  let j = 0;
  while (i < a.indexes.length || j < b.indexes.length) {
    const indexA = i < a.indexes.length ? a.indexes[i] : Number.POSITIVE_INFINITY;
    const indexB = j < b.indexes.length ? b.indexes[j] : Number.POSITIVE_INFINITY;
    merged.indexes.push(Math.min(indexA, indexB));
    if (indexA === indexB) merged.counts.push(a.counts[i++] + sign * b.counts[j++]);
    else merged.counts.push(indexA < indexB ? a.counts[i++] : sign * b.counts[j++]);
  }
  return merged;
}

function withoutEmpty({ indexes, counts }: Buckets): Buckets {
  if (!counts.includes(0)) return { indexes, counts };
  return { indexes: indexes.filter((_, i) => counts[i] !== 0), counts: counts.filter((count) => count !== 0) };
}

function sameBuckets(a: Buckets, b: Buckets): boolean {
  const [compactA, compactB] = [withoutEmpty(a), withoutEmpty(b)];
  return sameNumbers(compactA.indexes, compactB.indexes) && sameNumbers(compactA.counts, compactB.counts);
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]));
}
