import type { IncomingMessage, ServerResponse } from 'node:http';

/** Browsers keep the answer to a preflight for at most this long (Chromium's own limit), in seconds. */
const PREFLIGHT_MAX_AGE_S = 7200;

/** Which web pages may send to a receiver: none by default. */
export class Cors {
  readonly #any: boolean;
  readonly #origins: ReadonlySet<string>;

  /** @param origins such as `https://shop.example`; `*` stands for any */
  constructor(origins: readonly string[]) {
    this.#any = origins.includes('*');
    this.#origins = new Set(origins);
  }

  /** Sets the headers that let the page at the request's origin read the answer; false when it may not. */
  allow(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#origins.size === 0) {
      return false;
    }
    response.setHeader('Vary', 'Origin');
    const origin = request.headers.origin;
    if (origin === undefined || !(this.#any || this.#origins.has(origin))) {
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
    response.setHeader('Access-Control-Max-Age', PREFLIGHT_MAX_AGE_S);
    response.writeHead(204).end();
    return true;
  }
}
