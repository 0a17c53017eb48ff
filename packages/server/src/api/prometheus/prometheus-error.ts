import { type ErrorCode, toSignalboxError } from '../../pipeline/signalbox-error.ts';
import { PromqlError } from '../../query/promql/promql-error.ts';

/** Prometheus's `errorType` (HTTP API, "Format overview"), with the status that each has. */
export const statuses = {
  bad_data: 400,
  not_found: 404,
  execution: 422,
  canceled: 499,
  internal: 500,
  timeout: 503,
  unavailable: 503,
} as const;

export type PrometheusErrorType = keyof typeof statuses;

/** An answer that is an error in Prometheus's own words. */
export class PrometheusError extends Error {
  override readonly name = 'PrometheusError';
  readonly type: PrometheusErrorType;

  constructor(type: PrometheusErrorType, message: string, options?: ErrorOptions) {
    super(message, options);
    this.type = type;
  }
}

/** What Prometheus says of a parameter that can't be read. */
export function invalidParameter(name: string, reason: string): PrometheusError {
  return new PrometheusError('bad_data', `invalid parameter "${name}": ${reason}`);
}

const types: Readonly<Record<ErrorCode, PrometheusErrorType>> = {
  invalid_argument: 'bad_data',
  not_found: 'not_found',
  unimplemented: 'not_found',
  timeout: 'timeout',
  cancelled: 'canceled',
  resource_exhausted: 'unavailable',
  too_large: 'execution',
  unavailable: 'unavailable',
  unauthenticated: 'unavailable',
  permission_denied: 'unavailable',
  internal: 'internal',
};

export interface PrometheusErrorAnswer {
  readonly status: number;
  readonly body: { readonly status: 'error'; readonly errorType: PrometheusErrorType; readonly error: string };
  /** Seconds for `Retry-After`, where trying again makes sense. */
  readonly retryAfterSeconds?: number;
}

/** The one place where errors become statuses and bodies of Prometheus's API. */
export function toPrometheusAnswer(error: unknown): PrometheusErrorAnswer {
  if (error instanceof PrometheusError) return answer(error.type, error.message);
  if (error instanceof PromqlError) return answer(error.kind, error.message);
  const known = toSignalboxError(error);
  const type = types[known.code];
  const message = known.hint === undefined ? known.message : `${known.message}. ${known.hint}`;
  if (type !== 'unavailable') return answer(type, message);
  return { ...answer(type, message), retryAfterSeconds: Math.max(1, Math.ceil((known.retryAfterMs ?? 1_000) / 1000)) };
}

function answer(type: PrometheusErrorType, message: string): PrometheusErrorAnswer {
  return { status: statuses[type], body: { status: 'error', errorType: type, error: message } };
}
