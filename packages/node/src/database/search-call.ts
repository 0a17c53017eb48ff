import type { Attributes } from '@opentelemetry/api';
import { redactUrl } from '../http/http-attributes.ts';
import { errorType } from '../surfaces/operation.ts';
import type { DatabaseCall, DatabaseFailure, DatabaseOutcome } from './database-recorder.ts';

/** The transport of a search engine's client, as far as it is used here. */
export interface SearchTransport {
  readonly connectionPool?: { readonly connections?: readonly SearchConnection[] };
}

interface SearchConnection {
  readonly url?: URL;
}

/** What a request came to, whole. */
export interface SearchResult {
  readonly body?: unknown;
  readonly statusCode?: number | null;
  readonly headers?: Readonly<Record<string, unknown>> | null;
  readonly meta?: { readonly connection?: SearchConnection | null };
}

/** What is called: which of the API's functions, on which indices. */
export interface SearchOperation {
  readonly method: string;
  readonly operation: string | undefined;
  readonly collection: string | undefined;
}

/** What the answers of one engine tell beyond what is common to all. */
export type EngineAttributes = (result: SearchResult) => Attributes;

export function searchCall(
  system: string,
  { connectionPool }: SearchTransport,
  { method, operation, collection }: SearchOperation,
): DatabaseCall {
  // Which of several nodes answers is known only at the end.
  const [node, ...others] = connectionPool?.connections ?? [];
  const url = others.length === 0 ? node?.url : undefined;
  return {
    target: { system, address: url?.hostname, port: url && portOf(url) },
    operation,
    collection,
    name: operation === undefined ? method : collection === undefined ? operation : `${operation} ${collection}`,
    attributes: () => ({ 'http.request.method': method }),
  };
}

/** What is known with the answer. Of the URL not the query, which may hold what is searched for. */
export function answerAttributes(result: SearchResult, path: string, ofEngine: EngineAttributes): Attributes {
  const url = result.meta?.connection?.url;
  return {
    ...(url !== undefined && {
      'url.full': redactUrl(new URL(path, url)),
      'server.address': url.hostname,
      'server.port': portOf(url),
    }),
    ...ofEngine(result),
  };
}

/** The clients' errors carry what there was of an answer. */
export function failedOutcome(error: unknown, path: string, ofEngine: EngineAttributes): DatabaseOutcome {
  const result: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'meta') : undefined;
  if (typeof result !== 'object' || result === null) return { failure: failureOf(error, {}) };
  return { failure: failureOf(error, result), attributes: () => answerAttributes(result, path, ofEngine) };
}

/** The server's reasons quote queries and documents: of its errors only the type is shown (`index_not_found_exception`). */
function failureOf(error: unknown, { statusCode, body }: SearchResult): DatabaseFailure {
  if (statusCode === undefined || statusCode === null || statusCode === 0) {
    const type = error instanceof Error ? error.name : errorType(error);
    return { type, message: error instanceof Error ? error.message : String(error) };
  }
  const cause: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'error') : undefined;
  const type: unknown = typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'type') : undefined;
  const status = String(statusCode);
  return { statusCode: status, type: status, message: typeof type === 'string' ? type : `status ${status}` };
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}
