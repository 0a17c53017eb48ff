import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
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
import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../instrumentation.ts';
import type { CellLookup, HistogramCell, SumCell } from '../metrics/cells.ts';
import type { HttpOptions } from '../options.ts';
import {
  durationBoundaries,
  headerText,
  normalizeMethod,
  parseHost,
  plainAddress,
  redactQuery,
  spanMethod,
  splitTarget,
} from './http-attributes.ts';
import { oldServerRequestAttributes, oldServerResponseAttributes } from './old-attributes.ts';
import type { ServerRequestState } from './request-state.ts';

const startChannel = 'http.server.request.start';

interface StartMessage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
}

/** Method, scheme, version of the protocol, status, route, type of the error. */
type DurationKeys = [string, string, string, number | undefined, string | undefined, string | undefined];

/** What stands for the span where none is wanted. */
const noSpan: Span = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

interface Failure {
  /** `error.type`. */
  readonly type: string;
  readonly isServersFault: boolean;
  readonly message?: string;
}

/** A request that the end of the process cuts off. */
const exitFailure: Failure = {
  type: 'process_exit',
  isServersFault: true,
  message: 'the process ended before the response',
};

const headerGetter: TextMapGetter<IncomingMessage['headers']> = {
  get: (headers, key) => headers[key],
  keys: (headers) => Object.keys(headers),
};

/** `node:http` and `node:https` servers, through the channel that Node itself publishes every request on. */
export const httpServerInstrumentation: Instrumentation = {
  name: 'http-server',
  enable(instrumentation: InstrumentationContext): InstrumentationHandle {
    const recorder = new ServerRecorder(instrumentation);
    return handleOf(instrumentation.subscribe(startChannel, (message) => recorder.start(message as StartMessage)));
  },
};

class ServerRecorder {
  readonly #instrumentation: InstrumentationContext;
  readonly #duration: CellLookup<DurationKeys, HistogramCell>;
  readonly #active: CellLookup<[method: string, scheme: string], SumCell>;
  readonly #ignores: HttpOptions['ignoreIncoming'] & {};
  /** What ends each request that is being served. */
  readonly #open = new Set<(processEnds: boolean) => void>();

  constructor(instrumentation: InstrumentationContext) {
    this.#instrumentation = instrumentation;
    this.#ignores = instrumentation.protect(instrumentation.settings.http.ignoreIncoming, () => false);
    instrumentation.onExit(() => {
      for (const end of this.#open) end(true);
    });
    this.#duration = instrumentation.cells.histogram(
      'http.server.request.duration',
      { description: 'Duration of HTTP server requests.', unit: 's', boundaries: durationBoundaries },
      (method, scheme, protocol, status, route, error) => ({
        'http.request.method': method,
        'url.scheme': scheme,
        'network.protocol.version': protocol,
        ...(route !== undefined && { 'http.route': route }),
        ...(status !== undefined && { 'http.response.status_code': status }),
        ...(error !== undefined && { 'error.type': error }),
      }),
    );
    this.#active = instrumentation.cells.upDownCounter(
      'http.server.active_requests',
      { description: 'Number of active HTTP server requests.', unit: '{request}' },
      (method, scheme) => ({ 'http.request.method': method, 'url.scheme': scheme }),
    );
  }

  start({ request, response, socket }: StartMessage): void {
    const { http } = this.#instrumentation.settings;
    const rawMethod = request.method ?? '';
    const target = request.url ?? '/';
    if (this.#ignores({ method: rawMethod, url: target })) {
      this.#instrumentation.enterContext(suppressTracing(ROOT_CONTEXT));
      return;
    }
    const method = normalizeMethod(rawMethod);
    const scheme = schemeOf(request, socket);
    const parent = propagation.extract(ROOT_CONTEXT, request.headers, headerGetter);
    const span =
      this.#instrumentation.startSpan({
        name: spanMethod(method),
        kind: SpanKind.SERVER,
        parent,
        attributes: () => {
          const attributes = requestAttributes(request, socket, rawMethod, method, scheme, target);
          return http.conventions === 'dup'
            ? { ...attributes, ...oldServerRequestAttributes(request, attributes) }
            : attributes;
        },
      }) ?? noSpan;
    const state: ServerRequestState = { type: RPCType.HTTP, span, startTime: performance.now() };
    const requestContext = setRPCMetadata(span === noSpan ? parent : trace.setSpan(parent, span), state);
    const active = this.#active(method, scheme);
    active.add(1);
    const end = this.#instrumentation.protect(
      (processEnds: boolean): void => {
        if (!this.#open.delete(end)) return;
        active.add(-1);
        const failure = processEnds ? exitFailure : failureOf(response);
        this.#end(request, response, state, method, scheme, requestContext, failure);
      },
      () => {},
    );
    this.#open.add(end);
    // Not the channel for finished responses: it stays silent when the client goes away first.
    response.once('close', () => end(false));
    this.#instrumentation.enterContext(requestContext);
    if (mayHaveBody(request)) bindEvents(request, requestContext);
    // At last, as it throws for a name that is none.
    if (http.traceIdHeader !== false && span !== noSpan)
      response.setHeader(http.traceIdHeader, span.spanContext().traceId);
  }

  #end(
    request: IncomingMessage,
    response: ServerResponse,
    state: ServerRequestState,
    method: string,
    scheme: string,
    requestContext: Context,
    failure: Failure | undefined,
  ): void {
    const { span } = state;
    const seconds = (performance.now() - state.startTime) / 1000;
    const route = state.route ?? expressRoute(request);
    const status = response.headersSent ? response.statusCode : undefined;
    if (span.isRecording()) {
      if (route !== undefined) {
        span.setAttribute('http.route', route);
        span.updateName(`${spanMethod(method)} ${route}`);
      }
      if (status !== undefined) span.setAttribute('http.response.status_code', status);
      if (failure !== undefined) recordFailure(span, failure);
      const size = responseSize(request, response);
      if (size !== undefined) span.setAttribute('http.response.body.size', size);
      if (this.#instrumentation.settings.http.conventions === 'dup')
        span.setAttributes(oldServerResponseAttributes(response, size));
      span.end();
    }
    this.#duration(method, scheme, request.httpVersion, status, route, failure?.type).record(seconds, requestContext);
  }
}

