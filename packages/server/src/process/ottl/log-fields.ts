import { attributeValue, setAnyValue } from '@signalbox/records';
import { SMALL_INTS } from './enums.ts';
import {
  attributesField,
  countField,
  enumField,
  type Fields,
  idField,
  idTextField,
  stringOf,
  textField,
  timeField,
} from './field.ts';
import type { LogCursor } from './log-cursor.ts';
import { textOfValue } from './text-of-value.ts';
import { storable } from './value.ts';

const row = (cursor: LogCursor) => cursor.row;

export const LOG_FIELDS: Fields<LogCursor> = {
  time_unix_nano: timeField((cursor) => cursor.logs.time.values, row, false),
  observed_time_unix_nano: timeField((cursor) => cursor.logs.observedTime.values, row, false),
  time: timeField((cursor) => cursor.logs.time.values, row, true),
  observed_time: timeField((cursor) => cursor.logs.observedTime.values, row, true),
  severity_number: enumField((cursor) => cursor.logs.severityNumber, row, SMALL_INTS, 24),
  severity_text: textField((cursor) => cursor.logs.severityText, row),
  body: {
    get: (cursor) => attributeValue(cursor.logs.bytes, cursor.logs.body, cursor.row),
    set: (cursor, value) => setAnyValue(cursor.logs, cursor.logs.body, cursor.row, storable(value)),
  },
  'body.string': {
    get: (cursor) => textOfValue(attributeValue(cursor.logs.bytes, cursor.logs.body, cursor.row)) ?? '',
    set: (cursor, value) => setAnyValue(cursor.logs, cursor.logs.body, cursor.row, stringOf(value)),
  },
  event_name: textField((cursor) => cursor.logs.eventName, row),
  trace_id: idField((cursor) => cursor.logs.traceId, row, 16),
  'trace_id.string': idTextField((cursor) => cursor.logs.traceId, row, 16),
  span_id: idField((cursor) => cursor.logs.spanId, row, 8),
  'span_id.string': idTextField((cursor) => cursor.logs.spanId, row, 8),
  flags: countField((cursor) => cursor.logs.flags, row),
  attributes: attributesField((cursor) => cursor.attributes, row),
  dropped_attributes_count: countField((cursor) => cursor.logs.droppedAttributesCount, row),
};
