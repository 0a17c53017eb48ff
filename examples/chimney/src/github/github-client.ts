import { type Span, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { GithubError } from './github-error.ts';
import type { RateLimit } from './rate-limit.ts';

const maxBodyBytes = 8 * 1024 * 1024;

/** An answer that can be handed on: 200, 304, or a 4xx that is the asker's own affair (403, 404, 422). */
export interface GithubResponse {
  status: number;
  body: Buffer;
  contentType: string;
  etag: string | null;
  link: string | null;
}

export interface GithubClientOptions {
  apiUrl: string;
  token: string | null;
  timeoutMs: number;
  tracer: Tracer;
  rateLimit: RateLimit;
}

export class GithubClient {
  readonly #options: GithubClientOptions;

  constructor(options: GithubClientOptions) {
    this.#options = options;
  }

  /** GETs a path of the API inside a `chimney.github_fetch` span. Throws GithubError, which the span then carries as an exception. */
  fetch(path: string, query: string, etag: string | null): Promise<GithubResponse> {
    const attributes = { 'github.api.path': path, 'github.conditional': etag !== null };
    return this.#options.tracer.startActiveSpan('chimney.github_fetch', { attributes }, async (span) => {
      try {
        return await this.#get(span, path, query, etag);
      } catch (error) {
        const failure = error instanceof GithubError ? error : translate(error);
        span.recordException(failure);
        span.setStatus({ code: SpanStatusCode.ERROR, message: failure.message });
        throw failure;
      } finally {
        span.end();
      }
    });
  }

  async #get(span: Span, path: string, query: string, etag: string | null): Promise<GithubResponse> {
    const { apiUrl, token, timeoutMs, rateLimit } = this.#options;
    span.setAttribute('github.not_modified', false);
    const response = await fetch(`${apiUrl}${path}${query === '' ? '' : `?${query}`}`, {
      headers: {
        accept: 'application/vnd.github+json',
        'user-agent': 'chimney (Signalbox example)',
        'x-github-api-version': '2022-11-28',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(etag === null ? {} : { 'if-none-match': etag }),
      },
      // A redirect could lead to another host, with our token.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const { status, headers } = response;
    span.setAttribute('github.api.status_code', status);
    span.setAttribute('github.not_modified', status === 304);
    rateLimit.observe(headers);
    const body = await readBody(response);
    refuse(status, headers, rateLimit);
    return {
      status,
      body,
      contentType: headers.get('content-type') ?? 'application/json; charset=utf-8',
      etag: headers.get('etag'),
      link: headers.get('link'),
    };
  }
}

/** Throws for a status that says something about GitHub, or about us, rather than about what was asked for. */
function refuse(status: number, headers: Headers, rateLimit: RateLimit): void {
  const retryAfterSeconds = Number(headers.get('retry-after')) || rateLimit.waitSeconds() || null;
  if (status === 429 || (status === 403 && retryAfterSeconds !== null)) {
    throw new GithubError(503, 'GitHub rate limit exceeded', { retryAfterSeconds });
  }
  if (status === 401) throw new GithubError(502, 'GitHub refused our token');
  if (status >= 500) throw new GithubError(502, `GitHub answered ${status}`);
  if (status >= 300 && status < 400 && status !== 304) throw new GithubError(502, `GitHub redirected with ${status}`);
}

async function readBody(response: Response): Promise<Buffer> {
  if (!response.body) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new GithubError(502, `GitHub's answer is larger than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function translate(error: unknown): GithubError {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new GithubError(504, 'GitHub did not answer in time', { cause: error });
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { code?: unknown }).code;
  return new GithubError(502, `GitHub could not be reached${typeof code === 'string' ? ` (${code})` : ''}`, { cause });
}
