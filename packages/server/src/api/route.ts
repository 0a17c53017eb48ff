import type { IncomingMessage, ServerResponse } from 'node:http';
import type { QueryContext } from '../query/query-context.ts';
import type { RequestParameters } from './request-parameters.ts';

/** A request as routes see it. */
export interface RouteRequest {
  /** Values of the path's `{name}` parts, decoded. */
  readonly path: Readonly<Record<string, string>>;
  readonly parameters: RequestParameters;
  readonly context: QueryContext;
}

/** Answers with what becomes the JSON body. Undefined: 204 without a body. */
export type JsonRoute = (request: RouteRequest) => Promise<unknown>;

/** Writes its own answer, and resolves when it is over. It throws only before it has written anything. */
export type StreamRoute = (
  request: RouteRequest,
  connection: { readonly request: IncomingMessage; readonly response: ServerResponse },
) => Promise<void>;

export interface Route {
  readonly method: 'GET' | 'DELETE';
  /** Below the API's root, e.g. `services/{service}/red`. */
  readonly pattern: string;
  readonly json?: JsonRoute;
  readonly stream?: StreamRoute;
}

export function get(pattern: string, json: JsonRoute): Route {
  return { method: 'GET', pattern, json };
}
