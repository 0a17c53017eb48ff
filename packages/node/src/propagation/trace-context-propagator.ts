import {
  type Context,
  isSpanContextValid,
  type SpanContext,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { isValidSpanContext } from '../trace/span-context-validity.ts';
import { contextWithSpan } from './layered-context.ts';
import { W3CTraceState } from './trace-state.ts';

const TRACEPARENT = 'traceparent';
const TRACESTATE = 'tracestate';
/** Version, trace id, parent id, flags; a later version than 00 may say more, after another dash. */
const FORMAT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Flags that version 00 knows: sampled, and that the trace id is random. */
export const KNOWN_FLAGS = 0x03;

/**
 * W3C Trace Context, level 2 (https://www.w3.org/TR/trace-context-2/). The official propagator drops the random flag, keeps
 * parts of a malformed `tracestate`, and writes a malformed header for flags of two digits.
 */
export class TraceContextPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const spanContext = trace.getSpanContext(context);
    if (spanContext === undefined || isTracingSuppressed(context) || !isValidSpanContext(spanContext)) return;
    const { traceId, spanId, traceFlags, traceState } = spanContext;
    setter.set(carrier, TRACEPARENT, `00-${traceId}-${spanId}-0${traceFlags & KNOWN_FLAGS}`);
    const state = traceState?.serialize();
    if (state !== undefined && state !== '') setter.set(carrier, TRACESTATE, state);
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const parent = single(getter.get(carrier, TRACEPARENT));
    const spanContext = parent === undefined ? undefined : parseTraceparent(parent);
    if (spanContext === undefined) return context;
    const states = getter.get(carrier, TRACESTATE);
    const traceState = states === undefined ? undefined : W3CTraceState.parse([states].flat().join(','));
    const remote = traceState === undefined ? spanContext : { ...spanContext, traceState };
    return contextWithSpan(context, trace.wrapSpanContext(remote));
  }

  fields(): string[] {
    return [TRACEPARENT, TRACESTATE];
  }
}

/** Undefined for what is malformed, which starts a new trace. */
function parseTraceparent(header: string): SpanContext | undefined {
  const match = FORMAT.exec(header.trim());
  if (match === null) return undefined;
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & KNOWN_FLAGS, isRemote: true };
  return isSpanContextValid(spanContext) ? spanContext : undefined;
}

/** Undefined when there is none or several, of which none can be believed. */
function single(values: undefined | string | string[]): string | undefined {
  if (!Array.isArray(values)) return values;
  return values.length === 1 ? values[0] : undefined;
}
