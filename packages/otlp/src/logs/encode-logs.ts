import { AttributeType, type LogBatch } from '@signalbox/records';
import { encodeRequest } from '../wire/encode-request.ts';
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from '../wire/ids.ts';

/** Encodes log records as an `ExportLogsServiceRequest` in protobuf (logs.proto); `decodeLogs` gives equal records of it. */
export function encodeLogs(batch: LogBatch): Uint8Array<ArrayBuffer> {
  return encodeRequest(batch, batch.scope, batch.rowCount, (row, values) => {
    values.text(0x62, batch.eventName, row);
    values.fixed64(0x59, batch.observedTime.words, row);
    values.id(0x52, batch.spanId, SPAN_ID_BYTES, row);
    values.id(0x4a, batch.traceId, TRACE_ID_BYTES, row);
    values.fixed32(0x45, batch.flags[row]);
    values.number(0x38, batch.droppedAttributesCount[row]);
    values.attributes(0x32, batch.attributes, row);
    if (batch.body.type[row] !== AttributeType.Empty) {
      values.value(0x2a, batch.body, row);
    }
    values.text(0x1a, batch.severityText, row);
    values.number(0x10, batch.severityNumber[row]);
    values.fixed64(0x09, batch.time.words, row);
  });
}
