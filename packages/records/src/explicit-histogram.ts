import { type HistogramPointTable, HistogramPresence } from './point-tables.ts';

/** A distribution over fixed bounds, each value weighing as many as it stands for. */
export class ExplicitHistogram {
  sum = 0;
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;

  /** Upper bounds, inclusive, ascending. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  record(value: number, weight: number): void {
    this.sum += value * weight;
    let low = 0;
    let high = this.#bounds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= (this.#bounds[middle] as number)) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    this.#counts[low] = (this.#counts[low] as number) + weight;
  }

  /** Writes the distribution to a row under construction. */
  write(table: HistogramPointTable, row: number): void {
    let count = 0;
    for (const weighted of this.#counts) {
      const whole = Math.round(weighted);
      count += whole;
      table.bucketCounts.pushWords(whole >>> 0, Math.floor(whole / 2 ** 32));
    }
    for (const bound of this.#bounds) {
      table.explicitBounds.push(bound);
    }
    table.valueCount.values[row] = BigInt(count);
    table.sum[row] = this.sum;
    table.presence[row] = HistogramPresence.Sum;
  }
}
