import type { SpanBatch } from '@signalbox/records';
import { encodeRequest } from '../wire/encode-request.ts';
import type { ValueEncoder } from '../wire/encode-values.ts';
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from '../wire/ids.ts';
import type { ReverseWriter } from '../wire/reverse-writer.ts';

/** Encodes spans as an `ExportTraceServiceRequest` in protobuf (trace.proto); `decodeTraces` gives equal records of it. */
export function encodeTraces(batch: SpanBatch): Uint8Array<ArrayBuffer> {
  return encodeRequest(batch, batch.scope, batch.rowCount, (row, values, writer) =>
    writeSpan(batch, row, values, writer),
  );
}

function writeSpan(batch: SpanBatch, row: number, values: ValueEncoder, writer: ReverseWriter): void {
  // Field 16: its tag takes two bytes.
  values.fixed32(0x85, batch.flags[row]);
  if (batch.statusCode[row] !== 0 || batch.statusMessage.end[row] > batch.statusMessage.start[row]) {
    const before = writer.length;
    values.number(0x18, batch.statusCode[row]);
    values.text(0x12, batch.statusMessage, row);
    writer.endMessage(0x7a, before);
  }
  values.number(0x70, batch.droppedLinksCount[row]);
  writeLinks(batch, row, values, writer);
  values.number(0x60, batch.droppedEventsCount[row]);
  writeEvents(batch, row, values, writer);
  values.number(0x50, batch.droppedAttributesCount[row]);
  values.attributes(0x4a, batch.attributes, row);
  values.fixed64(0x41, batch.endTime.words, row);
  values.fixed64(0x39, batch.startTime.words, row);
  values.number(0x30, batch.kind[row]);
  values.text(0x2a, batch.name, row);
  values.id(0x22, batch.parentSpanId, SPAN_ID_BYTES, row);
  values.text(0x1a, batch.traceState, row);
  values.id(0x12, batch.spanId, SPAN_ID_BYTES, row);
  values.id(0x0a, batch.traceId, TRACE_ID_BYTES, row);
}

function writeEvents({ events }: SpanBatch, row: number, values: ValueEncoder, writer: ReverseWriter): void {
  for (let entry = events.offsets[row + 1] - 1; entry >= events.offsets[row]; entry--) {
    const before = writer.length;
    values.number(0x20, events.droppedAttributesCount[entry]);
    values.attributes(0x1a, events.attributes, entry);
    values.text(0x12, events.name, entry);
    values.fixed64(0x09, events.time.words, entry);
    writer.endMessage(0x5a, before);
  }
}

function writeLinks({ links }: SpanBatch, row: number, values: ValueEncoder, writer: ReverseWriter): void {
  for (let entry = links.offsets[row + 1] - 1; entry >= links.offsets[row]; entry--) {
    const before = writer.length;
    values.fixed32(0x35, links.flags[entry]);
    values.number(0x28, links.droppedAttributesCount[entry]);
    values.attributes(0x22, links.attributes, entry);
    values.text(0x1a, links.traceState, entry);
    values.id(0x12, links.spanId, SPAN_ID_BYTES, entry);
    values.id(0x0a, links.traceId, TRACE_ID_BYTES, entry);
    writer.endMessage(0x6a, before);
  }
}
