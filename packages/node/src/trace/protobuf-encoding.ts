import { type Attributes, SpanStatusCode } from '@opentelemetry/api';
import { ReverseWriter } from './reverse-writer.ts';
import type { RecordingSpan, SpanEvent, SpanLink } from './span.ts';
import { SpanAttributes } from './span-attributes.ts';
import { writeSpanId, writeTraceId } from './span-context-validity.ts';
import { type ScopeBytes, type SpanEncoding, type SpanScope, spanFlags } from './span-encoding.ts';

/** opentelemetry.proto.trace.v1.Span is field 2 of ScopeSpans; field numbers below are those of the messages written. */
const spanField = 2;

/** OTLP protobuf, written straight from spans. */
export class ProtobufEncoding implements SpanEncoding {
  readonly separator = new Uint8Array(0);
  readonly #writer = new ReverseWriter();
  readonly #attributes = new SpanAttributes();

  encode(span: RecordingSpan): Uint8Array {
    const writer = this.#writer;
    writer.reset();
    const { parentSpanContext: parent, status } = span;
    const spanContext = span.spanContext();
    const { traceFlags, traceState } = spanContext;
    writer.fixed32(spanFlags(traceFlags, parent?.isRemote === true));
    writer.tag(16, 5);
    if (status.code !== SpanStatusCode.UNSET) {
      const before = writer.length;
      count(writer, 3, status.code);
      text(writer, 2, status.message);
      writer.nested(15, before);
    }
    count(writer, 14, span.droppedLinksCount);
    for (let index = span.links.length - 1; index >= 0; index -= 1) link(writer, span.links[index] as SpanLink);
    count(writer, 12, span.droppedEventsCount);
    for (let index = span.events.length - 1; index >= 0; index -= 1) event(writer, span.events[index] as SpanEvent);
    count(writer, 10, span.droppedAttributesCount);
    this.#attributes.write(writer, span.scope.name, span.attributes);
    writer.nanos(span.endTime);
    writer.tag(8, 1);
    writer.nanos(span.startTime);
    writer.tag(7, 1);
    writer.varint(span.kind + 1);
    writer.tag(6, 0);
    text(writer, 5, span.name);
    if (parent !== undefined) {
      writeSpanId(writer, parent);
      writer.tag(4, 2);
    }
    text(writer, 3, traceState?.serialize());
    writeSpanId(writer, spanContext);
    writer.tag(2, 2);
    writeTraceId(writer, spanContext);
    writer.tag(1, 2);
    writer.nested(spanField, 0);
    return writer.written;
  }

  request(resource: Attributes, scopes: readonly ScopeBytes[]): readonly Uint8Array[] {
    const resourceHead = message((writer) => {
      attributes(writer, 1, resource);
      writer.nested(1, 0);
    });
    const parts = scopes.flatMap(({ scope, bytes }) => {
      const head = scopeHead(scope);
      const tail = message((writer) => text(writer, 3, scope.schemaUrl));
      return nestedIn(2, [head, bytes, tail]);
    });
    return nestedIn(1, [resourceHead, ...parts]);
  }
}

function scopeHead({ name, version }: SpanScope): Uint8Array {
  return message((writer) => {
    text(writer, 2, version);
    text(writer, 1, name);
    writer.nested(1, 0);
  });
}

const heads = new ReverseWriter();

function message(write: (writer: ReverseWriter) => void): Uint8Array {
  heads.reset();
  write(heads);
  return Buffer.from(heads.written);
}

/** The header of a length-delimited field, and `parts`, which are its content. */
export function nestedIn(field: number, parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = message((writer) => {
    writer.varint(length);
    writer.tag(field, 2);
  });
  return [head, ...parts];
}

function text(writer: ReverseWriter, field: number, value: string | undefined): void {
  if (value === undefined || value === '') return;
  writer.text(value);
  writer.tag(field, 2);
}

function count(writer: ReverseWriter, field: number, value: number): void {
  if (value === 0) return;
  writer.varint(value);
  writer.tag(field, 0);
}

function attributes(writer: ReverseWriter, field: number, values: Attributes): void {
  const keys = Object.keys(values);
  for (let index = keys.length - 1; index >= 0; index -= 1) {
    const key = keys[index] as string;
    const value = values[key];
    if (value === undefined || value === null) continue;
    writer.keyValue(field, key, value);
  }
}

function event(writer: ReverseWriter, { name, time, attributes: own, droppedAttributesCount }: SpanEvent): void {
  const before = writer.length;
  count(writer, 4, droppedAttributesCount);
  attributes(writer, 3, own);
  text(writer, 2, name);
  writer.nanos(time);
  writer.tag(1, 1);
  writer.nested(11, before);
}

function link(writer: ReverseWriter, { context, attributes: own, droppedAttributesCount }: SpanLink): void {
  const before = writer.length;
  writer.fixed32(spanFlags(context.traceFlags, context.isRemote === true));
  writer.tag(6, 5);
  count(writer, 5, droppedAttributesCount);
  attributes(writer, 4, own);
  text(writer, 3, context.traceState?.serialize());
  writeSpanId(writer, context);
  writer.tag(2, 2);
  writeTraceId(writer, context);
  writer.tag(1, 2);
  writer.nested(13, before);
}
