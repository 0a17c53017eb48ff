import type { ApiErrorBody, ApiErrorCode } from '@signalbox/api-contract';
import { type ErrorCode, type SignalboxError, toSignalboxError } from '../pipeline/signalbox-error.ts';
import { QueryInputError } from '../query/query-input-error.ts';

export interface ApiError {
  readonly status: number;
  readonly body: ApiErrorBody;
  /** Seconds for `Retry-After`, where trying again makes sense. */
  readonly retryAfterSeconds?: number;
}

const codes: Readonly<Record<ErrorCode, readonly [ApiErrorCode, number]>> = {
  invalid_argument: ['bad_request', 400],
  not_found: ['not_found', 404],
  unimplemented: ['not_found', 404],
  timeout: ['timeout', 503],
  cancelled: ['cancelled', 499],
  resource_exhausted: ['too_many_queries', 429],
  too_large: ['too_large', 422],
  unavailable: ['unavailable', 503],
  unauthenticated: ['unavailable', 503],
  permission_denied: ['unavailable', 503],
  internal: ['internal', 500],
};

const hints: Readonly<Partial<Record<ApiErrorCode, string>>> = {
  timeout: 'Narrow the query: a shorter time range, a service, or fewer conditions.',
  too_large: 'Narrow the query: a shorter time range, a lower limit, or a larger step.',
  too_many_queries: 'Try again in a moment.',
};

/** The one place where errors become statuses and bodies of the page's API. */
export function toApiError(error: unknown): ApiError {
  const known: SignalboxError = toSignalboxError(error);
  const [code, status] = codes[known.code];
  const hint = known.hint ?? hints[code];
  const body: ApiErrorBody = { error: { code, message: known.message } };
  if (hint !== undefined) body.error.hint = hint;
  if (known instanceof QueryInputError) {
    body.error.parameter = known.parameter;
    if (known.position !== undefined) body.error.position = known.position;
  }
  if (status !== 429 && code !== 'unavailable') return { status, body };
  return { status, body, retryAfterSeconds: Math.max(1, Math.ceil((known.retryAfterMs ?? 1_000) / 1000)) };
}
