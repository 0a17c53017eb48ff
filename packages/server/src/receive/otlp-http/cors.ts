import type { IncomingMessage, ServerResponse } from 'node:http';

/** Which web pages may send to a receiver: none by default. */
export class Cors {
  readonly #any: boolean;
  readonly #origins: ReadonlySet<string>;
  /** Before and after the `*` of origins that have one. */
  readonly #patterns: readonly (readonly [string, string])[];
  readonly #maxAgeS: number;

  /**
   * @param origins such as `https://shop.example`, `https://*.shop.example`; `*` stands for any
   * @param maxAgeS how long browsers keep the answer to a preflight; Chromium never more than 7,200 seconds
   */
  constructor(origins: readonly string[], maxAgeS: number) {
    this.#any = origins.includes('*');
    this.#origins = new Set(origins);
    this.#patterns = origins.flatMap((origin) => {
      const [before, after, ...more] = origin.split('*');
      return before !== undefined && after !== undefined && more.length === 0 ? [[before, after] as const] : [];
    });
    this.#maxAgeS = maxAgeS;
  }

  /** Sets the headers that let the page at the request's origin read the answer; false when it may not. */
  allow(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#origins.size === 0) {
      return false;
    }
    response.setHeader('Vary', 'Origin');
    const origin = request.headers.origin;
    if (origin === undefined || !this.#allows(origin)) {
      return false;
    }
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Expose-Headers', 'Retry-After');
    return true;
  }

  /** Answers a preflight (Fetch standard, "CORS-preflight request"); false when `request` is none, or not allowed. */
  answerPreflight(request: IncomingMessage, response: ServerResponse): boolean {
    const isPreflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
    if (!isPreflight || !this.allow(request, response)) {
      return false;
    }
    const headers = request.headers['access-control-request-headers'];
    response.setHeader('Access-Control-Allow-Methods', 'POST');
    if (headers !== undefined) {
      response.setHeader('Access-Control-Allow-Headers', headers);
    }
    response.setHeader('Access-Control-Max-Age', this.#maxAgeS);
    response.writeHead(204).end();
    return true;
  }

  #allows(origin: string): boolean {
    return (
      this.#any ||
      this.#origins.has(origin) ||
      this.#patterns.some(
        ([before, after]) =>
          origin.length > before.length + after.length && origin.startsWith(before) && origin.endsWith(after),
      )
    );
  }
}
