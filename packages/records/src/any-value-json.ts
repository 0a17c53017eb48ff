import type { AnyValueColumn } from './any-value-column.ts';
import { AnyValueReader } from './any-value-reader.ts';
import type { AttributeTable } from './attribute-table.ts';
import { AttributeType } from './attribute-type.ts';

const PARTS_JOINED_AT_ONCE = 512;

// A byte order mark is part of a value.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

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
  const text = new TextParts();
  for (let entry = first; entry < last; entry++) {
    text.add(entry === first ? '[{"key":' : ',{"key":');
    text.add(quoted(bytes, table.keys.start[entry], table.keys.end[entry]));
    text.add(',"value":');
    text.add(anyValueJson(bytes, table.values, entry));
    text.add('}');
  }
  text.add(']');
  return text.joined();
}

/** Of an `AnyValue` in protobuf encoding. Depth was bounded when it was decoded. */
function encodedJson(bytes: Uint8Array, start: number, end: number): string {
  const text = new TextParts();
  addEncodedJson(text, bytes, new AnyValueReader(bytes), start, end);
  return text.joined();
}

function addEncodedJson(text: TextParts, bytes: Uint8Array, reader: AnyValueReader, from: number, to: number): void {
  reader.read(from, to);
  switch (reader.type) {
    case AttributeType.String:
      text.add(stringJson(bytes, reader.start, reader.end));
      break;
    case AttributeType.Bool:
      text.add(boolJson(reader.int));
      break;
    case AttributeType.Int:
      text.add(intJson(reader.int));
      break;
    case AttributeType.Double:
      text.add(doubleJson(reader.double));
      break;
    case AttributeType.Bytes:
      text.add(bytesJson(bytes, reader.start, reader.end));
      break;
    case AttributeType.Array: {
      let opening = '{"arrayValue":{"values":[';
      reader.elements(reader.start, reader.end, (start, end) => {
        text.add(opening);
        opening = ',';
        addEncodedJson(text, bytes, reader, start, end);
      });
      text.add(opening === ',' ? ']}}' : '{"arrayValue":{"values":[]}}');
      break;
    }
    case AttributeType.KeyValueList: {
      let opening = '{"kvlistValue":{"values":[{"key":';
      reader.entries(reader.start, reader.end, (keyStart, keyEnd, start, end) => {
        text.add(opening);
        opening = ',{"key":';
        text.add(quoted(bytes, keyStart, keyEnd));
        text.add(',"value":');
        addEncodedJson(text, bytes, reader, start, end);
        text.add('}');
      });
      text.add(opening === ',{"key":' ? ']}}' : '{"kvlistValue":{"values":[]}}');
      break;
    }
    default:
      text.add('{}');
  }
}

/**
 * Gathers a text of millions of parts, as a hostile value has them. V8 keeps `a + b` as a pair that points to both, which
 * for parts of some bytes is many times the text; joined in hundreds, they are the text and nothing else.
 */
class TextParts {
  #text = '';
  #parts: string[] = [];

  add(part: string): void {
    if (this.#parts.push(part) === PARTS_JOINED_AT_ONCE) {
      this.#text = this.joined();
      this.#parts = [];
    }
  }

  joined(): string {
    return this.#text + this.#parts.join('');
  }
}

function quoted(bytes: Uint8Array, start: number, end: number): string {
  return start === end ? '""' : JSON.stringify(decoder.decode(bytes.subarray(start, end)));
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
