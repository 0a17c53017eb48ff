import { type Attributes, type Context, context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { CellLookup, HistogramCell } from '../metrics/cells.ts';
import type { HttpOptions } from '../options.ts';
import { durationBoundaries, normalizeMethod, redactUrl, spanMethod } from './http-attributes.ts';
import { oldClientRequestAttributes, oldClientResponseAttributes } from './old-attributes.ts';

/** Method, address, port, status, version of the protocol, type of the error. */
type DurationKeys = [string, string, number, number | undefined, string | undefined, string | undefined];

/** An outgoing request on its way. `context` is what is propagated with it. */
export interface ClientSpan {
  /** Undefined where only the duration is wanted. */
  readonly span: Span | undefined;
  readonly context: Context;
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

  constructor(instrumentation: InstrumentationContext) {
    this.#instrumentation = instrumentation;
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
        };
        return http.conventions === 'dup'
          ? { ...attributes, ...oldClientRequestAttributes(attributes, url) }
          : attributes;
      },
    });
    const spanContext = span === undefined ? parent : trace.setSpan(parent, span);
    return { span, context: spanContext, method, address, port, startTime: performance.now() };
  }

  /** `error`: why there is no complete response. */
  end(
    { span, context: spanContext, method, address, port, startTime }: ClientSpan,
    outcome: Attributes,
    error: Error | undefined,
  ): void {
    const seconds = (performance.now() - startTime) / 1000;
    const statusCode = outcome['http.response.status_code'];
    const status = typeof statusCode === 'number' ? statusCode : undefined;
    const protocolVersion = outcome['network.protocol.version'];
    const protocol = typeof protocolVersion === 'string' ? protocolVersion : undefined;
    const failed = status !== undefined && status >= 400 ? String(status) : undefined;
    const failure = error === undefined ? failed : errorType(error);
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
