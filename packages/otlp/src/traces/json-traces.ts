import type { SpanBatch, Uint64Column } from '@signalbox/records';
import type { DecodeLimits } from '../wire/decode-limits.ts';
import { FieldNames } from '../wire/field-names.ts';
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from '../wire/ids.ts';
import { readHexId } from '../wire/json-bytes.ts';
import { INTEGER_RANGES } from '../wire/json-integer.ts';
import { END_OF_OBJECT } from '../wire/json-reader.ts';
import { JsonRequest, type RequestNames } from '../wire/json-request.ts';
import type { Rejections } from '../wire/rejections.ts';
import { endSpan } from './span-rejections.ts';

const NAMES: RequestNames = {
  request: new FieldNames('resourceSpans'),
  resourceGroup: new FieldNames('resource', 'scopeSpans', 'schemaUrl'),
  scopeGroup: new FieldNames('scope', 'spans', 'schemaUrl'),
};
/** Numbered as in trace.proto. */
const SPAN = new FieldNames(
  'traceId',
  'spanId',
  'traceState',
  'parentSpanId',
  'name',
  'kind',
  'startTimeUnixNano',
  'endTimeUnixNano',
  'attributes',
  'droppedAttributesCount',
  'events',
  'droppedEventsCount',
  'links',
  'droppedLinksCount',
  'status',
  'flags',
);
const EVENT = new FieldNames('timeUnixNano', 'name', 'attributes', 'droppedAttributesCount');
const LINK = new FieldNames('traceId', 'spanId', 'traceState', 'attributes', 'droppedAttributesCount', 'flags');
const STATUS = new FieldNames('code', 'message');

const MAX_KIND = 5;
const MAX_STATUS = 2;

/** Reads `ExportTraceServiceRequest` in OTLP/JSON into columns. */
export class JsonTraces extends JsonRequest<SpanBatch> {
  readonly #rejections: Rejections;

  constructor(batch: SpanBatch, limits: DecodeLimits, rejections: Rejections) {
    super(batch, limits, NAMES);
    this.#rejections = rejections;
  }

  protected override readRecord(resource: number, scope: number): void {
    const { reader, batch } = this;
    const row = batch.begin(resource, scope);
    let parentIsValid = true;
    let invalidLinks = 0;
    for (let field = reader.firstField(SPAN); field !== END_OF_OBJECT; field = reader.nextField(SPAN)) {
      switch (field) {
        case 1:
          readHexId(reader, batch.traceId, TRACE_ID_BYTES, row);
          break;
        case 2:
          readHexId(reader, batch.spanId, SPAN_ID_BYTES, row);
          break;
        case 3:
          this.text(batch.traceState, row);
          break;
        case 4:
          parentIsValid = readHexId(reader, batch.parentSpanId, SPAN_ID_BYTES, row);
          break;
        case 5:
          this.text(batch.name, row);
          break;
        case 6:
          batch.kind[row] = reader.enum(MAX_KIND);
          break;
        case 7:
          this.#time(batch.startTime, row);
          break;
        case 8:
          this.#time(batch.endTime, row);
          break;
        case 9:
          this.values.attributes(batch.attributes);
          break;
        case 10:
          batch.droppedAttributesCount[row] = reader.uint32();
          break;
        case 11:
          for (let more = reader.firstElement(); more; more = reader.nextElement()) {
            this.#event();
          }
          break;
        case 12:
          batch.droppedEventsCount[row] = reader.uint32();
          break;
        case 13:
          for (let more = reader.firstElement(); more; more = reader.nextElement()) {
            invalidLinks += this.#link() ? 0 : 1;
          }
          break;
        case 14:
          batch.droppedLinksCount[row] = reader.uint32();
          break;
        case 15:
          this.#status(row);
          break;
        case 16:
          batch.flags[row] = reader.uint32();
          break;
        default:
          reader.skip();
      }
    }
    batch.droppedLinksCount[row] += invalidLinks;
    endSpan(batch, this.#rejections, parentIsValid);
  }

  #time(column: Uint64Column, row: number): void {
    const { reader } = this;
    reader.integer64(INTEGER_RANGES.uint64);
    column.setWords(row, reader.low, reader.high);
  }

  #event(): void {
    const { reader } = this;
    const { events } = this.batch;
    const entry = events.begin();
    for (let field = reader.firstField(EVENT); field !== END_OF_OBJECT; field = reader.nextField(EVENT)) {
      switch (field) {
        case 1:
          this.#time(events.time, entry);
          break;
        case 2:
          this.text(events.name, entry);
          break;
        case 3:
          this.values.attributes(events.attributes);
          break;
        case 4:
          events.droppedAttributesCount[entry] = reader.uint32();
          break;
        default:
          reader.skip();
      }
    }
    events.end();
  }

  /** Returns whether the link was kept: one with an id that is neither valid nor left out is dropped. */
  #link(): boolean {
    const { reader } = this;
    const { links } = this.batch;
    const entry = links.begin();
    let traceIdIsValid = true;
    let spanIdIsValid = true;
    for (let field = reader.firstField(LINK); field !== END_OF_OBJECT; field = reader.nextField(LINK)) {
      switch (field) {
        case 1:
          traceIdIsValid = readHexId(reader, links.traceId, TRACE_ID_BYTES, entry);
          break;
        case 2:
          spanIdIsValid = readHexId(reader, links.spanId, SPAN_ID_BYTES, entry);
          break;
        case 3:
          this.text(links.traceState, entry);
          break;
        case 4:
          this.values.attributes(links.attributes);
          break;
        case 5:
          links.droppedAttributesCount[entry] = reader.uint32();
          break;
        case 6:
          links.flags[entry] = reader.uint32();
          break;
        default:
          reader.skip();
      }
    }
    return links.endIf(traceIdIsValid && spanIdIsValid);
  }

  #status(row: number): void {
    const { reader, batch } = this;
    for (let field = reader.firstField(STATUS); field !== END_OF_OBJECT; field = reader.nextField(STATUS)) {
      if (field === 1) {
        batch.statusCode[row] = reader.enum(MAX_STATUS);
      } else if (field === 2) {
        this.text(batch.statusMessage, row);
      } else {
        reader.skip();
      }
    }
  }
}
