import { SMALL_INTS } from './enums.ts';
import {
  attributesField,
  countField,
  enumField,
  type Field,
  type Fields,
  idField,
  idTextField,
  stringOf,
  textField,
  timeField,
} from './field.ts';
import { OttlValueError } from './ottl-error.ts';
import type { SpanCursor } from './span-cursor.ts';

const row = (cursor: SpanCursor) => cursor.row;
const event = (cursor: SpanCursor) => cursor.event;

const traceState = textField<SpanCursor>((cursor) => cursor.spans.traceState, row);

/** One member of the W3C trace state. */
function traceStateMember(key: string): Field<SpanCursor> {
  return {
    get: (cursor) => {
      const member = members(stringOf(traceState.get(cursor))).find(([name]) => name === key);
      // Upstream's is '' too: a tracestate is no map.
      return member?.[1] ?? '';
    },
    set: (cursor, value) => {
      // The member that was changed moves to the front (W3C Trace Context, "Mutating the tracestate Field").
      const others = members(stringOf(traceState.get(cursor))).filter(([name]) => name !== key);
      const text = [[key, stringOf(value)], ...others].map(([name, part]) => `${name}=${part}`).join(',');
      traceState.set?.(cursor, text);
    },
  };
}

function members(text: string): [string, string][] {
  return text.split(',').flatMap((member) => {
    const at = member.indexOf('=');
    return at < 0 ? [] : [[member.slice(0, at).trim(), member.slice(at + 1).trim()]];
  });
}

const KIND_NAMES = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'];

/** A kind by name; `deprecated_string` is the name of OTLP's enum. */
function kindNames(names: readonly string[]): Field<SpanCursor> {
  return {
    get: (cursor) => names[cursor.spans.kind[cursor.row] as number] ?? (names[0] as string),
    set: (cursor, value) => {
      const kind = names.indexOf(stringOf(value));
      if (kind < 0) {
        throw new OttlValueError(`a span's kind is one of ${names.join(', ')}`);
      }
      cursor.spans.kind[cursor.row] = kind;
    },
  };
}

export const SPAN_FIELDS: Fields<SpanCursor> = {
  trace_id: idField((cursor) => cursor.spans.traceId, row, 16),
  'trace_id.string': idTextField((cursor) => cursor.spans.traceId, row, 16),
  span_id: idField((cursor) => cursor.spans.spanId, row, 8),
  'span_id.string': idTextField((cursor) => cursor.spans.spanId, row, 8),
  parent_span_id: idField((cursor) => cursor.spans.parentSpanId, row, 8),
  'parent_span_id.string': idTextField((cursor) => cursor.spans.parentSpanId, row, 8),
  trace_state: { ...traceState, key: traceStateMember },
  flags: countField((cursor) => cursor.spans.flags, row),
  name: textField((cursor) => cursor.spans.name, row),
  kind: enumField((cursor) => cursor.spans.kind, row, SMALL_INTS, 5),
  'kind.string': kindNames(KIND_NAMES),
  'kind.deprecated_string': kindNames(KIND_NAMES.map((name) => `SPAN_KIND_${name.toUpperCase()}`)),
  start_time_unix_nano: timeField((cursor) => cursor.spans.startTime.values, row, false),
  end_time_unix_nano: timeField((cursor) => cursor.spans.endTime.values, row, false),
  start_time: timeField((cursor) => cursor.spans.startTime.values, row, true),
  end_time: timeField((cursor) => cursor.spans.endTime.values, row, true),
  attributes: attributesField((cursor) => cursor.attributes, row),
  dropped_attributes_count: countField((cursor) => cursor.spans.droppedAttributesCount, row),
  dropped_events_count: countField((cursor) => cursor.spans.droppedEventsCount, row),
  dropped_links_count: countField((cursor) => cursor.spans.droppedLinksCount, row),
  'status.code': enumField((cursor) => cursor.spans.statusCode, row, SMALL_INTS, 2),
  'status.message': textField((cursor) => cursor.spans.statusMessage, row),
};

export const SPAN_EVENT_FIELDS: Fields<SpanCursor> = {
  time_unix_nano: timeField((cursor) => cursor.spans.events.time.values, event, false),
  time: timeField((cursor) => cursor.spans.events.time.values, event, true),
  name: textField((cursor) => cursor.spans.events.name, event),
  attributes: attributesField((cursor) => cursor.eventAttributes, event),
  dropped_attributes_count: countField((cursor) => cursor.spans.events.droppedAttributesCount, event),
  event_index: {
    get: (cursor) => BigInt(cursor.event - (cursor.spans.events.offsets[cursor.row] as number)),
  },
};
