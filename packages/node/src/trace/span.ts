import {
  type Attributes,
  type AttributeValue,
  type Exception,
  type HrTime,
  type Link,
  type Span,
  type SpanContext,
  type SpanKind,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
} from '@opentelemetry/api';
import { hrTimeToNanoseconds, isAttributeValue, millisToHrTime } from '@opentelemetry/core';
import type { Limits } from '../configuration.ts';
import { hrTimeAfter, wallClock } from '../wall-clock.ts';
import type { SpanScope } from './span-encoding.ts';

export interface SpanEvent {
  readonly name: string;
  readonly time: HrTime;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
}

export interface SpanLink {
  readonly context: SpanContext;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
}

/** What all spans of a provider share. */
export interface SpanOwner {
  readonly limits: Limits;
  /** Called once, at the span's end; must not throw. */
  onEnd(span: RecordingSpan): void;
}

export interface SpanIdentity {
  readonly scope: SpanScope;
  readonly spanContext: SpanContext;
  readonly name: string;
  readonly kind: SpanKind;
  readonly parentSpanContext: SpanContext | undefined;
  /** The parent itself where it is one of ours that still knows its clock. */
  readonly parent: RecordingSpan | undefined;
  readonly startTime: TimeInput | undefined;
  /** Of `performance.now()`, just taken. */
  readonly reading?: number | undefined;
}

/** A child keeps its parent's idea of the time while the parent is at most this old. */
const sharedClockMillis = 60_000;
const unset: SpanStatus = { code: SpanStatusCode.UNSET };
const none: readonly never[] = [];

/**
 * A span of our own: it holds what it is told until it ends, and is then encoded at once. Its readable fields are those of
 * the official `ReadableSpan`. Times are kept as readings of the monotonic clock and become wall-clock time, in
 * nanoseconds, when they are read; a trace's spans in this process share one origin, so that a clock that is set in the
 * middle of a request does not tear them apart.
 */
export class RecordingSpan implements Span {
  readonly scope: SpanScope;
  readonly kind: SpanKind;
  readonly parentSpanContext: SpanContext | undefined;
  /** The span of this process under which the trace entered it; itself when it is that span. */
  readonly localRoot: RecordingSpan;
  name: string;
  status: SpanStatus = unset;
  attributes: Attributes = {};
  events: readonly SpanEvent[] = none;
  links: readonly SpanLink[] = none;
  droppedAttributesCount = 0;
  droppedEventsCount = 0;
  droppedLinksCount = 0;
  readonly #owner: SpanOwner;
  readonly #spanContext: SpanContext;
  /** When `performance.now()` was 0. */
  readonly #origin: HrTime;
  /** Reading of `performance.now()`. */
  readonly #started: number;
  /** Given, or computed when it was first asked for. */
  #startTime: HrTime | undefined;
  readonly #startIsGiven: boolean;
  #attributesCount = 0;
  #endTime: HrTime | undefined;

  constructor(owner: SpanOwner, identity: SpanIdentity) {
    this.#owner = owner;
    this.#spanContext = identity.spanContext;
    this.scope = identity.scope;
    this.name = identity.name;
    this.kind = identity.kind;
    this.parentSpanContext = identity.parentSpanContext;
    const { parent } = identity;
    this.#started = identity.reading ?? performance.now();
    const sharesClock = parent !== undefined && this.#started - parent.#started <= sharedClockMillis;
    this.#origin = sharesClock ? parent.#origin : wallClock.origin(this.#started);
    this.#startIsGiven = identity.startTime !== undefined;
    if (identity.startTime !== undefined) this.#startTime = this.#time(identity.startTime);
    this.localRoot = parent === undefined ? this : parent.localRoot;
  }

  /** Attributes that an instrumentation has made for this span alone: taken over as they are, unless limits say otherwise. */
  adopt(attributes: Attributes): void {
    const { attributeCountLimit, attributeValueLengthLimit } = this.#owner.limits;
    let count = 0;
    for (const key in attributes) if (attributes[key] !== undefined) count += 1;
    if (count > attributeCountLimit || attributeValueLengthLimit !== Number.POSITIVE_INFINITY) {
      this.setAttributes(attributes);
      return;
    }
    this.attributes = attributes;
    this.#attributesCount = count;
  }

  /** Whether so many attributes more, of any length, are taken: they are within the limits, and the span has not ended. */
  takesMore(count: number): boolean {
    const { attributeCountLimit, attributeValueLengthLimit } = this.#owner.limits;
    return (
      this.#endTime === undefined &&
      this.#attributesCount + count <= attributeCountLimit &&
      attributeValueLengthLimit === Number.POSITIVE_INFINITY
    );
  }

  spanContext(): SpanContext {
    return this.#spanContext;
  }

  get instrumentationScope(): SpanScope {
    return this.scope;
  }

  get ended(): boolean {
    return this.#endTime !== undefined;
  }

  get startTime(): HrTime {
    this.#startTime ??= hrTimeAfter(this.#origin, this.#started);
    return this.#startTime;
  }

  /** [0, 0] until the span has ended. */
  get endTime(): HrTime {
    return this.#endTime ?? [0, 0];
  }