function recordFailure(span: Span, { type, isServersFault, message }: Failure): void {
  span.setAttribute('error.type', type);
  if (isServersFault && !hasFailed(span))
    span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
}

function schemeOf({ headers }: IncomingMessage, socket: Socket): string {
  const forwarded = headers['x-forwarded-proto'];
  const scheme = forwarded === undefined ? '' : headerText(forwarded)?.split(',')[0]?.trim().toLowerCase();
  // From outside, and part of a metric's series: nothing but the two that a server of HTTP can have.
  if (scheme === 'http' || scheme === 'https') return scheme;
  return 'encrypted' in socket ? 'https' : 'http';
}

function requestAttributes(
  request: IncomingMessage,
  socket: Socket,
  rawMethod: string,
  method: string,
  scheme: string,
  target: string,
): Attributes {
  const { headers } = request;
  const { path, query } = splitTarget(target);
  const attributes: Attributes = {
    'http.request.method': method,
    'url.scheme': scheme,
    'url.path': path,
    'network.protocol.version': request.httpVersion,
  };
  if (method !== rawMethod) attributes['http.request.method_original'] = rawMethod;
  if (query !== '') attributes['url.query'] = redactQuery(query);
  const host = headerText(headers['x-forwarded-host'])?.split(',')[0]?.trim() || headers.host;
  if (host !== undefined && host !== '') {
    const { address, port } = parseHost(host);
    attributes['server.address'] = address;
    const impliedPort = scheme === 'https' ? 443 : 80;
    attributes['server.port'] = port ?? impliedPort;
  }
  const { remotePort } = socket;
  const remoteAddress = socket.remoteAddress === undefined ? undefined : plainAddress(socket.remoteAddress);
  if (remoteAddress !== undefined) attributes['network.peer.address'] = remoteAddress;
  if (remotePort !== undefined) attributes['network.peer.port'] = remotePort;
  const client = headerText(headers['x-forwarded-for'])?.split(',')[0]?.trim() || remoteAddress;
  if (client !== undefined) attributes['client.address'] = client;
  const userAgent = headers['user-agent'];
  if (userAgent !== undefined) attributes['user_agent.original'] = userAgent;
  return attributes;
}

/**
 * Status rules of https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status: 5xx is an error, 4xx is not. A
 * response cut off by the client has a type but is no fault of this server.
 */
function failureOf(response: ServerResponse): Failure | undefined {
  if (response.headersSent && response.statusCode >= 500)
    return { type: String(response.statusCode), isServersFault: true };
  if (response.writableFinished) return undefined;
  const error = response.errored;
  if (error !== null && error !== undefined)
    return { type: errorType(error), isServersFault: errorType(error) !== 'ECONNRESET' };
  return { type: 'ECONNRESET', isServersFault: false };
}

function errorType(error: Error): string {
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' ? code : error.name;
}

/** Whether the application has set the error status itself: it has said why, and a second status would wipe that out. */
function hasFailed(span: Span): boolean {
  const status: unknown = Reflect.get(span, 'status');
  return typeof status === 'object' && status !== null && Reflect.get(status, 'code') === SpanStatusCode.ERROR;
}

/** Bytes of the body as Content-Length tells; unknown for chunked bodies. */
function responseSize(request: IncomingMessage, response: ServerResponse): number | undefined {
  if (request.method === 'HEAD' || response.statusCode === 304 || response.statusCode === 204) return undefined;
  // Node computes the length of a body given whole to `end` but keeps it out of `getHeader`.
  const length: unknown = response.getHeader('content-length') ?? Reflect.get(response, '_contentLength');
  const size = typeof length === 'number' || typeof length === 'string' ? Number(length) : Number.NaN;
  return Number.isSafeInteger(size) ? size : undefined;
}

/** Express leaves the matched route on the request. */
function expressRoute(request: IncomingMessage): string | undefined {
  const route: unknown = Reflect.get(request, 'route');
  const path: unknown = typeof route === 'object' && route !== null ? Reflect.get(route, 'path') : undefined;
  if (typeof path !== 'string') return undefined;
  const baseUrl: unknown = Reflect.get(request, 'baseUrl');
  return typeof baseUrl === 'string' ? `${baseUrl}${path === '/' && baseUrl !== '' ? '' : path}` : path;
}

function mayHaveBody(request: IncomingMessage): boolean {
  const { headers } = request;
  return (
    headers['transfer-encoding'] !== undefined ||
    (headers['content-length'] !== undefined && headers['content-length'] !== '0')
  );
}

/**
 * Body events come from the connection, which outlives the request; since Node 24 they run in the connection's context.
 * Requests without a body have no such events, and are spared the cost.
 */
function bindEvents(request: IncomingMessage, requestContext: Context): void {
  const emit = request.emit;
  request.emit = function emitInContext(this: IncomingMessage, ...args: Parameters<typeof emit>) {
    return context.with(requestContext, emit, this, ...args);
  } as typeof emit;
}
