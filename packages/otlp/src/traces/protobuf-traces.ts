import type { SpanBatch } from '@signalbox/records';
import type { DecodeLimits } from '../wire/decode-limits.ts';
import { SPAN_ID_BYTES, setId, TRACE_ID_BYTES } from '../wire/ids.ts';
import { ProtobufRequest } from '../wire/protobuf-request.ts';
import type { Rejections } from '../wire/rejections.ts';
import { endSpan } from './span-rejections.ts';

const MAX_KIND = 5;
const MAX_STATUS = 2;

/** Reads `ExportTraceServiceRequest` (trace.proto) into columns. */
export class ProtobufTraces extends ProtobufRequest<SpanBatch> {
  readonly #rejections: Rejections;

  constructor(batch: SpanBatch, limits: DecodeLimits, rejections: Rejections) {
    super(batch, limits);
    this.#rejections = rejections;
  }

  protected override readRecord(end: number, resource: number, scope: number): void {
    const { reader, batch } = this;
    const row = batch.begin(resource, scope);
    let parentIsValid = true;
    let invalidLinks = 0;
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case 0x0a:
          this.#id(end, batch.traceId, TRACE_ID_BYTES, row);
          break;
        case 0x12:
          this.#id(end, batch.spanId, SPAN_ID_BYTES, row);
          break;
        case 0x1a: {
          const textEnd = reader.delimited(end);
          batch.traceState.set(row, reader.position, textEnd);
          reader.position = textEnd;
          break;
        }
        case 0x22:
          parentIsValid = this.#id(end, batch.parentSpanId, SPAN_ID_BYTES, row);
          break;
        case 0x2a: {
          const textEnd = reader.delimited(end);
          batch.name.set(row, reader.position, textEnd);
          reader.position = textEnd;
          break;
        }
        case 0x30: {
          const kind = reader.uint32();
          batch.kind[row] = kind <= MAX_KIND ? kind : 0;
          break;
        }
        case 0x39:
          reader.fixed64();
          batch.startTime.setWords(row, reader.low, reader.high);
          break;
        case 0x41:
          reader.fixed64();
          batch.endTime.setWords(row, reader.low, reader.high);
          break;
        case 0x4a:
          this.values.attributes(batch.attributes, end, tag);
          break;
        case 0x50:
          batch.droppedAttributesCount[row] = reader.uint32();
          break;
        case 0x5a:
          this.#event(reader.delimited(end));
          break;
        case 0x60:
          batch.droppedEventsCount[row] = reader.uint32();
          break;
        case 0x6a:
          invalidLinks += this.#link(reader.delimited(end)) ? 0 : 1;
          break;
        case 0x70:
          batch.droppedLinksCount[row] = reader.uint32();
          break;
        case 0x7a:
          this.#status(reader.delimited(end), row);
          break;
        case 0x85:
          batch.flags[row] = reader.fixed32();
          break;
        default:
          reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
    batch.droppedLinksCount[row] += invalidLinks;
    endSpan(batch, this.#rejections, parentIsValid);
  }

  #id(messageEnd: number, column: Uint8Array, width: number, row: number): boolean {
    const { reader } = this;
    const end = reader.delimited(messageEnd);
    const valid = setId(reader.bytes, reader.position, end, column, width, row);
    reader.position = end;
    return valid;
  }

  #event(end: number): void {
    const { reader } = this;
    const { events } = this.batch;
    const entry = events.begin();
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case 0x09:
          reader.fixed64();
          events.time.setWords(entry, reader.low, reader.high);
          break;
        case 0x12: {
          const textEnd = reader.delimited(end);
          events.name.set(entry, reader.position, textEnd);
          reader.position = textEnd;
          break;
        }
        case 0x1a:
          this.values.attributes(events.attributes, end, tag);
          break;
        case 0x20:
          events.droppedAttributesCount[entry] = reader.uint32();
          break;
        default:
          reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
    events.end();
  }

  /** Returns whether the link was kept: one with an id that is neither of the right length nor left out is dropped. */
  #link(end: number): boolean {
    const { reader } = this;
    const { links } = this.batch;
    const entry = links.begin();
    let traceIdIsValid = true;
    let spanIdIsValid = true;
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case 0x0a:
          traceIdIsValid = this.#id(end, links.traceId, TRACE_ID_BYTES, entry);
          break;
        case 0x12:
          spanIdIsValid = this.#id(end, links.spanId, SPAN_ID_BYTES, entry);
          break;
        case 0x1a: {
          const textEnd = reader.delimited(end);
          links.traceState.set(entry, reader.position, textEnd);
          reader.position = textEnd;
          break;
        }
        case 0x22:
          this.values.attributes(links.attributes, end, tag);
          break;
        case 0x28:
          links.droppedAttributesCount[entry] = reader.uint32();
          break;
        case 0x35:
          links.flags[entry] = reader.fixed32();
          break;
        default:
          reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
    return links.endIf(traceIdIsValid && spanIdIsValid);
  }

  #status(end: number, row: number): void {
    const { reader, batch } = this;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === 0x12) {
        const textEnd = reader.delimited(end);
        batch.statusMessage.set(row, reader.position, textEnd);
        reader.position = textEnd;
      } else if (tag === 0x18) {
        const code = reader.uint32();
        batch.statusCode[row] = code <= MAX_STATUS ? code : 0;
      } else {
        reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
  }
}
