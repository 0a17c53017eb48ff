import { validateHeaderName } from 'node:http';
import {
  type Attributes,
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import { RPCType, setRPCMetadata, suppressTracing } from '@opentelemetry/core';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { CellLookup, HistogramCell, SumCell } from '../metrics/cells.ts';
import type { HttpOptions } from '../options.ts';
import { hasFailed } from '../surfaces/operation.ts';
import { type Forwarded, readForwarded } from './forwarded.ts';
import { durationBoundaries, normalizeMethod, spanMethod } from './http-attributes.ts';
import { oldServerRequestAttributes, oldServerResponseAttributes } from './old-attributes.ts';
import { type PrefixedRequestMetrics, prefixedRequestMetrics } from './prefixed-request-metrics.ts';
import { recordCaughtPanic } from './recover-panics.ts';
import { attributesOfSeriesKey } from './request-attributes.ts';
import { createRequestLog, type LoggedRequest } from './request-log.ts';
import { keepRequestState, type ServerRequestState } from './request-state.ts';
import { serverRequestAttributes } from './server-attributes.ts';
import type { Failure, ServerExchange } from './server-exchange.ts';

/** Method, scheme, version of the protocol, status, route, type of the error, and what `addRequestAttributes` added. */
type DurationKeys = [
  string,
  string,
  string,
  number | undefined,
  string | undefined,
  string | undefined,
  string | undefined,
];

/** What stands for the span where none is wanted. */
const noSpan: Span = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/** A request that the end of the process cuts off. */
const exitFailure: Failure = {
  type: 'process_exit',
  isServersFault: true,
  message: 'the process ended before the response',
};

const notForwarded: Forwarded = {};

const headerGetter: TextMapGetter<ServerExchange['headers']> = {
  get: (headers, key) => headers[key],
  keys: (headers) => Object.keys(headers),
};

/** Spans, metrics and log of the requests that servers get. */
export class ServerRecorder {
  readonly #instrumentation: InstrumentationContext;
  readonly #duration: CellLookup<DurationKeys, HistogramCell>;
  readonly #active: CellLookup<[method: string, scheme: string], SumCell>;
  readonly #prefixed: PrefixedRequestMetrics | undefined;
  readonly #ignores: HttpOptions['ignoreIncoming'] & {};
  readonly #onRequest: NonNullable<HttpOptions['hooks']>['request'];
  readonly #onResponse: NonNullable<HttpOptions['hooks']>['response'];
  readonly #log: ((request: LoggedRequest) => void) | undefined;
  readonly #traceIdHeader: string | false;
  /** What ends each request that is being served. */
  readonly #open = new Set<(processEnds: boolean) => void>();

  constructor(instrumentation: InstrumentationContext) {
    const { protect, settings, cells } = instrumentation;
    const { http } = settings;
    this.#instrumentation = instrumentation;
    this.#prefixed = prefixedRequestMetrics(instrumentation);
    this.#ignores = protect(http.ignoreIncoming, () => false);
    this.#onRequest = http.hooks.request && protect(http.hooks.request, () => {});
    this.#onResponse = http.hooks.response && protect(http.hooks.response, () => {});
    if (http.requestLog !== false)
      this.#log = protect(createRequestLog(instrumentation.loggerProvider, http.requestLog), () => {});
    this.#traceIdHeader = protect<[], string | false>(
      () => {
        if (http.traceIdHeader !== false) validateHeaderName(http.traceIdHeader);
        return http.traceIdHeader;
      },
      () => false,
    )();
    instrumentation.onExit(() => {
      for (const end of this.#open) end(true);
    });
    this.#duration = cells.histogram(
      'http.server.request.duration',
      { description: 'Duration of HTTP server requests.', unit: 's', boundaries: durationBoundaries },
      (method, scheme, protocol, status, route, error, added) => ({
        ...(added !== undefined && attributesOfSeriesKey(added)),
        'http.request.method': method,
        'url.scheme': scheme,
        'network.protocol.version': protocol,
        ...(route !== undefined && { 'http.route': route }),
        ...(status !== undefined && { 'http.response.status_code': status }),
        ...(error !== undefined && { 'error.type': error }),
      }),
    );
    this.#active = cells.upDownCounter(
      'http.server.active_requests',
      { description: 'Number of active HTTP server requests.', unit: '{request}' },
      (method, scheme) => ({ 'http.request.method': method, 'url.scheme': scheme }),
    );
  }

  /** Begins to record a request, and returns the context in which it has to be handled. */
  begin(exchange: ServerExchange): Context {
    const { http } = this.#instrumentation.settings;
    if (this.#ignores({ method: exchange.method, url: exchange.target })) return suppressTracing(ROOT_CONTEXT);
    const method = normalizeMethod(exchange.method);
    const forwarded = http.trustProxy === false ? notForwarded : readForwarded(exchange.headers, http.trustProxy);
    const scheme = forwarded.scheme ?? exchange.scheme;
    const parent = propagation.extract(ROOT_CONTEXT, exchange.headers, headerGetter);
    const span =
      this.#instrumentation.startSpan({
        name: spanMethod(method),
        kind: SpanKind.SERVER,
        parent,
        attributes: () => {
          const attributes = serverRequestAttributes(exchange, forwarded);
          return http.conventions === 'dup'
            ? { ...attributes, ...oldServerRequestAttributes(exchange, attributes) }
            : attributes;
        },
      }) ?? noSpan;
    const state: ServerRequestState = { type: RPCType.HTTP, span, startTime: performance.now() };
    keepRequestState(exchange.request, state);
    const requestContext = setRPCMetadata(span === noSpan ? parent : trace.setSpan(parent, span), state);
    const active = this.#active(method, scheme);
    active.add(1);
    this.#prefixed?.begin(method);
    const end = this.#instrumentation.protect(
      (processEnds: boolean): void => {
        if (!this.#open.delete(end)) return;
        active.add(-1);
        this.#end(exchange, state, method, scheme, requestContext, processEnds);
      },
      () => {},
    );
    this.#open.add(end);
    exchange.onEnd(() => end(false));
    if (span !== noSpan) this.#announce(exchange, span);
    return requestContext;
  }

  /** Tells the client which trace its request belongs to, and the application's hook that there is a request. */
  #announce(exchange: ServerExchange, span: Span): void {
    const { traceId, spanId, traceFlags } = span.spanContext();
    if (this.#traceIdHeader !== false) exchange.setHeader(this.#traceIdHeader, traceId);
    if (this.#instrumentation.settings.http.responseTraceparent)
      exchange.setHeader('traceparent', `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`);
    if (this.#onRequest !== undefined && span.isRecording()) this.#onRequest(span, exchange.request);
  }

  #end(
    exchange: ServerExchange,
    state: ServerRequestState,
    method: string,
    scheme: string,
    requestContext: Context,
    processEnds: boolean,
  ): void {
    const { span } = state;
    const seconds = (performance.now() - state.startTime) / 1000;
    const status = exchange.status();
    const failure = processEnds ? exitFailure : (statusFailure(status) ?? exchange.failure());
    const found = state.findRoute === undefined ? exchange.leftRoute() : state.findRoute(status);
    const route = state.route ?? found;
    if (state.exceptions !== undefined) this.#recordPanic(state, status, requestContext);
    if (span.isRecording()) {
      this.#onResponse?.(span, exchange.request, exchange.response);
      span.setAttributes(this.#responseAttributes(exchange, status, route));
      if (route !== undefined) span.updateName(`${spanMethod(method)} ${route}`);
      if (failure !== undefined) recordFailure(span, failure);
      span.end();
    }
    this.#duration(
      method,
      scheme,
      exchange.protocolVersion,
      status,
      route,
      failure?.type,
      state.attributes?.seriesKey(),
    ).record(seconds, requestContext);
    this.#prefixed?.end(method, route, status, seconds, requestContext);
    this.#log?.({
      method,
      route,
      status,
      seconds,
      bytes: exchange.responseSize(),
      attributes: state.attributes?.entries() ?? {},
      hasFailed: failure?.isServersFault === true,
      context: requestContext,
    });
  }

  /** Once the status is known: only then is it clear that nobody has made a good answer of the exception. */
  #recordPanic(state: ServerRequestState, status: number | undefined, requestContext: Context): void {
    const { recordPanics } = this.#instrumentation.settings.http;
    if (recordPanics !== false)
      context.with(
        requestContext,
        recordCaughtPanic,
        undefined,
        state,
        status,
        recordPanics === true ? {} : recordPanics,
      );
  }

  #responseAttributes(exchange: ServerExchange, status: number | undefined, route: string | undefined): Attributes {
    const size = exchange.responseSize();
    const attributes: Attributes = {};
    if (route !== undefined) attributes['http.route'] = route;
    if (status !== undefined) attributes['http.response.status_code'] = status;
    if (size !== undefined) attributes['http.response.body.size'] = size;
    return this.#instrumentation.settings.http.conventions === 'dup'
      ? { ...attributes, ...oldServerResponseAttributes(status, size) }
      : attributes;
  }
}

/** https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status: 5xx is an error, 4xx is not. */
function statusFailure(status: number | undefined): Failure | undefined {
  return status !== undefined && status >= 500 ? { type: String(status), isServersFault: true } : undefined;
}

function recordFailure(span: Span, { type, isServersFault, message }: Failure): void {
  span.setAttribute('error.type', type);
  if (isServersFault && !hasFailed(span))
    span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
}
