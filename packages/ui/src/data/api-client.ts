import type { ApiErrorBody, ApiErrorCode, FilterPosition } from '@signalbox/api-contract';

type ParameterValue = string | number | boolean | readonly string[] | undefined;
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** `unreachable`: no answer at all, or one that is not Signalbox's. */
export type ApiFailureCode = ApiErrorCode | 'unreachable';

export class ApiError extends Error {
  readonly code: ApiFailureCode;
  readonly hint: string | undefined;
  readonly parameter: string | undefined;
  /** Where in the parameter, in UTF-16 units. */
  readonly position: FilterPosition | undefined;

  constructor(code: ApiFailureCode, message: string, hint?: string, parameter?: string, position?: FilterPosition) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.hint = hint;
    this.parameter = parameter;
    this.position = position;
  }

  /** Whether the same request may well work in a moment. */
  get retryable(): boolean {
    return ['timeout', 'too_many_queries', 'unavailable', 'unreachable'].includes(this.code);
  }
}

/** The address of an API route. Empty parameters are left out; lists repeat the name. */
export function apiUrl(path: string, parameters: Parameters = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (typeof value === 'object') for (const item of value) search.append(name, item);
    else if (value !== undefined && value !== '') search.append(name, String(value));
  }
  const text = search.toString();
  return `/api/signalbox/${path}${text ? `?${text}` : ''}`;
}

/** GETs a route. Throws ApiError, or the AbortError of `signal`. Closing the connection stops the query on the server. */
export async function apiGet<T>(path: string, parameters: Parameters = {}, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(apiUrl(path, parameters), {
      headers: { accept: 'application/json' },
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(
      'unreachable',
      'Signalbox does not answer.',
      'Is the process still running? Its output says more.',
    );
  }
  if (!response.ok) throw await toApiError(response);
  return (await response.json()) as T;
}

async function toApiError(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as ApiErrorBody;
    return new ApiError(error.code, error.message, error.hint, error.parameter, error.position);
  } catch {
    return new ApiError(
      'unreachable',
      `The server answered with status ${response.status}, not with Signalbox's JSON.`,
    );
  }
}
