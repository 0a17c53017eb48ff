import type { QueryContext } from '../../query/query-context.ts';
import type { JaegerParameters } from './jaeger-parameters.ts';

export interface JaegerRequest {
  /** Values of the path's `{name}` parts, decoded. */
  readonly path: Readonly<Record<string, string>>;
  readonly parameters: JaegerParameters;
  readonly context: QueryContext;
}

export interface JaegerRoute {
  readonly method: 'GET';
  /** Below `/`, e.g. `api/traces/{traceId}`. */
  readonly pattern: string;
  /** Gives the JSON body. */
  readonly run: (request: JaegerRequest) => Promise<object>;
}

export function get(pattern: string, run: JaegerRoute['run']): JaegerRoute {
  return { method: 'GET', pattern, run };
}
