import {
  type Attributes,
  type Context,
  context,
  type Histogram,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { HttpOptions } from '../options.ts';
import { version } from '../version.ts';
import { durationBoundaries, normalizeMethod, redactUrl, spanMethod } from './http-attributes.ts';
import { oldClientRequestAttributes, oldClientResponseAttributes } from './old-attributes.ts';

/** An outgoing request on its way. `context` is what is propagated with it. */
export interface ClientSpan {
  readonly span: Span;
  readonly context: Context;
  readonly attributes: Attributes;
  /** Reading of `performance.now()`. */
  readonly startTime: number;
}

/** Spans and durations of outgoing requests (https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client). */
export class ClientRecorder {
  readonly #instrumentation: InstrumentationContext;
  readonly #tracer: Tracer;
  readonly #duration: Histogram;
  readonly #ignores: HttpOptions['ignoreOutgoing'] & {};

  constructor(instrumentation: InstrumentationContext, scope: string) {
    this.#instrumentation = instrumentation;
    this.#ignores = instrumentation.protect(instrumentation.settings.http.ignoreOutgoing, () => false);
    this.#tracer = instrumentation.tracerProvider.getTracer(scope, version);
    this.#duration = instrumentation.meterProvider
      .getMeter(scope, version)
      .createHistogram('http.client.request.duration', {
        description: 'Duration of HTTP client requests.',
        unit: 's',
        advice: { explicitBucketBoundaries: durationBoundaries },
      });
  }

  /** Undefined when the application asked not to trace this request. */
  start(rawMethod: string, url: URL): ClientSpan | undefined {
    const { http } = this.#instrumentation.settings;
    if (this.#ignores({ method: rawMethod, url: url.href })) return undefined;
    const method = normalizeMethod(rawMethod);
    const impliedPort = url.protocol === 'https:' ? 443 : 80;
    const attributes: Attributes = {
      'http.request.method': method,
      'url.full': redactUrl(url),
      'server.address': url.hostname.replace(/^\[|\]$/g, ''),
      'server.port': url.port === '' ? impliedPort : Number(url.port),
      ...(method !== rawMethod && { 'http.request.method_original': rawMethod }),
    };
    if (http.conventions === 'dup') Object.assign(attributes, oldClientRequestAttributes(attributes, url));
    const parent = context.active();
    const span = this.#tracer.startSpan(spanMethod(method), { kind: SpanKind.CLIENT, attributes }, parent);
    return { span, context: trace.setSpan(parent, span), attributes, startTime: performance.now() };
  }

  /** `error`: why there is no complete response. */
  end(
    { span, context: spanContext, attributes, startTime }: ClientSpan,
    outcome: Attributes,
    error: Error | undefined,
  ): void {
    const seconds = (performance.now() - startTime) / 1000;
    const status = outcome['http.response.status_code'];
    span.setAttributes(outcome);
    if (this.#instrumentation.settings.http.conventions === 'dup')
      span.setAttributes(oldClientResponseAttributes(outcome));
    const failure =
      error === undefined
        ? typeof status === 'number' && status >= 400
          ? String(status)
          : undefined
        : errorType(error);
    if (failure !== undefined) {
      span.setAttribute('error.type', failure);
      span.setStatus({ code: SpanStatusCode.ERROR, ...(error !== undefined && { message: error.message }) });
    }
    span.end();
    const measured: Attributes = {
      'http.request.method': attributes['http.request.method'],
      'server.address': attributes['server.address'],
      'server.port': attributes['server.port'],
    };
    if (status !== undefined) measured['http.response.status_code'] = status;
    if (outcome['network.protocol.version'] !== undefined)
      measured['network.protocol.version'] = outcome['network.protocol.version'];
    if (failure !== undefined) measured['error.type'] = failure;
    this.#duration.record(seconds, measured, spanContext);
  }
}

/** The code that Node and undici give their errors, else the class; `fetch` hides the reason in `cause`. */
function errorType(error: Error): string {
  const code: unknown = Reflect.get(error, 'code');
  if (typeof code === 'string') return code;
  return error.cause instanceof Error ? errorType(error.cause) : error.name;
}
