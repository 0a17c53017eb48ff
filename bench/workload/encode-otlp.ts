import type { LogRequest } from './logs.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import type { Attribute } from './services.ts';
import type { Span, SpanRequest } from './spans.ts';

/** An OTLP export request in protobuf, and where in it the things are that a copy of it must change. */
export interface EncodedRequest {
  body: Buffer;
  records: number;
  /** Of the first byte of each trace id. */
  traceIdOffsets: number[];
  /** Of each fixed64 time. */
  timeOffsets: number[];
}

/** Makes the request another one in place: moved in time, and of traces of their own. */
export function shiftRequest(request: EncodedRequest, nanoseconds: bigint, traceIdMask: number): void {
  for (const at of request.timeOffsets) {
    request.body.writeBigUInt64LE(request.body.readBigUInt64LE(at) + nanoseconds, at);
  }
  for (const at of request.traceIdOffsets) request.body[at] = (request.body[at] ?? 0) ^ traceIdMask;
}

export function encodeSpanRequest(request: SpanRequest): EncodedRequest {
  const offsets = { traceIdOffsets: [] as number[], timeOffsets: [] as number[] };
  const writer = new ProtobufWriter([offsets.traceIdOffsets, offsets.timeOffsets]);
  const byScope = new Map<string, Span[]>();
  for (const span of request.spans) {
    const spans = byScope.get(span.scope);
    if (spans === undefined) byScope.set(span.scope, [span]);
    else spans.push(span);
  }
  writer.message(1, () => {
    writer.message(1, () => writeAttributes(writer, 1, request.resource));
    for (const [scope, spans] of byScope)
      writer.message(2, () => {
        writer.message(1, () => {
          writer.string(1, scope);
          writer.string(2, '0.223.0');
        });
        for (const span of spans) writer.message(2, () => writeSpan(writer, span, offsets));
      });
  });
  return { body: writer.finish(), records: request.spans.length, ...offsets };
}

export function encodeLogRequest(request: LogRequest): EncodedRequest {
  const offsets = { traceIdOffsets: [] as number[], timeOffsets: [] as number[] };
  const writer = new ProtobufWriter([offsets.traceIdOffsets, offsets.timeOffsets]);
  writer.message(1, () => {
    writer.message(1, () => writeAttributes(writer, 1, request.resource));
    writer.message(2, () => {
      writer.message(1, () => writer.string(1, 'pino'));
      for (const record of request.records)
        writer.message(2, () => {
          for (const field of [1, 11]) {
            writer.tag(field, 1);
            offsets.timeOffsets.push(writer.length);
            writer.fixed64(record.time);
          }
          writer.tag(2, 0);
          writer.varint(record.severityNumber);
          writer.string(3, record.severityText);
          writer.message(5, () => writer.string(1, record.body));
          writeAttributes(writer, 6, record.attributes);
          offsets.traceIdOffsets.push(writer.hex(9, record.traceId));
          writer.hex(10, record.spanId);
        });
    });
  });
  return { body: writer.finish(), records: request.records.length, ...offsets };
}

type Offsets = Pick<EncodedRequest, 'traceIdOffsets' | 'timeOffsets'>;

function writeSpan(writer: ProtobufWriter, span: Span, offsets: Offsets): void {
  offsets.traceIdOffsets.push(writer.hex(1, span.traceId));
  writer.hex(2, span.spanId);
  if (span.parentSpanId !== '') writer.hex(4, span.parentSpanId);
  writer.string(5, span.name);
  writer.tag(6, 0);
  writer.varint(span.kind);
  for (const [field, time] of [
    [7, span.startTime],
    [8, span.startTime + BigInt(span.durationNs)],
  ] as const) {
    writer.tag(field, 1);
    offsets.timeOffsets.push(writer.length);
    writer.fixed64(time);
  }
  writeAttributes(writer, 9, span.attributes);
  const { exception } = span;
  if (exception !== null)
    writer.message(11, () => {
      writer.tag(1, 1);
      offsets.timeOffsets.push(writer.length);
      writer.fixed64(span.startTime + BigInt(exception.timeOffsetNs));
      writer.string(2, 'exception');
      writeAttributes(writer, 3, [
        { key: 'exception.type', type: 'string', value: exception.type },
        { key: 'exception.message', type: 'string', value: exception.message },
        { key: 'exception.stacktrace', type: 'string', value: exception.stacktrace },
      ]);
    });
  if (span.statusCode !== 0)
    writer.message(15, () => {
      writer.string(2, exception?.message ?? '');
      writer.tag(3, 0);
      writer.varint(span.statusCode);
    });
  writer.tag(16, 5);
  writer.fixed32(0x101); // sampled; whether the parent is remote is known, and it is not
}

export function writeAttributes(writer: ProtobufWriter, field: number, attributes: readonly Attribute[]): void {
  for (const attribute of attributes)
    writer.message(field, () => {
      writer.string(1, attribute.key);
      writer.message(2, () => {
        if (attribute.type === 'string') {
          writer.string(1, attribute.value);
        } else if (attribute.type === 'bool') {
          writer.tag(2, 0);
          writer.varint(attribute.value ? 1 : 0);
        } else if (attribute.type === 'int') {
          writer.tag(3, 0);
          writer.varint(attribute.value);
        } else {
          writer.tag(4, 1);
          writer.double(attribute.value);
        }
      });
    });
}
