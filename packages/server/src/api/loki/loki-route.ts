import type { QueryContext } from '../../query/query-context.ts';
import type { LokiParameters } from './loki-parameters.ts';

export interface LokiRequest {
  /** Values of the path's `{name}` parts, decoded. */
  readonly path: Readonly<Record<string, string>>;
  readonly parameters: LokiParameters;
  readonly context: QueryContext;
  /** `X-Loki-Response-Encoding-Flags` has `categorize-labels`: lines come with their labels apart by where they are from. */
  readonly categorizesLabels: boolean;
}

/** An answer: a value that becomes JSON, or text. */
export type LokiAnswer = { readonly json: unknown } | { readonly text: string };

export interface LokiRoute {
  readonly method: 'GET' | 'POST';
  /** Below the root, e.g. `loki/api/v1/label/{name}/values`. */
  readonly pattern: string;
  readonly run: (request: LokiRequest) => Promise<LokiAnswer> | LokiAnswer;
}

/** Routes that are asked with parameters in the URL, or in a form. */
export function route(pattern: string, run: LokiRoute['run']): LokiRoute[] {
  return (['GET', 'POST'] as const).map((method) => ({ method, pattern: `loki/api/v1/${pattern}`, run }));
}

/** The envelope of most answers. */
export function success(data: unknown): LokiAnswer {
  return { json: { status: 'success', data } };
}
