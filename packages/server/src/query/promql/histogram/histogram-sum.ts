import { KahanSum } from '../kahan.ts';
import type { Buckets, FloatHistogram } from './float-histogram.ts';

/** A sum of histograms that keeps what rounding loses, in every bucket. */
export class HistogramSum {
  readonly #layout: FloatHistogram;
  #count: KahanSum;
  #sum: KahanSum;
  #zero: KahanSum;
  #positive: Map<number, KahanSum>;
  #negative: Map<number, KahanSum>;

  constructor(first: FloatHistogram) {
    this.#layout = first.copy();
    this.#count = new KahanSum(first.count);
    this.#sum = new KahanSum(first.sum);
    this.#zero = new KahanSum(first.zeroCount);
    this.#positive = sumsOf(first.positive);
    this.#negative = sumsOf(first.negative);
  }

  /** Adds a histogram; true: bounds of its own were reduced to those that both have. Throws IncompatibleSchemaError. */
  add(histogram: FloatHistogram): boolean {
    const layout = this.#layout;
    const { schema, zeroThreshold, customBounds, resetHint } = layout;
    this.#writeCounts();
    const probe = layout.copy();
    const { other, boundsReconciled } = probe.reconcile(histogram);
    if (probe.schema !== schema || probe.zeroThreshold !== zeroThreshold || probe.customBounds !== customBounds) {
      // The layout changes: what is summed up so far goes over to it, with what rounding lost already in it.
      layout.schema = probe.schema;
      layout.zeroThreshold = probe.zeroThreshold;
      layout.customBounds = probe.customBounds;
      this.#zero = new KahanSum(probe.zeroCount);
      this.#positive = sumsOf(probe.positive);
      this.#negative = sumsOf(probe.negative);
    }
    layout.resetHint = mergedHint(resetHint, histogram.resetHint);
    this.#count.add(other.count);
    this.#sum.add(other.sum);
    this.#zero.add(other.zeroCount);
    addTo(this.#positive, other.positive);
    addTo(this.#negative, other.negative);
    return boundsReconciled;
  }

  /** Multiplies what was summed up. */
  scale(factor: number): void {
    for (const sum of [this.#count, this.#sum, this.#zero, ...this.#positive.values(), ...this.#negative.values()]) {
      sum.sum *= factor;
      sum.compensation *= factor;
    }
  }

  /** The sum so far; a histogram of its own. */
  result(): FloatHistogram {
    this.#writeCounts();
    return this.#layout.copy();
  }

  #writeCounts(): void {
    const layout = this.#layout;
    layout.count = this.#count.total;
    layout.sum = this.#sum.total;
    layout.zeroCount = this.#zero.total;
    layout.positive = bucketsOf(this.#positive);
    layout.negative = bucketsOf(this.#negative);
  }
}

/** A mean of histograms whose sum may be too large for doubles: from then on the mean itself is carried on. */
export class HistogramMean {
  count = 1;
  /** The sum, or the mean. */
  readonly #sum: HistogramSum;
  #isIncremental = false;

  constructor(first: FloatHistogram) {
    this.#sum = new HistogramSum(first);
  }

  /** As HistogramSum.add. */
  add(histogram: FloatHistogram): boolean {
    this.count++;
    if (!this.#isIncremental) {
      if (!overflows(this.#sum.result(), histogram)) return this.#sum.add(histogram);
      this.#isIncremental = true;
      this.#sum.scale(1 / (this.count - 1));
    }
    this.#sum.scale((this.count - 1) / this.count);
    return this.#sum.add(histogram.copy().divide(this.count));
  }

  result(): FloatHistogram {
    return this.#isIncremental ? this.#sum.result() : this.#sum.result().divide(this.count);
  }
}

function overflows(sum: FloatHistogram, histogram: FloatHistogram): boolean {
  sum.add(histogram);
  return sum.hasOverflow;
}

function sumsOf({ indexes, counts }: Buckets): Map<number, KahanSum> {
  return new Map(indexes.map((index, i) => [index, new KahanSum(counts[i])]));
}

function addTo(sums: Map<number, KahanSum>, { indexes, counts }: Buckets): void {
  for (let i = 0; i < indexes.length; i++) {
    const sum = sums.get(indexes[i]);
    if (sum) sum.add(counts[i]);
    else sums.set(indexes[i], new KahanSum(counts[i]));
  }
}

function bucketsOf(sums: ReadonlyMap<number, KahanSum>): Buckets {
  const sorted = [...sums].sort(([a], [b]) => a - b);
  return { indexes: sorted.map(([index]) => index), counts: sorted.map(([, sum]) => sum.total) };
}

function mergedHint(a: FloatHistogram['resetHint'], b: FloatHistogram['resetHint']): FloatHistogram['resetHint'] {
  if (a === b) return a;
  return a === 'gauge' || b === 'gauge' ? 'gauge' : 'unknown';
}
