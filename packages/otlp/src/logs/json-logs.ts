import type { LogBatch } from '@signalbox/records';
import type { DecodeLimits } from '../wire/decode-limits.ts';
import { FieldNames } from '../wire/field-names.ts';
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from '../wire/ids.ts';
import { readHexId } from '../wire/json-bytes.ts';
import { INTEGER_RANGES } from '../wire/json-integer.ts';
import { END_OF_OBJECT } from '../wire/json-reader.ts';
import { JsonRequest, type RequestNames } from '../wire/json-request.ts';
import { MAX_SEVERITY_NUMBER } from './severity-number.ts';

const NAMES: RequestNames = {
  request: new FieldNames('resourceLogs'),
  resourceGroup: new FieldNames('resource', 'scopeLogs', 'schemaUrl'),
  scopeGroup: new FieldNames('scope', 'logRecords', 'schemaUrl'),
};
const LOG_RECORD = new FieldNames(
  'timeUnixNano',
  'observedTimeUnixNano',
  'severityNumber',
  'severityText',
  'body',
  'attributes',
  'droppedAttributesCount',
  'flags',
  'traceId',
  'spanId',
  'eventName',
);

/** Reads `ExportLogsServiceRequest` in OTLP/JSON into columns. Invalid ids are taken for absent, as logs.proto asks receivers to do. */
export class JsonLogs extends JsonRequest<LogBatch> {
  constructor(batch: LogBatch, limits: DecodeLimits) {
    super(batch, limits, NAMES);
  }

  protected override readRecord(resource: number, scope: number): void {
    const { reader, batch } = this;
    const row = batch.begin(resource, scope);
    for (let field = reader.firstField(LOG_RECORD); field !== END_OF_OBJECT; field = reader.nextField(LOG_RECORD)) {
      switch (field) {
        case 1:
        case 2:
          reader.integer64(INTEGER_RANGES.uint64);
          (field === 1 ? batch.time : batch.observedTime).setWords(row, reader.low, reader.high);
          break;
        case 3:
          batch.severityNumber[row] = reader.enum(MAX_SEVERITY_NUMBER);
          break;
        case 4:
          this.text(batch.severityText, row);
          break;
        case 5:
          this.values.value(batch.body, row);
          break;
        case 6:
          this.values.attributes(batch.attributes);
          break;
        case 7:
          batch.droppedAttributesCount[row] = reader.uint32();
          break;
        case 8:
          batch.flags[row] = reader.uint32();
          break;
        case 9:
          readHexId(reader, batch.traceId, TRACE_ID_BYTES, row);
          break;
        case 10:
          readHexId(reader, batch.spanId, SPAN_ID_BYTES, row);
          break;
        case 11:
          this.text(batch.eventName, row);
          break;
        default:
          reader.skip();
      }
    }
    batch.end();
  }
}
