import {
  type Attributes,
  type AttributeValue,
  type Exception,
  type Link,
  type Span,
  type SpanContext,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
} from '@opentelemetry/api';
import type { Failure } from '../surfaces/operation.ts';
import type { ModelAnswer } from './model-call.ts';

/** What is told of what the library writes; none of these may throw. */
export interface AiSpanObserver {
  answer?(piece: ModelAnswer): void;
  end(failure: Failure | undefined): void;
  /** Whether the span is the library's, and so holds what the library writes. */
  readonly isTheirs: boolean;
}

/** The span that the package `ai` is given: what the library writes there says what came of a call. */
export class AiSpan implements Span {
  readonly #span: Span;
  readonly #observer: AiSpanObserver;
  #failure: Failure | undefined;

  constructor(span: Span, observer: AiSpanObserver) {
    this.#span = span;
    this.#observer = observer;
  }

  spanContext(): SpanContext {
    return this.#span.spanContext();
  }

  isRecording(): boolean {
    return this.#span.isRecording();
  }

  setAttribute(key: string, value: AttributeValue): this {
    return this.setAttributes({ [key]: value });
  }

  setAttributes(attributes: Attributes): this {
    this.#observer.answer?.(answerOf(attributes));
    if (this.#observer.isTheirs) this.#span.setAttributes(attributes);
    return this;
  }

  addEvent(name: string, ...rest: [(Attributes | TimeInput)?, TimeInput?]): this {
    // The first piece of a stream: its time is what matters.
    if (name === 'ai.stream.firstChunk') this.#observer.answer?.({});
    if (this.#observer.isTheirs) this.#span.addEvent(name, ...rest);
    return this;
  }

  addLink(link: Link): this {
    return this.addLinks([link]);
  }

  addLinks(links: Link[]): this {
    if (this.#observer.isTheirs) this.#span.addLinks(links);
    return this;
  }

  setStatus(status: SpanStatus): this {
    if (status.code === SpanStatusCode.ERROR) this.#failure ??= { error: new Error(status.message) };
    if (this.#observer.isTheirs) this.#span.setStatus(status);
    return this;
  }

  updateName(name: string): this {
    if (this.#observer.isTheirs) this.#span.updateName(name);
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    this.#failure ??= { error: errorOf(exception) };
    if (this.#observer.isTheirs) this.#span.recordException(exception, time);
  }

  end(time?: TimeInput): void {
    this.#observer.end(this.#failure);
    if (this.#observer.isTheirs) this.#span.end(time);
  }
}

/** The library takes its errors apart before it records them. */
function errorOf(exception: Exception): Error {
  if (exception instanceof Error) return exception;
  if (typeof exception === 'string') return new Error(exception);
  const { name, message, stack } = exception;
  return Object.assign(new Error(message), { ...(name && { name }), ...(stack && { stack }) });
}

function answerOf(attributes: Attributes): ModelAnswer {
  const text = (name: string): string | undefined => {
    const value = attributes[name];
    return typeof value === 'string' ? value : undefined;
  };
  const number = (...names: string[]): number | undefined => {
    for (const name of names) {
      const value = attributes[name];
      if (typeof value === 'number' && !Number.isNaN(value)) return value;
    }
    return undefined;
  };
  const reasons = attributes['gen_ai.response.finish_reasons'];
  return {
    id: text('gen_ai.response.id'),
    model: text('gen_ai.response.model'),
    finishReasons: Array.isArray(reasons) ? reasons.map(String) : undefined,
    inputTokens: number('gen_ai.usage.input_tokens', 'ai.usage.tokens'),
    outputTokens: number('gen_ai.usage.output_tokens'),
    text: text('ai.response.text'),
  };
}