  /** Seconds from start to end, 0 until then. */
  get seconds(): number {
    if (this.#endTime === undefined) return 0;
    const start = this.startTime;
    return this.#endTime[0] - start[0] + (this.#endTime[1] - start[1]) / 1e9;
  }

  isRecording(): boolean {
    return this.#endTime === undefined;
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (this.#endTime !== undefined || value === undefined || value === null || key === '') return this;
    if (typeof value !== 'string' && !isAttributeValue(value)) return this;
    // What was adopted can be undefined.
    if (!Object.hasOwn(this.attributes, key) || this.attributes[key] === undefined) {
      if (this.#attributesCount >= this.#owner.limits.attributeCountLimit) {
        this.droppedAttributesCount += 1;
        return this;
      }
      this.#attributesCount += 1;
    }
    this.attributes[key] = this.#cut(value);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const key of Object.keys(attributes)) this.setAttribute(key, attributes[key] as AttributeValue);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.#endTime !== undefined) return this;
    const { eventCountLimit, attributePerEventCountLimit } = this.#owner.limits;
    const onlyTime = isTime(attributesOrTime);
    const { kept, dropped } = this.#limited(onlyTime ? undefined : attributesOrTime, attributePerEventCountLimit);
    const event: SpanEvent = {
      name: String(name),
      time: this.#time(onlyTime ? attributesOrTime : time),
      attributes: kept,
      droppedAttributesCount: dropped,
    };
    const before = this.events.length;
    this.events = withLast(this.events, event, eventCountLimit);
    this.droppedEventsCount += before + 1 - this.events.length;
    return this;
  }

  addLink({ context, attributes, droppedAttributesCount = 0 }: Link): this {
    if (this.#endTime !== undefined) return this;
    const { linkCountLimit, attributePerLinkCountLimit } = this.#owner.limits;
    const { kept, dropped } = this.#limited(attributes, attributePerLinkCountLimit);
    const before = this.links.length;
    const link = { context, attributes: kept, droppedAttributesCount: dropped + droppedAttributesCount };
    this.links = withLast(this.links, link, linkCountLimit);
    this.droppedLinksCount += before + 1 - this.links.length;
    return this;
  }

  addLinks(links: readonly Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  /** `Ok` is final, `Unset` changes nothing (https://opentelemetry.io/docs/specs/otel/trace/api/#set-status). */
  setStatus({ code, message }: SpanStatus): this {
    if (this.#endTime !== undefined || code === SpanStatusCode.UNSET || this.status.code === SpanStatusCode.OK)
      return this;
    this.status = code === SpanStatusCode.ERROR && typeof message === 'string' ? { code, message } : { code };
    return this;
  }

  updateName(name: string): this {
    if (this.#endTime === undefined) this.name = String(name);
    return this;
  }

  /** https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/ */
  recordException(exception: Exception, time?: TimeInput): void {
    const attributes: Attributes = {};
    if (typeof exception === 'string') attributes['exception.message'] = exception;
    else {
      const { name, code, message, stack } = exception;
      const type = name ?? code;
      if (type !== undefined) attributes['exception.type'] = String(type);
      if (message !== undefined) attributes['exception.message'] = message;
      if (stack !== undefined) attributes['exception.stacktrace'] = stack;
    }
    this.addEvent('exception', attributes, time);
  }

  end(endTime?: TimeInput): void {
    if (this.#endTime !== undefined) return;
    if (endTime === undefined && !this.#startIsGiven) this.#endTime = hrTimeAfter(this.#origin, performance.now());
    else {
      const start = this.startTime;
      const end = this.#time(endTime);
      // A clock that was set back, or a time from elsewhere: a span never ends before it starts.
      this.#endTime = hrTimeToNanoseconds(end) < hrTimeToNanoseconds(start) ? start : end;
    }
    this.#owner.onEnd(this);
  }

  /** As `end` at this reading of `performance.now()`, just taken. */
  endAt(reading: number): void {
    if (this.#startIsGiven) this.end();
    else if (this.#endTime === undefined) {
      this.#endTime = hrTimeAfter(this.#origin, reading);
      this.#owner.onEnd(this);
    }
  }

  #time(input: TimeInput | undefined): HrTime {
    if (Array.isArray(input)) return input;
    if (input instanceof Date) return millisToHrTime(input.getTime());
    const now = performance.now();
    // As the official span: a number that can be a reading of `performance.now()` is one.
    if (typeof input === 'number' && input > now) return millisToHrTime(input);
    return hrTimeAfter(this.#origin, typeof input === 'number' ? input : now);
  }

  #limited(attributes: Attributes | undefined, limit: number): { kept: Attributes; dropped: number } {
    const kept: Attributes = {};
    let dropped = 0;
    let count = 0;
    for (const [key, value] of Object.entries(attributes ?? {})) {
      if (value === undefined || value === null || key === '' || !isAttributeValue(value)) continue;
      if (count >= limit) dropped += 1;
      else {
        kept[key] = this.#cut(value);
        count += 1;
      }
    }
    return { kept, dropped };
  }

  #cut(value: AttributeValue): AttributeValue {
    const limit = this.#owner.limits.attributeValueLengthLimit;
    if (limit === Number.POSITIVE_INFINITY) return value;
    if (typeof value === 'string') return value.length > limit ? value.slice(0, limit) : value;
    if (!Array.isArray(value)) return value;
    return value.map((each) => (typeof each === 'string' ? each.slice(0, limit) : each)) as AttributeValue;
  }
}

function isTime(value: unknown): value is TimeInput {
  return typeof value === 'number' || value instanceof Date || Array.isArray(value);
}

/** The newest `limit` of a list with one more. */
function withLast<Item>(list: readonly Item[], item: Item, limit: number): readonly Item[] {
  if (limit <= 0) return none;
  const kept = list.length >= limit ? list.slice(list.length - limit + 1) : list;
  return [...kept, item];
}
