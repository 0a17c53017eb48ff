import type { AnyValueColumn } from './any-value-column.ts';
import { AnyValueReader } from './any-value-reader.ts';
import type { AttributeTable } from './attribute-table.ts';
import { AttributeType } from './attribute-type.ts';

const decoder = new TextDecoder();

/** A value of a column as OTLP/JSON `AnyValue` text, such as `{"intValue":"1"}`; Empty is `{}`. Invalid UTF-8 becomes U+FFFD. */
export function anyValueJson(bytes: Uint8Array, column: AnyValueColumn, row: number): string {
  const start = column.start[row];
  const end = column.end[row];
  switch (column.type[row]) {
    case AttributeType.String:
      return stringJson(bytes, start, end);
    case AttributeType.Bool:
      return boolJson(column.ints[row]);
    case AttributeType.Int:
      return intJson(column.ints[row]);
    case AttributeType.Double:
      return doubleJson(column.doubles[row]);
    case AttributeType.Array:
    case AttributeType.KeyValueList:
      return encodedJson(bytes, start, end);
    case AttributeType.Bytes:
      return bytesJson(bytes, start, end);
    default:
      return '{}';
  }
}

/** The attributes of a row as OTLP/JSON `KeyValue` list text, such as `[{"key":"a","value":{"boolValue":true}}]`; '' for none. */
export function attributesJson(bytes: Uint8Array, table: AttributeTable, row: number): string {
  const first = table.offsets[row];
  const last = table.offsets[row + 1];
  if (first === last) {
    return '';
  }
  let text = '[';
  for (let entry = first; entry < last; entry++) {
    const key = quoted(bytes, table.keys.start[entry], table.keys.end[entry]);
    text += `${entry === first ? '' : ','}{"key":${key},"value":${anyValueJson(bytes, table.values, entry)}}`;
  }
  return `${text}]`;
}

/** Of an `AnyValue` in protobuf encoding. Depth was bounded when it was decoded. */
function encodedJson(bytes: Uint8Array, start: number, end: number): string {
  const reader = new AnyValueReader(bytes);
  const valueJson = (from: number, to: number): string => {
    reader.read(from, to);
    switch (reader.type) {
      case AttributeType.String:
        return stringJson(bytes, reader.start, reader.end);
      case AttributeType.Bool:
        return boolJson(reader.int);
      case AttributeType.Int:
        return intJson(reader.int);
      case AttributeType.Double:
        return doubleJson(reader.double);
      case AttributeType.Bytes:
        return bytesJson(bytes, reader.start, reader.end);
      case AttributeType.Array: {
        const values: string[] = [];
        reader.elements(reader.start, reader.end, (a, b) => values.push(valueJson(a, b)));
        return `{"arrayValue":{"values":[${values.join()}]}}`;
      }
      case AttributeType.KeyValueList: {
        const entries: string[] = [];
        reader.entries(reader.start, reader.end, (keyStart, keyEnd, a, b) =>
          entries.push(`{"key":${quoted(bytes, keyStart, keyEnd)},"value":${valueJson(a, b)}}`),
        );
        return `{"kvlistValue":{"values":[${entries.join()}]}}`;
      }
      default:
        return '{}';
    }
  };
  return valueJson(start, end);
}

function quoted(bytes: Uint8Array, start: number, end: number): string {
  return JSON.stringify(decoder.decode(bytes.subarray(start, end)));
}

function stringJson(bytes: Uint8Array, start: number, end: number): string {
  return `{"stringValue":${quoted(bytes, start, end)}}`;
}

function boolJson(value: bigint): string {
  return value === 0n ? '{"boolValue":false}' : '{"boolValue":true}';
}

function intJson(value: bigint): string {
  return `{"intValue":"${value}"}`;
}

function doubleJson(value: number): string {
  return Number.isFinite(value)
    ? `{"doubleValue":${Object.is(value, -0) ? '-0' : value}}`
    : `{"doubleValue":"${value}"}`;
}

function bytesJson(bytes: Uint8Array, start: number, end: number): string {
  return `{"bytesValue":"${Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('base64')}"}`;
}
