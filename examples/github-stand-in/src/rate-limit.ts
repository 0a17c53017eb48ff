/** GitHub's primary rate limit: a number of requests in a window of fixed length that begins with the first request. Times in ms. */
export class RateLimit {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #now: () => number;
  #used = 0;
  #reset: number;

  constructor(limit: number, windowMs: number, now: () => number = Date.now) {
    this.#limit = limit;
    this.#windowMs = windowMs;
    this.#now = now;
    this.#reset = now() + windowMs;
  }

  get exhausted(): boolean {
    this.#roll();
    return this.#used >= this.#limit;
  }

  /** Counts one request. A 304 is not counted: do not call this for it. */
  consume(): void {
    this.#roll();
    this.#used = Math.min(this.#used + 1, this.#limit);
  }

  headers(): Record<string, string> {
    this.#roll();
    return {
      'x-ratelimit-limit': String(this.#limit),
      'x-ratelimit-remaining': String(this.#limit - this.#used),
      'x-ratelimit-used': String(this.#used),
      'x-ratelimit-reset': String(Math.ceil(this.#reset / 1000)),
      'x-ratelimit-resource': 'core',
    };
  }

  #roll(): void {
    const now = this.#now();
    if (now < this.#reset) return;
    this.#used = 0;
    this.#reset = now + this.#windowMs;
  }
}
