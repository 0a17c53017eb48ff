/** A seeded generator (mulberry32), so that every run of a benchmark sees the same data. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** Uniform integer in [0, n). */
  integer(n: number): number {
    return Math.floor(this.next() * n);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(values.length)] as T;
  }

  /** An index in [0, n), small ones far more often: how tenants, products and routes are really used. */
  skewed(n: number): number {
    return Math.floor(n * this.next() ** 3);
  }

  /** Log-normal around `median`: how latencies and sizes are spread. */
  logNormal(median: number, sigma: number): number {
    const u = Math.max(this.next(), 1e-12);
    return median * Math.exp(sigma * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * this.next()));
  }

  hex(bytes: number): string {
    let text = '';
    for (let i = 0; i < bytes; i += 4) text += ((this.next() * 4294967296) >>> 0).toString(16).padStart(8, '0');
    return text.slice(0, bytes * 2);
  }
}
