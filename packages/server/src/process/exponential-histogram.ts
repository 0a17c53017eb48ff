import { type ExponentialHistogramPointTable, HistogramPresence } from '@signalbox/records';

const FIRST_SCALE = 20;
const LAST_SCALE = -10;

/**
 * A distribution over buckets whose bounds grow by the same factor, 2^(2^-scale), as exponential histograms of OpenTelemetry
 * have them. The scale falls until the values fit `maxSize` buckets. Values are 0 or more.
 */
export class ExponentialHistogram {
  sum = 0;
  readonly #maxSize: number;
  #scale = FIRST_SCALE;
  #zeroCount = 0;
  /** Bucket index to weighted count: bucket i holds values above base^i up to base^(i + 1). */
  #counts = new Map<number, number>();
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  record(value: number, weight: number): void {
    this.sum += value * weight;
    if (value <= 0) {
      this.#zeroCount += weight;
      return;
    }
    let index = this.#indexOf(value);
    while (Math.max(index, this.#last) - Math.min(index, this.#first) >= this.#maxSize && this.#scale > LAST_SCALE) {
      this.#halve();
      index = this.#indexOf(value);
    }
    this.#first = Math.min(this.#first, index);
    this.#last = Math.max(this.#last, index);
    this.#counts.set(index, (this.#counts.get(index) ?? 0) + weight);
  }

  /** Writes the distribution to a row under construction. */
  write(table: ExponentialHistogramPointTable, row: number): void {
    const zero = Math.round(this.#zeroCount);
    let count = zero;
    if (this.#counts.size > 0) {
      table.positiveOffset[row] = this.#first;
      for (let index = this.#first; index <= this.#last; index++) {
        const whole = Math.round(this.#counts.get(index) ?? 0);
        count += whole;
        table.positiveCounts.pushWords(whole >>> 0, Math.floor(whole / 2 ** 32));
      }
    }
    table.scale[row] = this.#scale;
    table.zeroCount.values[row] = BigInt(zero);
    table.valueCount.values[row] = BigInt(count);
    table.sum[row] = this.sum;
    table.presence[row] = HistogramPresence.Sum;
  }

  #indexOf(value: number): number {
    return Math.ceil(Math.log2(value) * 2 ** this.#scale) - 1;
  }

  /** Two buckets become one. */
  #halve(): void {
    this.#scale--;
    const counts = new Map<number, number>();
    for (const [index, count] of this.#counts) {
      const half = Math.floor(index / 2);
      counts.set(half, (counts.get(half) ?? 0) + count);
    }
    this.#counts = counts;
    this.#first = Math.floor(this.#first / 2);
    this.#last = Math.floor(this.#last / 2);
  }
}
