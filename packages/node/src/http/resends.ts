import type { Span } from '@opentelemetry/api';

const maxExpected = 64;

/** One way in which an outgoing request ended that makes clients send again. */
export interface Unfinished {
  readonly method: string;
  readonly url: URL;
  /** Undefined without a response. */
  readonly status: number | undefined;
  /** The header `Location`. */
  readonly location: string | undefined;
  /** How often it had been sent again already. */
  readonly resends: number;
}

/**
 * Counts how often requests are sent again (`http.request.resend_count`). No client says so; but one that tries again, or
 * follows a redirect, does it in the context of the first attempt. So a request counts as sent again when, under the same
 * parent span, the same one has failed before, or another was answered with a redirect to its URL.
 */
export class Resends {
  readonly #expected = new WeakMap<Span, Map<string, number>>();

  /** Notes what may be sent again under `parent`, if the outcome is one after which clients do. */
  expect(parent: Span, { method, url, status, location, resends }: Unfinished): void {
    const key = keyOfNext(method, url, status, location);
    if (key === undefined) return;
    const expected = this.#expected.get(parent) ?? new Map<string, number>();
    if (expected.size >= maxExpected) return;
    expected.set(key, resends + 1);
    this.#expected.set(parent, expected);
  }

  /** How often this request has been sent before; each outcome counts for one further request. */
  take(parent: Span, method: string, url: URL): number {
    const expected = this.#expected.get(parent);
    if (expected === undefined) return 0;
    for (const key of [retryKey(method, url), redirectKey(url)]) {
      const count = expected.get(key);
      if (count === undefined) continue;
      expected.delete(key);
      return count;
    }
    return 0;
  }
}

function keyOfNext(
  method: string,
  url: URL,
  status: number | undefined,
  location: string | undefined,
): string | undefined {
  // RFC 9110, sections 15.5.9, 15.6 and RFC 6585, section 4: worth another attempt; and where there was no response at all.
  if (status === undefined || status === 408 || status === 429 || status >= 500) return retryKey(method, url);
  if (status < 300 || status >= 400 || location === undefined || !URL.canParse(location, url.href)) return undefined;
  return redirectKey(new URL(location, url.href));
}

function retryKey(method: string, url: URL): string {
  return `${method} ${url.href}`;
}

/** Without a method, which may change on the way, or a fragment, which is not sent. */
function redirectKey(url: URL): string {
  return `redirect ${url.origin}${url.pathname}${url.search}`;
}
