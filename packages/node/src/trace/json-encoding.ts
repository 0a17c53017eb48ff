import { type Attributes, type AttributeValue, type HrTime, SpanStatusCode } from '@opentelemetry/api';
import type { RecordingSpan } from './span.ts';
import { type ScopeBytes, type SpanEncoding, spanFlags } from './span-encoding.ts';

/** OTLP JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): ids in hex, 64-bit integers as text. */
export class JsonEncoding implements SpanEncoding {
  readonly separator = Buffer.from(',');

  encode(span: RecordingSpan): Uint8Array {
    const { parentSpanContext: parent, status } = span;
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    const json = {
      traceId,
      spanId,
      traceState: traceState?.serialize(),
      parentSpanId: parent?.spanId,
      name: span.name,
      kind: span.kind + 1,
      startTimeUnixNano: nanos(span.startTime),
      endTimeUnixNano: nanos(span.endTime),
      attributes: keyValues(span.attributes),
      droppedAttributesCount: span.droppedAttributesCount,
      events: span.events.map(({ time, name, attributes, droppedAttributesCount }) => ({
        timeUnixNano: nanos(time),
        name,
        attributes: keyValues(attributes),
        droppedAttributesCount,
      })),
      droppedEventsCount: span.droppedEventsCount,
      links: span.links.map(({ context, attributes, droppedAttributesCount }) => ({
        traceId: context.traceId,
        spanId: context.spanId,
        traceState: context.traceState?.serialize(),
        attributes: keyValues(attributes),
        droppedAttributesCount,
        flags: spanFlags(context.traceFlags, context.isRemote === true),
      })),
      droppedLinksCount: span.droppedLinksCount,
      status: status.code === SpanStatusCode.UNSET ? {} : { code: status.code, message: status.message },
      flags: spanFlags(traceFlags, parent?.isRemote === true),
    };
    return Buffer.from(JSON.stringify(json));
  }

  request(resource: Attributes, scopes: readonly ScopeBytes[]): readonly Uint8Array[] {
    const parts: Uint8Array[] = [
      Buffer.from(
        `{"resourceSpans":[{"resource":${JSON.stringify({ attributes: keyValues(resource) })},"scopeSpans":[`,
      ),
    ];
    for (const [index, { scope, bytes }] of scopes.entries()) {
      const { name, version, schemaUrl } = scope;
      const head = `{"scope":${JSON.stringify({ name, version })},"schemaUrl":${JSON.stringify(schemaUrl)},"spans":[`;
      parts.push(Buffer.from(index === 0 ? head : `,${head}`), bytes, Buffer.from(']}'));
    }
    parts.push(Buffer.from(']}]}'));
    return parts;
  }
}

function nanos([seconds, fraction]: HrTime): string {
  return seconds === 0 ? String(fraction) : `${seconds}${String(fraction).padStart(9, '0')}`;
}

function keyValues(attributes: Attributes): object[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined || value === null ? [] : [{ key, value: anyValue(value) }],
  );
}

function anyValue(value: AttributeValue | null | undefined): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return { intValue: String(value) };
    // JSON has no words for these; protobuf's own mapping has.
    return { doubleValue: Number.isFinite(value) ? value : String(value) };
  }
  return { arrayValue: { values: Array.isArray(value) ? value.map(anyValue) : [] } };
}
