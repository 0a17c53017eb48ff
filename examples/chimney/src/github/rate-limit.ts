/** What GitHub last said about how many requests are left. */
export class RateLimit {
  #remaining: number | null = null;
  #reset: number | null = null;

  /** Last observed `X-RateLimit-Remaining`. */
  get remaining(): number | null {
    return this.#remaining;
  }

  /** Last observed `X-RateLimit-Reset`, seconds since 1970. */
  get reset(): number | null {
    return this.#reset;
  }

  observe(headers: Headers): void {
    this.#remaining = wholeNumber(headers.get('x-ratelimit-remaining')) ?? this.#remaining;
    this.#reset = wholeNumber(headers.get('x-ratelimit-reset')) ?? this.#reset;
  }

  /** Seconds until requests are allowed again; 0 when they are now. Asking on while none is left can get a client banned. */
  waitSeconds(now = Date.now()): number {
    if (this.#remaining !== 0 || this.#reset === null) return 0;
    return Math.max(0, Math.ceil(this.#reset - now / 1000));
  }
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
