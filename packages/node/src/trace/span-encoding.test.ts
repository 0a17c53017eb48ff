import {
  type Attributes,
  createTraceState,
  type Link,
  SpanKind,
  SpanStatusCode,
  type TimeInput,
} from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import type { Limits } from '../configuration.ts';
import { JsonEncoding } from './json-encoding.ts';
import { ProtobufEncoding } from './protobuf-encoding.ts';
import { RecordingSpan } from './span.ts';
import type { SpanEncoding } from './span-encoding.ts';

const limits: Limits = {
  attributeCountLimit: 128,
  attributeValueLengthLimit: Number.POSITIVE_INFINITY,
  eventCountLimit: 128,
  linkCountLimit: 128,
  attributePerEventCountLimit: 128,
  attributePerLinkCountLimit: 128,
};
/** Every field of the message, from the specification's own definition: github.com/open-telemetry/opentelemetry-proto. */
const { root } = protobuf.parse(`syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message Scope { string name = 1; string version = 2; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; } }
message ArrayValue { repeated AnyValue values = 1; }
message Span { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; fixed32 flags = 16; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; uint32 dropped_attributes_count = 10;
  repeated Event events = 11; uint32 dropped_events_count = 12; repeated Link links = 13; uint32 dropped_links_count = 14; Status status = 15; }
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4; uint32 dropped_attributes_count = 5; fixed32 flags = 6; }
message Status { string message = 2; int32 code = 3; }`);
const request = root.lookupType('Request');

const resource: Attributes = { 'service.name': 'grüße 🌍', 'process.pid': 12 };
/** One object, as the official serializers group by identity. */
const officialResource = resourceFromAttributes(resource);
const scope = { name: 'a scope', version: '1.2.3', schemaUrl: 'https://opentelemetry.io/schemas/1.44.0' };

interface Told {
  readonly name: string;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly attributes: Attributes; readonly time: TimeInput }[];
  readonly links: readonly Link[];
  readonly remote: boolean;
  readonly failed: boolean;
  readonly seconds: number;
  readonly nanos: number;
}

function spanOf({ name, attributes, events, links, remote, failed, seconds, nanos }: Told): RecordingSpan {
  const span = new RecordingSpan(
    { limits, onEnd() {} },
    {
      scope,
      name,
      kind: SpanKind.CLIENT,
      spanContext: {
        traceId: '0af7651916cd43dd8448eb211c80319c',
        spanId: 'b7ad6b7169203331',
        traceFlags: 1,
        traceState: createTraceState('a=1,b=2'),
      },
      parentSpanContext: remote
        ? { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: '00f067aa0ba902b7', traceFlags: 1, isRemote: true }
        : undefined,
      parent: undefined,
      startTime: [seconds, nanos],
    },
  );
  span.setAttributes(attributes);
  for (const event of events) span.addEvent(event.name, event.attributes, event.time);
  span.addLinks(links);
  if (failed) span.setStatus({ code: SpanStatusCode.ERROR, message: 'it broke' });
  span.end([seconds + 1, nanos]);
  return span;
}

/** What the official serializers need of a span. */
function readable(span: RecordingSpan): ReadableSpan {
  const { name, kind, parentSpanContext, startTime, endTime, status, droppedAttributesCount, droppedEventsCount } =
    span;
  const official = {
    name,
    kind,
    parentSpanContext,
    startTime,
    endTime,
    status,
    droppedAttributesCount,
    droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
    attributes: span.attributes,
    events: span.events,
    links: span.links,
    duration: [0, 0],
    ended: true,
    resource: officialResource,
    instrumentationScope: scope,
    spanContext: () => span.spanContext(),
  };
  return official as unknown as ReadableSpan;
}

function encoded(encoding: SpanEncoding, spans: readonly RecordingSpan[]): Uint8Array {
  const parts = spans.flatMap((span, index) => [
    ...(index === 0 ? [] : [Buffer.from(encoding.separator)]),
    Buffer.from(encoding.encode(span)),
  ]);
  return Buffer.concat(encoding.request(resource, [{ scope, bytes: Buffer.concat(parts) }]));
}

