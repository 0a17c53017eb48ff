import { context, type Span } from '@opentelemetry/api';
import { getRPCMetadata, type RPCMetadata, RPCType } from '@opentelemetry/core';

/**
 * What is known of the request that the current code serves. It travels in the context as the official packages' RPC
 * metadata, so that framework instrumentations of theirs can set the route as well.
 */
export interface ServerRequestState extends RPCMetadata {
  type: RPCType.HTTP;
  span: Span;
  /** Reading of `performance.now()`. */
  readonly startTime: number;
}

/**
 * Tells which route template serves the current request (`/users/:id`, never the URL itself). It becomes `http.route` and
 * the span's name, `{method} {route}`. Call it anywhere while handling the request; the last call wins. Outside a request
 * it does nothing.
 */
export function setRoute(route: string): void {
  const metadata = getRPCMetadata(context.active());
  if (metadata?.type === RPCType.HTTP) metadata.route = route;
}

/** The server span of the request that the current code serves, however many spans were started inside it. */
export function getRequestSpan(): Span | undefined {
  const metadata = getRPCMetadata(context.active());
  return metadata?.type === RPCType.HTTP ? metadata.span : undefined;
}
