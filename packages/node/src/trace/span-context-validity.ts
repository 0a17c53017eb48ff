import { isSpanContextValid, type SpanContext, type TraceState } from '@opentelemetry/api';
import type { ReverseWriter } from './reverse-writer.ts';
import type { RandomId } from './span-ids.ts';

/** What is known of the ids of a span of ours beside their digits. */
export interface DrawnIds {
  /** Undefined where the trace began elsewhere. */
  readonly trace: RandomId | undefined;
  /** Undefined where it was given. */
  readonly span: RandomId | undefined;
}

/** The identity of a span of ours, whose ids are known to be valid. */
export class OwnSpanContext implements SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  declare readonly traceState?: TraceState;
  // Applications get to see these objects.
  readonly #trace: RandomId | undefined;
  readonly #span: RandomId | undefined;

  constructor(traceId: string, spanId: string, traceFlags: number, traceState: TraceState | undefined, ids?: DrawnIds) {
    this.traceId = traceId;
    this.spanId = spanId;
    this.traceFlags = traceFlags;
    if (traceState !== undefined) this.traceState = traceState;
    this.#trace = ids?.trace;
    this.#span = ids?.span;
  }

  static traceIdOf(spanContext: SpanContext | undefined): RandomId | undefined {
    return spanContext instanceof OwnSpanContext ? spanContext.#trace : undefined;
  }

  static spanIdOf(spanContext: SpanContext): RandomId | undefined {
    return spanContext instanceof OwnSpanContext ? spanContext.#span : undefined;
  }
}

/** The bytes of the trace's id, with their length, without a tag. */
export function writeTraceId(writer: ReverseWriter, spanContext: SpanContext): void {
  const drawn = OwnSpanContext.traceIdOf(spanContext);
  if (drawn === undefined) writer.hex(spanContext.traceId);
  else writer.sixteen(drawn.first, drawn.second, drawn.third, drawn.fourth);
}

/** The same of the span's. */
export function writeSpanId(writer: ReverseWriter, spanContext: SpanContext): void {
  const drawn = OwnSpanContext.spanIdOf(spanContext);
  if (drawn === undefined) writer.hex(spanContext.spanId);
  else writer.eight(drawn.first, drawn.second);
}

let lastValid: SpanContext | undefined;

/**
 * As the API's `isSpanContextValid`, which looks at each of 48 characters. The same parent is asked about by the sampler, the
 * tracer, propagators and every log line, mostly one after the other: so the last valid one is remembered, and those of our
 * own spans are not looked at.
 */
export function isValidSpanContext(spanContext: SpanContext): boolean {
  if (spanContext instanceof OwnSpanContext || spanContext === lastValid) return true;
  if (!isSpanContextValid(spanContext)) return false;
  lastValid = spanContext;
  return true;
}
