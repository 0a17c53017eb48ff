import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
} from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { CellLookup, HistogramCell, SumCell } from '../metrics/cells.ts';
import type { HttpOptions } from '../options.ts';
import { hasFailed } from '../surfaces/operation.ts';
import { RecordingSpan } from '../trace/span.ts';
import { type Forwarded, readForwarded } from './forwarded.ts';
import { durationBoundaries, normalizeMethod, spanMethod } from './http-attributes.ts';
import { oldServerRequestAttributes, oldServerResponseAttributes } from './old-attributes.ts';
import { OpenRequests } from './open-requests.ts';
import { type PrefixedRequestMetrics, prefixedRequestMetrics } from './prefixed-request-metrics.ts';
import { recordCaughtPanic } from './recover-panics.ts';
import { attributesOfSeriesKey } from './request-attributes.ts';
import { createRequestLog, type LoggedRequest } from './request-log.ts';
import { keepRequestState } from './request-state.ts';
import { type HeaderName, headerName } from './response-headers.ts';
import { noSpan, ServedRequest } from './served-request.ts';
import { completeAttributes, serverRequestAttributes } from './server-attributes.ts';
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

/** A request that the end of the process cuts off. */
const exitFailure: Failure = {
  type: 'process_exit',
  isServersFault: true,
  message: 'the process ended before the response',
};

