import { type ExponentialHistogramPointTable, HistogramPresence } from './point-tables.ts';

const FIRST_SCALE = 20;
const LAST_SCALE = -10;
/** Smaller values count as this one: below it doubles lose their precision, and buckets their meaning. */
const SMALLEST_NORMAL = 2 ** -1022;

/**
 * A distribution over buckets whose bounds grow by the same factor, 2^(2^-scale), as exponential histograms of OpenTelemetry
 * have them. The scale falls until the values of either sign fit `maxSize` buckets.
 */
export class ExponentialHistogram {
  sum = 0;
  readonly #maxSize: number;
  #scale = FIRST_SCALE;
  #zeroCount = 0;
  readonly #positive = new Buckets();
  /** By the absolute value. */
  readonly #negative = new Buckets();

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** How many buckets are written: those of either sign from the first that holds something to the last. */
  get size(): number {
    return this.#positive.size + this.#negative.size;
  }

  record(value: number, weight: number): void {
    this.sum += value * weight;
    if (value === 0) {
      this.#zeroCount += weight;
      return;
    }
    const buckets = value > 0 ? this.#positive : this.#negative;
    let index = this.#indexOf(value);
    while (buckets.sizeWith(index) > this.#maxSize && this.#scale > LAST_SCALE) {
      this.#scale--;
      this.#positive.halve();
      this.#negative.halve();
      index = this.#indexOf(value);
    }
    buckets.add(index, weight);
  }

  /** Writes the distribution to a row under construction. */
  write(table: ExponentialHistogramPointTable, row: number): void {
    const zero = Math.round(this.#zeroCount);
    const { first: positiveOffset } = this.#positive;
    const { first: negativeOffset } = this.#negative;
    const positive = this.#positive.write((low, high) => table.positiveCounts.pushWords(low, high));
    const negative = this.#negative.write((low, high) => table.negativeCounts.pushWords(low, high));
    table.positiveOffset[row] = positive === null ? 0 : positiveOffset;
    table.negativeOffset[row] = negative === null ? 0 : negativeOffset;
    // Without buckets any scale is right.
    table.scale[row] = this.size === 0 ? 0 : this.#scale;
    table.zeroCount.values[row] = BigInt(zero);
    table.valueCount.values[row] = BigInt(zero + (positive ?? 0) + (negative ?? 0));
    table.sum[row] = this.sum;
    table.presence[row] = HistogramPresence.Sum;
  }

  #indexOf(value: number): number {
    return Math.ceil(Math.log2(Math.max(Math.abs(value), SMALLEST_NORMAL)) * 2 ** this.#scale) - 1;
  }
}

/** Those of one sign: bucket i holds values above base^i up to base^(i + 1). */
class Buckets {
  /** Bucket index to weighted count. */
  #counts = new Map<number, number>();
  first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  /** From first to last. */
  get size(): number {
    return this.#counts.size === 0 ? 0 : this.#last - this.first + 1;
  }

  /** What `size` would be with the bucket of `index`. */
  sizeWith(index: number): number {
    return Math.max(index, this.#last) - Math.min(index, this.first) + 1;
  }

  add(index: number, weight: number): void {
    this.first = Math.min(this.first, index);
    this.#last = Math.max(this.#last, index);
    this.#counts.set(index, (this.#counts.get(index) ?? 0) + weight);
  }

  /** Two buckets become one. */
  halve(): void {
    const counts = new Map<number, number>();
    for (const [index, count] of this.#counts) {
      const half = Math.floor(index / 2);
      counts.set(half, (counts.get(half) ?? 0) + count);
    }
    this.#counts = counts;
    this.first = Math.floor(this.first / 2);
    this.#last = Math.floor(this.#last / 2);
  }

  /** Gives the counts from first to last, rounded, to `push` as words; returns their sum, null when there are none. */
  write(push: (low: number, high: number) => void): number | null {
    if (this.#counts.size === 0) return null;
    let sum = 0;
    for (let index = this.first; index <= this.#last; index++) {
      const whole = Math.round(this.#counts.get(index) ?? 0);
      sum += whole;
      push(whole >>> 0, Math.floor(whole / 2 ** 32));
    }
    return sum;
  }
}
