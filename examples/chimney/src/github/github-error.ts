/** GitHub could not be asked, or did not answer as it should. The message never holds a token or a query. */
export class GithubError extends Error {
  override name = 'GithubError';
  /** What chimney answers when it has nothing stale to offer: 502, 503 or 504. */
  readonly status: number;
  readonly retryAfterSeconds: number | null;

  constructor(status: number, message: string, options: { cause?: unknown; retryAfterSeconds?: number | null } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.status = status;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}
