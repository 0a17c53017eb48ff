import type { IncomingHttpHeaders } from 'node:http';
import type { QueryContext } from '../../query/query-context.ts';
import type { RouteDescription } from './describe-route.ts';
import type { PrometheusParameters } from './prometheus-parameters.ts';

export interface PrometheusRequest {
  /** Values of the path's `{name}` parts, decoded. */
  readonly path: Readonly<Record<string, string>>;
  readonly parameters: PrometheusParameters;
  readonly context: QueryContext;
  readonly headers: IncomingHttpHeaders;
  /** The body, of routes that describe one; of others it may have been read as a form. Rejects with `bad_data` when it is longer. */
  readonly body: (maxBytes: number) => Promise<Uint8Array>;
}

/** What goes into the envelope of a success (HTTP API, "Format overview"). */
export interface PrometheusAnswer {
  readonly data: unknown;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

/** `data` that is text of JSON already, in pieces: answers can be larger than a text may be. */
export class JsonPieces {
  readonly pieces: Iterable<string>;

  constructor(pieces: Iterable<string>) {
    this.pieces = pieces;
  }
}

/** An answer that is bytes of another type, without an envelope. */
export interface BytesAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

/** An answer that is text in pieces, without an envelope. */
export interface TextAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: Iterable<string>;
}

/** An answer that is bytes, which are made as the client reads them, without an envelope. */
export interface StreamAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: AsyncIterable<Uint8Array>;
  /** What can't be made smaller is not compressed again. */
  readonly isPacked: boolean;
}

export interface PrometheusRoute {
  readonly method: 'GET' | 'POST';
  /** Below `/api/v1/`, e.g. `label/{name}/values`; of routes that stand beside it, below the root. */
  readonly pattern: string;
  readonly about: RouteDescription;
  /** Parameters that can't be read are refused, and bodies in parts not read, as Prometheus has it here; elsewhere they are left out. */
  readonly isStrict?: boolean;
  readonly run: (request: PrometheusRequest) => Promise<PrometheusAnswer | BytesAnswer | TextAnswer | StreamAnswer>;
}

export function get(pattern: string, about: RouteDescription, run: PrometheusRoute['run']): PrometheusRoute {
  return { method: 'GET', pattern, about, run };
}

/** Queries can be longer than a URL: these take forms as well. */
export function getOrPost(pattern: string, about: RouteDescription, run: PrometheusRoute['run']): PrometheusRoute[] {
  return [get(pattern, about, run), { method: 'POST', pattern, about, run }];
}

/** The route with `isStrict`. */
export function strict(route: PrometheusRoute): PrometheusRoute {
  return { ...route, isStrict: true };
}

export const truncatedWarning = 'results truncated due to limit';

/** The first `limit` of a list, with a warning when there were more; 0: all. */
export function truncated<Item>(list: readonly Item[], limit: number): { items: readonly Item[]; warnings: string[] } {
  if (limit === 0 || list.length <= limit) return { items: list, warnings: [] };
  return { items: list.slice(0, limit), warnings: [truncatedWarning] };
}
