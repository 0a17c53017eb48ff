import { LogqlParseError } from '@signalbox/query-language';
import { type ErrorCode, toSignalboxError } from '../../pipeline/signalbox-error.ts';
import { LogqlError, type LogqlErrorKind } from '../../query/logql/logql-error.ts';

/** A request that can't be answered, in Loki's words. */
export class LokiError extends Error {
  override readonly name = 'LokiError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const kinds: Readonly<Record<LogqlErrorKind, number>> = { bad_request: 400, limit: 400, canceled: 499, timeout: 504 };

const codes: Readonly<Record<ErrorCode, number>> = {
  invalid_argument: 400,
  not_found: 404,
  unimplemented: 501,
  timeout: 504,
  cancelled: 499,
  resource_exhausted: 429,
  too_large: 400,
  unavailable: 503,
  unauthenticated: 401,
  permission_denied: 403,
  internal: 500,
};

export interface LokiErrorAnswer {
  readonly status: number;
  /** Loki answers errors with plain text. */
  readonly text: string;
  readonly isBug: boolean;
  /** Seconds for `Retry-After`, where trying again makes sense. */
  readonly retryAfterSeconds?: number;
}

/** The one place where errors become statuses and texts of Loki's API. */
export function toLokiError(error: unknown): LokiErrorAnswer {
  if (error instanceof LokiError) return { status: error.status, text: error.message, isBug: false };
  if (error instanceof LogqlParseError) return { status: 400, text: error.message, isBug: false };
  if (error instanceof LogqlError) return { status: kinds[error.kind], text: error.message, isBug: false };
  const known = toSignalboxError(error);
  const status = codes[known.code];
  const text = known.hint === undefined ? known.message : `${known.message}. ${known.hint}`;
  const isOverload = status === 429 || status === 503;
  const retryAfterSeconds = Math.max(1, Math.ceil((known.retryAfterMs ?? 1_000) / 1000));
  return { status, text, isBug: known.code === 'internal', ...(isOverload ? { retryAfterSeconds } : {}) };
}
