import type { QueryContext } from '../../query/query-context.ts';
import type { TempoParameters } from './tempo-parameters.ts';

export interface TempoRequest {
  /** Values of the path's `{name}` parts, decoded. */
  readonly path: Readonly<Record<string, string>>;
  readonly parameters: TempoParameters;
  readonly context: QueryContext;
}

/** An answer in the forms that clients may ask for by `Accept`. */
export interface TempoAnswer {
  readonly status?: number;
  readonly json?: () => unknown;
  readonly protobuf?: () => Uint8Array;
  /** Instead of both. */
  readonly text?: string;
}

export interface TempoRoute {
  readonly method: 'GET';
  /** Below `/`, e.g. `api/v2/traces/{traceId}`. */
  readonly pattern: string;
  readonly run: (request: TempoRequest) => Promise<TempoAnswer> | TempoAnswer;
}

export function get(pattern: string, run: TempoRoute['run']): TempoRoute {
  return { method: 'GET', pattern, run };
}
