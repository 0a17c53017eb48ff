import type { SpanObject } from '@signalbox/records';
import { type RecordedAttributes, recordedAttributes } from './recorded-value.ts';

export const SPAN_KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
export type RecordedSpanKind = (typeof SPAN_KINDS)[number];

export const STATUS_CODES = ['unset', 'ok', 'error'] as const;
export type RecordedStatusCode = (typeof STATUS_CODES)[number];

/** A span as it arrived. Ids are lower-case hexadecimal, times nanoseconds since the epoch. */
export interface RecordedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for a root. */
  readonly parentSpanId: string | undefined;
  readonly traceState: string;
  readonly name: string;
  readonly kind: RecordedSpanKind;
  readonly status: { readonly code: RecordedStatusCode; readonly message: string };
  readonly attributes: RecordedAttributes;
  readonly events: readonly { readonly name: string; readonly time: bigint; readonly attributes: RecordedAttributes }[];
  readonly links: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes: RecordedAttributes;
  }[];
  readonly startTime: bigint;
  readonly endTime: bigint;
  readonly durationMillis: number;
  readonly scope: { readonly name: string; readonly version: string };
  /** Attributes of the resource. */
  readonly resource: RecordedAttributes;
}

export function recordedSpan(span: SpanObject): RecordedSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: /^0*$/.test(span.parentSpanId) ? undefined : span.parentSpanId,
    traceState: span.traceState,
    name: span.name,
    kind: SPAN_KINDS[span.kind] ?? 'unspecified',
    status: { code: STATUS_CODES[span.statusCode] ?? 'unset', message: span.statusMessage },
    attributes: recordedAttributes(span.attributes),
    events: span.events.map(({ name, time, attributes }) => ({
      name,
      time,
      attributes: recordedAttributes(attributes),
    })),
    links: span.links.map(({ traceId, spanId, attributes }) => ({
      traceId,
      spanId,
      attributes: recordedAttributes(attributes),
    })),
    startTime: span.startTime,
    endTime: span.endTime,
    durationMillis: Number(span.endTime - span.startTime) / 1e6,
    scope: { name: span.scope.name, version: span.scope.version },
    resource: recordedAttributes(span.resource.attributes),
  };
}
