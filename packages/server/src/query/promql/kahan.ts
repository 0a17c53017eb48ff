/** A sum that keeps what rounding loses (Kahan's method in Neumaier's form). `total` is the result. */
export class KahanSum {
  sum: number;
  compensation = 0;

  constructor(start = 0) {
    this.sum = start;
  }

  add(value: number): void {
    const next = this.sum + value;
    if (!Number.isFinite(next)) this.compensation = 0;
    else if (Math.abs(this.sum) >= Math.abs(value)) this.compensation += this.sum - next + value;
    else this.compensation += value - next + this.sum;
    this.sum = next;
  }

  get total(): number {
    return Number.isFinite(this.sum) ? this.sum + this.compensation : this.sum;
  }
}

/**
 * A mean of numbers whose sum may be too large for a double: as long as it is not, the sum is divided; from then on the mean
 * itself is carried on.
 */
export class KahanMean {
  count = 0;
  #sum = new KahanSum();
  #isIncremental = false;

  add(value: number): void {
    this.count++;
    if (this.count === 1) {
      this.#sum = new KahanSum(value);
      return;
    }
    if (!this.#isIncremental) {
      const { sum, compensation } = this.#sum;
      this.#sum.add(value);
      if (Math.abs(this.#sum.sum) !== Number.POSITIVE_INFINITY) return;
      this.#isIncremental = true;
      this.#sum = new KahanSum(sum / (this.count - 1));
      this.#sum.compensation = compensation / (this.count - 1);
    }
    const weight = (this.count - 1) / this.count;
    const compensation = weight * this.#sum.compensation;
    this.#sum = new KahanSum(weight * this.#sum.sum);
    this.#sum.compensation = compensation;
    this.#sum.add(value / this.count);
  }

  get mean(): number {
    const { sum, compensation } = this.#sum;
    if (this.#isIncremental) return sum + compensation;
    return sum / this.count + compensation / this.count;
  }
}
