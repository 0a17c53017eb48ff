import { type ErrorCode, toSignalboxError } from '../../pipeline/signalbox-error.ts';

const statuses: Readonly<Record<ErrorCode, number>> = {
  invalid_argument: 400,
  not_found: 404,
  unimplemented: 501,
  timeout: 504,
  cancelled: 499,
  resource_exhausted: 429,
  too_large: 422,
  unavailable: 503,
  unauthenticated: 503,
  permission_denied: 503,
  internal: 500,
};

const hints: Readonly<Partial<Record<ErrorCode, string>>> = {
  timeout: 'Narrow the query: a shorter time range, or conditions that fewer spans fulfil.',
  too_large: 'Narrow the query: a shorter time range, or conditions that fewer spans fulfil.',
  resource_exhausted: 'Try again in a moment.',
};

/** The one place where errors become answers of Tempo's API, whose clients show the text as it is. */
export function toTempoError(error: unknown): {
  readonly status: number;
  readonly text: string;
  readonly isBug: boolean;
} {
  const known = toSignalboxError(error);
  const hint = known.hint ?? hints[known.code];
  const text = hint === undefined ? known.message : `${known.message}. ${hint}`;
  return { status: statuses[known.code], text, isBug: known.code === 'internal' };
}