function decoded(bytes: Uint8Array | undefined): unknown {
  const message = request.toObject(request.decode(bytes ?? new Uint8Array()), {
    longs: String,
    bytes: String,
    defaults: true,
  });
  // An unset status may be left out.
  for (const { scopeSpans } of message.resourceSpans)
    for (const { spans } of scopeSpans) for (const span of spans) span.status ??= { code: 0, message: '' };
  return message;
}

const value = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.boolean(),
  fc.maxSafeInteger(),
  // Whole numbers past 2^53 are exact in neither form; the official serializer takes some for integers.
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((each) => Math.abs(each) < 2 ** 53),
  fc.array(fc.string(), { maxLength: 5 }),
  fc.array(fc.integer(), { maxLength: 5 }),
);
const attributes = fc.dictionary(fc.string({ minLength: 1, maxLength: 60 }), value, { maxKeys: 20 });
const linked = { traceId: 'f'.repeat(32), spanId: 'e'.repeat(16), traceFlags: 1, isRemote: true };
const told = fc.record<Told>({
  name: fc.string({ unit: 'grapheme' }),
  attributes,
  events: fc.array(
    fc.record({
      name: fc.string({ minLength: 1 }),
      attributes,
      time: fc.constant<TimeInput>([1_790_000_000, 999_999_999]),
    }),
    { maxLength: 4 },
  ),
  links: fc.array(fc.record({ context: fc.constant(linked), attributes }), { maxLength: 3 }),
  remote: fc.boolean(),
  failed: fc.boolean(),
  seconds: fc.integer({ min: 0, max: 4_000_000_000 }),
  nanos: fc.integer({ min: 0, max: 999_999_999 }),
});

test('protobuf means what the official serializer writes for the same spans', () => {
  const encoding = new ProtobufEncoding();
  fc.assert(
    fc.property(fc.array(told, { minLength: 1, maxLength: 3 }), (all) => {
      const spans = all.map(spanOf);
      expect(decoded(encoded(encoding, spans))).toEqual(
        decoded(ProtobufTraceSerializer.serializeRequest(spans.map(readable))),
      );
    }),
    { numRuns: 200 },
  );
});

test('a span larger than the writer begins with', () => {
  const span = spanOf({
    name: 'large',
    attributes: { text: 'ä'.repeat(200_000) },
    events: [],
    links: [],
    remote: true,
    failed: true,
    seconds: 1,
    nanos: 0,
  });
  expect(decoded(encoded(new ProtobufEncoding(), [span]))).toEqual(
    decoded(ProtobufTraceSerializer.serializeRequest([readable(span)])),
  );
});

test('JSON holds what protobuf holds', () => {
  const encoding = new JsonEncoding();
  fc.assert(
    fc.property(fc.array(told, { minLength: 1, maxLength: 3 }), (all) => {
      const spans = all.map(spanOf);
      const json = JSON.parse(Buffer.from(encoded(encoding, spans)).toString());
      const official = JSON.parse(
        Buffer.from(JsonTraceSerializer.serializeRequest(spans.map(readable)) ?? []).toString(),
      );
      for (const { resource: own, scopeSpans } of [json.resourceSpans[0], official.resourceSpans[0]]) {
        evenOut(own.attributes);
        for (const span of scopeSpans[0].spans) {
          span.status.code ??= 0;
          for (const { attributes: pairs } of [span, ...span.events, ...span.links]) evenOut(pairs);
        }
      }
      expect(json.resourceSpans[0].scopeSpans[0]).toEqual(official.resourceSpans[0].scopeSpans[0]);
      expect(json.resourceSpans[0].resource.attributes).toEqual(official.resourceSpans[0].resource.attributes);
    }),
    { numRuns: 100 },
  );
});

interface JsonValue {
  intValue?: unknown;
  doubleValue?: unknown;
  arrayValue?: { values: JsonValue[] };
}

/** 64-bit integers may be numbers or text; protobuf's JSON mapping writes text. */
function evenOut(pairs: readonly { readonly value: JsonValue }[]): void {
  for (const { value } of pairs) {
    for (const each of value.arrayValue?.values ?? [value]) {
      if (each.intValue !== undefined) each.intValue = String(each.intValue);
      else if (each.doubleValue !== undefined) each.doubleValue = Number(each.doubleValue);
    }
  }
}
