import { context, type Span } from '@opentelemetry/api';
import { getRPCMetadata, type RPCMetadata, RPCType } from '@opentelemetry/core';
import { toError } from '../lifecycle/to-error.ts';
import type { RequestAttributes } from './request-attributes.ts';

/**
 * What is known of a request that is being served. It travels in the context as the official packages' RPC metadata, so
 * that framework instrumentations of theirs can set the route as well.
 */
export interface ServerRequestState extends RPCMetadata {
  type: RPCType.HTTP;
  span: Span;
  /** Reading of `performance.now()`. */
  readonly startTime: number;
  /** Asked at the end, with the status if there is one: the route where nobody has set `route`. */
  findRoute?: (status: number | undefined) => string | undefined;
  /** What handlers said of the request. */
  attributes?: RequestAttributes;
  /** What was recorded already, for an error passes many hands on its way out, and whether it had chosen its status. */
  exceptions?: Map<unknown, boolean>;
  /** Whether `recordPanic` has been called for it. */
  hasPanicked?: boolean;
}

/**
 * On the object that the application knows the request by; that needs no context, which callbacks may have lost. A WeakMap
 * would do too, and costs as much as the rest of beginning a request: each entry is work for the garbage collector.
 */
const stateKey = Symbol('@signalbox/node request');

interface KnownRequest {
  [stateKey]?: ServerRequestState;
  /** Of a request of `node:http2`. */
  readonly stream?: KnownRequest | null;
}

export function keepRequestState(request: object, state: ServerRequestState): void {
  (request as KnownRequest)[stateKey] = state;
}

/** Of `node:http`'s request, of a stream of HTTP/2, or of the request that `node:http2` makes of one. */
export function requestStateOf(request: object): ServerRequestState | undefined {
  const known = request as KnownRequest;
  return known[stateKey] ?? known.stream?.[stateKey];
}

/** Of the request that the current code serves. */
export function currentRequestState(): ServerRequestState | undefined {
  const metadata = getRPCMetadata(context.active());
  return metadata?.type === RPCType.HTTP ? (metadata as ServerRequestState) : undefined;
}

/**
 * Tells which route template serves the current request (`/users/:id`, never the URL itself). It becomes `http.route` and
 * the span's name, `{method} {route}`. Call it anywhere while handling the request; the last call wins. Outside a request
 * it does nothing.
 */
export function setRoute(route: string): void {
  const state = currentRequestState();
  if (state !== undefined) state.route = route;
}

/** The server span of the request that the current code serves, however many spans were started inside it. */
export function getRequestSpan(): Span | undefined {
  return currentRequestState()?.span;
}

/**
 * Records on the request's span what its handler threw, once for each error. The span's status is not touched: that is
 * decided by the response, so that an exception by which a handler says 404 is no error of the server.
 */
export function recordRequestException(state: ServerRequestState, thrown: unknown): void {
  state.exceptions ??= new Map();
  if (state.exceptions.has(thrown)) return;
  // Asked now: Koa gives every error a status on its way.
  state.exceptions.set(thrown, choosesStatus(thrown));
  if (state.span.isRecording()) state.span.recordException(toError(thrown));
}

/** Errors of http-errors, Fastify, Koa, Hono, NestJS and h3 can carry the status to answer with. */
function choosesStatus(thrown: unknown): boolean {
  if (typeof thrown !== 'object' || thrown === null) return false;
  return typeof Reflect.get(thrown, 'status') === 'number' || typeof Reflect.get(thrown, 'statusCode') === 'number';
}