const notForwarded: Forwarded = {};
const maxNames = 1_000;

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
  readonly #ignores: HttpOptions['ignoreIncoming'];
  readonly #onRequest: NonNullable<HttpOptions['hooks']>['request'];
  readonly #onResponse: NonNullable<HttpOptions['hooks']>['response'];
  readonly #log: ((request: LoggedRequest) => void) | undefined;
  readonly #traceIdHeader: HeaderName | undefined;
  readonly #traceparentHeader: HeaderName | undefined;
  /** Of spans, by route, as the last request to it had it. */
  readonly #names = new Map<string, { readonly method: string; readonly name: string }>();
  readonly #open = new OpenRequests<ServedRequest>();
  readonly #end: (served: ServedRequest, processEnds: boolean) => void;

  constructor(instrumentation: InstrumentationContext) {
    const { protect, settings, cells } = instrumentation;
    const { http } = settings;
    this.#instrumentation = instrumentation;
    this.#prefixed = prefixedRequestMetrics(instrumentation);
    this.#ignores = http.ignoreIncoming && protect(http.ignoreIncoming, () => false);
    this.#onRequest = http.hooks.request && protect(http.hooks.request, () => {});
    this.#onResponse = http.hooks.response && protect(http.hooks.response, () => {});
    if (http.requestLog !== false)
      this.#log = protect(createRequestLog(instrumentation.loggerProvider, http.requestLog), () => {});
    const { traceIdHeader } = http;
    if (traceIdHeader !== false)
      this.#traceIdHeader = protect<[], HeaderName | undefined>(
        () => headerName(traceIdHeader),
        () => undefined,
      )();
    if (http.responseTraceparent) this.#traceparentHeader = headerName('traceparent');
    this.#end = protect(
      (served: ServedRequest, processEnds: boolean) => this.#record(served, processEnds),
      () => {},
    );
    instrumentation.onExit(() => {
      this.#open.forEach((served) => void this.#end(served, true));
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

  /** Of responses, set by the recorder. */
  get headers(): readonly HeaderName[] {
    return [this.#traceIdHeader, this.#traceparentHeader].filter((name) => name !== undefined);
  }

  /** Begins to record a request, and returns the context in which it has to be handled. */
  begin(exchange: ServerExchange): Context {
    const { http } = this.#instrumentation.settings;
    if (this.#ignores?.({ method: exchange.method, url: exchange.target }) === true)
      return suppressTracing(ROOT_CONTEXT);
    const method = normalizeMethod(exchange.method);
    const forwarded = http.trustProxy === false ? notForwarded : readForwarded(exchange.headers, http.trustProxy);
    const scheme = forwarded.scheme ?? exchange.scheme;
    const parent = propagation.extract(ROOT_CONTEXT, exchange.headers, headerGetter);
    const reading = performance.now();
    const span = this.#instrumentation.startSpan({
      name: spanMethod(method),
      kind: SpanKind.SERVER,
      parent,
      reading,
      attributes: () => {
        const attributes = serverRequestAttributes(exchange, forwarded);
        return http.conventions === 'dup'
          ? { ...attributes, ...oldServerRequestAttributes(exchange, attributes) }
          : attributes;
      },
    });
    const served = new ServedRequest(exchange, method, scheme, parent, span, reading);
    keepRequestState(exchange.request, served);
    this.#active(method, scheme).add(1);
    this.#prefixed?.begin(method);
    this.#open.add(served);
    exchange.onEnd(() => this.#end(served, false));
    if (span !== undefined) this.#announce(exchange, span);
    return served.context;
  }

  /** Tells the client which trace its request belongs to, and the application's hook that there is a request. */
  #announce(exchange: ServerExchange, span: Span): void {
    const { traceId, spanId, traceFlags } = span.spanContext();
    if (this.#traceIdHeader !== undefined) exchange.setHeader(this.#traceIdHeader, traceId);
    if (this.#traceparentHeader !== undefined)
      exchange.setHeader(
        this.#traceparentHeader,
        `00-${traceId}-${spanId}-${traceFlags < 16 ? '0' : ''}${traceFlags.toString(16)}`,
      );
    if (this.#onRequest !== undefined && span.isRecording()) this.#onRequest(span, exchange.request);
  }

  #record(served: ServedRequest, processEnds: boolean): void {
    if (!this.#open.delete(served)) return;
    const { exchange, span, method, scheme, context: requestContext } = served;
    this.#active(method, scheme).add(-1);
    const reading = performance.now();
    const seconds = (reading - served.startTime) / 1000;
    const status = exchange.status();
    const failure = processEnds ? exitFailure : (statusFailure(status) ?? exchange.failure());
    const found = served.findRoute === undefined ? exchange.leftRoute() : served.findRoute(status);
    const route = served.route ?? found;
    if (served.exceptions !== undefined) this.#recordPanic(served, status);
    if (span !== noSpan && span.isRecording()) this.#endSpan(span, exchange, status, route, failure, reading);
    this.#duration(
      method,
      scheme,
      exchange.protocolVersion,
      status,
      route,
      failure?.type,
      served.attributes?.seriesKey(),
    ).record(seconds, requestContext);
    this.#prefixed?.end(method, route, status, seconds, requestContext);
    this.#log?.({
      method,
      route,
      status,
      seconds,
      bytes: exchange.responseSize(),
      attributes: served.attributes?.entries() ?? {},
      hasFailed: failure?.isServersFault === true,
      context: requestContext,
    });
  }

  #endSpan(
    span: Span,
    exchange: ServerExchange,
    status: number | undefined,
    route: string | undefined,
    failure: Failure | undefined,
    reading: number,
  ): void {
    this.#onResponse?.(span, exchange.request, exchange.response);
    const size = exchange.responseSize();
    const isDoubled = this.#instrumentation.settings.http.conventions === 'dup';
    // If they are the last ones that it gets, none of them has to be counted.
    if (span instanceof RecordingSpan && failure === undefined && !isDoubled && span.takesMore(3))
      completeAttributes(span.attributes, route, status, size);
    else {
      if (route !== undefined) span.setAttribute('http.route', route);
      if (status !== undefined) span.setAttribute('http.response.status_code', status);
      if (size !== undefined) span.setAttribute('http.response.body.size', size);
    }
    if (isDoubled) span.setAttributes(oldServerResponseAttributes(status, size));
    if (route !== undefined) span.updateName(this.#nameOf(normalizeMethod(exchange.method), route));
    if (failure !== undefined) recordFailure(span, failure);
    // What the hook or a panic has told it lies before its end.
    const mayHaveEvents = this.#onResponse !== undefined || failure !== undefined;
    if (span instanceof RecordingSpan && !mayHaveEvents) span.endAt(reading);
    else span.end();
  }

  /** Kept by route: a text that has just been put together is made one piece of when it is encoded, which takes longer than this. */
  #nameOf(method: string, route: string): string {
    const known = this.#names.get(route);
    if (known !== undefined && known.method === method) return known.name;
    const name = `${spanMethod(method)} ${route}`;
    if (known !== undefined || this.#names.size < maxNames) this.#names.set(route, { method, name });
    return name;
  }

  /** Once the status is known: only then is it clear that nobody has made a good answer of the exception. */
  #recordPanic(served: ServedRequest, status: number | undefined): void {
    const { recordPanics } = this.#instrumentation.settings.http;
    if (recordPanics !== false)
      context.with(
        served.context,
        recordCaughtPanic,
        undefined,
        served,
        status,
        recordPanics === true ? {} : recordPanics,
      );
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
