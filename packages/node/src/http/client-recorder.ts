import {
  type Attributes,
  type Context,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { CellLookup, HistogramCell } from '../metrics/cells.ts';
import type { HttpOptions } from '../options.ts';
import { contextWithSpan } from '../propagation/layered-context.ts';
import { durationBoundaries, normalizeMethod, redactUrl, spanMethod } from './http-attributes.ts';
import { oldClientRequestAttributes, oldClientResponseAttributes } from './old-attributes.ts';
import { createTargetFilter } from './propagation-targets.ts';
import { Resends } from './resends.ts';

/** Method, address, port, status, version of the protocol, type of the error. */
type DurationKeys = [string, string, number, number | undefined, string | undefined, string | undefined];

/** An outgoing request on its way. `context` is what is propagated with it. */
export interface ClientSpan {
  /** Undefined where only the duration is wanted. */
  readonly span: Span | undefined;
  readonly context: Context;
  /** The span that was active when the request was made. */
  readonly parent: Span | undefined;
  readonly rawMethod: string;
  readonly url: URL;
  readonly resends: number;
  readonly method: string;
  readonly address: string;
  readonly port: number;
  /** Reading of `performance.now()`. */
  readonly startTime: number;
}

/** Spans and durations of outgoing requests (https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client). */
export class ClientRecorder {
  readonly #instrumentation: InstrumentationContext;
  readonly #duration: CellLookup<DurationKeys, HistogramCell>;
  readonly #ignores: HttpOptions['ignoreOutgoing'] & {};
  readonly #mayPropagateTo: (url: URL) => boolean;
  readonly #resends = new Resends();
  readonly #peers: ReadonlyMap<string, string>;

  constructor(instrumentation: InstrumentationContext) {
    this.#instrumentation = instrumentation;
    this.#peers = new Map(Object.entries(instrumentation.settings.http.peers));
    this.#mayPropagateTo = createTargetFilter(instrumentation.settings.http.propagateTo);
    this.#ignores = instrumentation.protect(instrumentation.settings.http.ignoreOutgoing, () => false);
    this.#duration = instrumentation.cells.histogram(
      'http.client.request.duration',
      { description: 'Duration of HTTP client requests.', unit: 's', boundaries: durationBoundaries },
      (method, address, port, status, protocol, error) => ({
        'http.request.method': method,
        'server.address': address,
        'server.port': port,
        ...(status !== undefined && { 'http.response.status_code': status }),
        ...(protocol !== undefined && { 'network.protocol.version': protocol }),
        ...(error !== undefined && { 'error.type': error }),
      }),
    );
  }

  /** Undefined when the application asked not to trace this request. */
  start(rawMethod: string, url: URL): ClientSpan | undefined {
    const { http } = this.#instrumentation.settings;
    if (this.#ignores({ method: rawMethod, url: url.href })) return undefined;
    const method = normalizeMethod(rawMethod);
    const impliedPort = url.protocol === 'https:' ? 443 : 80;
    const address = url.hostname.replace(/^\[|\]$/g, '');
    const port = url.port === '' ? impliedPort : Number(url.port);
    const parent = context.active();
    const parentSpan = trace.getSpan(parent);
    const resends = parentSpan === undefined ? 0 : this.#resends.take(parentSpan, rawMethod, url);
    const peer = this.#peers.get(url.host) ?? this.#peers.get(url.hostname);
    const span = this.#instrumentation.startSpan({
      name: spanMethod(method),
      kind: SpanKind.CLIENT,
      parent,
      attributes: () => {
        const attributes: Attributes = {
          'http.request.method': method,
          'url.full': redactUrl(url),
          'server.address': address,
          'server.port': port,
          ...(method !== rawMethod && { 'http.request.method_original': rawMethod }),
          ...(peer !== undefined && { 'service.peer.name': peer }),
          ...(resends > 0 && { 'http.request.resend_count': resends }),
        };
        return http.conventions === 'dup'
          ? { ...attributes, ...oldClientRequestAttributes(attributes, url) }
          : attributes;
      },
    });
    const spanContext = span === undefined ? parent : contextWithSpan(parent, span);
    return {
      span,
      context: spanContext,
      parent: parentSpan,
      rawMethod,
      url,
      resends,
      method,
      address,
      port,
      startTime: performance.now(),
    };
  }

  /** The headers that propagate the context of this request: none to a host that the option `propagateTo` leaves out. */
  headers({ context: spanContext, url }: ClientSpan): Readonly<Record<string, string>> {
    const carrier: Record<string, string> = {};
    if (this.#mayPropagateTo(url)) propagation.inject(spanContext, carrier);
    return carrier;
  }

  /** Has to be told as soon as the status is known: that is when clients send again. `location` is where a redirect leads. */
  respond(client: ClientSpan, status: number, location: string | undefined): void {
    if (status >= 300) this.#expectResend(client, status, location);
  }

  #expectResend(
    { parent, rawMethod, url, resends }: ClientSpan,
    status: number | undefined,
    location: string | undefined,
  ): void {
    if (parent !== undefined) this.#resends.expect(parent, { method: rawMethod, url, status, location, resends });
  }

  /** `error`: why there is no complete response. */
  end(client: ClientSpan, outcome: Attributes, error: Error | undefined): void {
    const { span, context: spanContext, method, address, port, startTime } = client;
    const seconds = (performance.now() - startTime) / 1000;
    const statusCode = outcome['http.response.status_code'];
    const status = typeof statusCode === 'number' ? statusCode : undefined;
    const protocolVersion = outcome['network.protocol.version'];
    const protocol = typeof protocolVersion === 'string' ? protocolVersion : undefined;
    const failed = status !== undefined && status >= 400 ? String(status) : undefined;
    const failure = error === undefined ? failed : errorType(error);
    if (error !== undefined) this.#expectResend(client, undefined, undefined);
    if (span?.isRecording() === true) {
      span.setAttributes(outcome);
      if (this.#instrumentation.settings.http.conventions === 'dup')
        span.setAttributes(oldClientResponseAttributes(outcome));
      if (failure !== undefined) {
        span.setAttribute('error.type', failure);
        span.setStatus({ code: SpanStatusCode.ERROR, ...(error !== undefined && { message: error.message }) });
      }
      span.end();
    }
    this.#duration(method, address, port, status, protocol, failure).record(seconds, spanContext);
  }
}

/** The code that Node and undici give their errors, else the class; `fetch` hides the reason in `cause`. */
function errorType(error: Error): string {
  const code: unknown = Reflect.get(error, 'code');
  if (typeof code === 'string') return code;
  return error.cause instanceof Error ? errorType(error.cause) : error.name;
}
