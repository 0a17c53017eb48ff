import { type Context, INVALID_SPAN_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { RPCType, setRPCMetadata } from '@opentelemetry/core';
import { contextKeyOf, contextWith, spanKey } from '../propagation/layered-context.ts';
import type { OpenRequest } from './open-requests.ts';
import type { RequestAttributes } from './request-attributes.ts';
import type { ServerRequestState } from './request-state.ts';
import type { ServerExchange } from './server-exchange.ts';

/** What stands for the span where none is wanted. */
export const noSpan: Span = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

const stateKey = contextKeyOf((context) => setRPCMetadata(context, { type: RPCType.HTTP, span: noSpan }));
const stateOnly = [stateKey];
const spanAndState = [spanKey, stateKey];

/** One request while it is served: its state, and what its end needs. One object holds all, as there is one for each request. */
export class ServedRequest implements ServerRequestState, OpenRequest<ServedRequest> {
  readonly type = RPCType.HTTP;
  readonly exchange: ServerExchange;
  /** One of the registry. */
  readonly method: string;
  readonly scheme: string;
  readonly span: Span;
  readonly startTime: number;
  /** In which it is handled. */
  readonly context: Context;
  route?: string;
  findRoute?: (status: number | undefined) => string | undefined;
  attributes?: RequestAttributes;
  exceptions?: Map<unknown, boolean>;
  hasPanicked?: boolean;
  previous: ServedRequest | undefined;
  next: ServedRequest | undefined;
  isOpen = false;

  constructor(
    exchange: ServerExchange,
    method: string,
    scheme: string,
    parent: Context,
    span: Span | undefined,
    startTime: number,
  ) {
    this.startTime = startTime;
    this.exchange = exchange;
    this.method = method;
    this.scheme = scheme;
    this.span = span ?? noSpan;
    this.context =
      span === undefined ? contextWith(parent, stateOnly, [this]) : contextWith(parent, spanAndState, [span, this]);
  }
}
