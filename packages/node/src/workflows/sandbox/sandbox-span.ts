import type {
  Attributes,
  AttributeValue,
  Exception,
  Link,
  Span,
  SpanContext,
  SpanStatus,
  TimeInput,
} from '@opentelemetry/api';
import type { PlainSpanContext, WorkflowSpanData, WorkflowSpanEvent } from '../workflow-span.ts';

/** What is known of a span when it begins. */
export interface SandboxSpanStart
  extends Pick<WorkflowSpanData, 'name' | 'kind' | 'scope' | 'isUndecided' | 'startMillis'> {
  readonly spanContext: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly attributes: Attributes;
  readonly links: readonly Link[];
}

/** A span of a workflow: it holds what it is told and hands that out when it ends. Limits are applied outside. */
export class SandboxSpan implements Span {
  readonly #start: SandboxSpanStart;
  readonly #onEnd: (span: SandboxSpan, data: WorkflowSpanData) => void;
  readonly #attributes: Attributes;
  readonly #links: Link[];
  readonly #events: WorkflowSpanEvent[] = [];
  #name: string;
  #status: SpanStatus | undefined;
  #hasEnded = false;

  constructor(start: SandboxSpanStart, onEnd: (span: SandboxSpan, data: WorkflowSpanData) => void) {
    this.#start = start;
    this.#onEnd = onEnd;
    this.#name = start.name;
    this.#attributes = { ...start.attributes };
    this.#links = [...start.links];
  }

  spanContext(): SpanContext {
    return this.#start.spanContext;
  }

  isRecording(): boolean {
    return !this.#hasEnded;
  }

  setAttribute(key: string, value: AttributeValue): this {
    this.#attributes[key] = value;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    Object.assign(this.#attributes, attributes);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    const isTime =
      typeof attributesOrTime === 'number' || Array.isArray(attributesOrTime) || attributesOrTime instanceof Date;
    const attributes = isTime ? {} : { ...attributesOrTime };
    this.#events.push({ name, millis: millisOf(isTime ? attributesOrTime : time), attributes });
    return this;
  }

  addLink(link: Link): this {
    this.#links.push(link);
    return this;
  }

  addLinks(links: Link[]): this {
    this.#links.push(...links);
    return this;
  }

  setStatus(status: SpanStatus): this {
    this.#status = status;
    return this;
  }

  updateName(name: string): this {
    this.#name = name;
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const { name, code, message, stack } =
      typeof exception === 'string' ? { name: '', code: undefined, message: exception, stack: undefined } : exception;
    this.addEvent(
      'exception',
      {
        'exception.type': String(name || code || 'Error'),
        ...(message !== undefined && { 'exception.message': message }),
        ...(stack !== undefined && { 'exception.stacktrace': stack }),
      },
      time,
    );
  }

  end(endTime?: TimeInput): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { spanContext, parent, kind, scope, isUndecided, startMillis } = this.#start;
    this.#onEnd(this, {
      name: this.#name,
      kind,
      scope,
      isUndecided,
      startMillis,
      endMillis: millisOf(endTime),
      spanContext: plain(spanContext),
      ...(parent !== undefined && { parent: plain(parent) }),
      attributes: this.#attributes,
      links: this.#links.map(({ context }) => plain(context)),
      events: this.#events,
      ...(this.#status !== undefined && { status: this.#status }),
    });
  }
}

function plain({ traceId, spanId, traceFlags, traceState }: SpanContext): PlainSpanContext {
  const state = traceState?.serialize();
  return { traceId, spanId, traceFlags, ...(state !== undefined && state !== '' && { traceState: state }) };
}

/** Now, unless it says a time since 1970; there is no other clock in a workflow. */
export function millisOf(time: TimeInput | undefined): number {
  if (typeof time === 'number') return time;
  if (time instanceof Date) return time.getTime();
  return time === undefined ? Date.now() : time[0] * 1000 + time[1] / 1e6;
}
