import type { LogBatch } from '@signalbox/records';
import { SPAN_ID_BYTES, setId, TRACE_ID_BYTES } from '../wire/ids.ts';
import { ProtobufRequest } from '../wire/protobuf-request.ts';
import { MAX_SEVERITY_NUMBER } from './severity-number.ts';

/** Reads `ExportLogsServiceRequest` (logs.proto) into columns. Invalid ids are taken for absent, as logs.proto asks receivers to do. */
export class ProtobufLogs extends ProtobufRequest<LogBatch> {
  protected override readRecord(end: number, resource: number, scope: number): void {
    const { reader, batch } = this;
    const row = batch.begin(resource, scope);
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case 0x09:
          reader.fixed64();
          batch.time.setWords(row, reader.low, reader.high);
          break;
        case 0x10: {
          const severity = reader.uint32();
          batch.severityNumber[row] = severity <= MAX_SEVERITY_NUMBER ? severity : 0;
          break;
        }
        case 0x1a: {
          const textEnd = reader.delimited(end);
          batch.severityText.set(row, reader.position, textEnd);
          reader.position = textEnd;
          break;
        }
        case 0x2a:
          this.values.value(batch.body, row, end);
          break;
        case 0x32:
          this.values.attributes(batch.attributes, end, tag);
          break;
        case 0x38:
          batch.droppedAttributesCount[row] = reader.uint32();
          break;
        case 0x45:
          batch.flags[row] = reader.fixed32();
          break;
        case 0x4a: {
          const idEnd = reader.delimited(end);
          setId(reader.bytes, reader.position, idEnd, batch.traceId, TRACE_ID_BYTES, row);
          reader.position = idEnd;
          break;
        }
        case 0x52: {
          const idEnd = reader.delimited(end);
          setId(reader.bytes, reader.position, idEnd, batch.spanId, SPAN_ID_BYTES, row);
          reader.position = idEnd;
          break;
        }
        case 0x59:
          reader.fixed64();
          batch.observedTime.setWords(row, reader.low, reader.high);
          break;
        case 0x62: {
          const textEnd = reader.delimited(end);
          batch.eventName.set(row, reader.position, textEnd);
          reader.position = textEnd;
          break;
        }
        default:
          reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
    batch.end();
  }
}
