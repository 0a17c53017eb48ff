import { JSON_REQUESTS, type JsonField, type JsonFieldKind, type JsonMessage } from './json-schema.ts';
import { ProtobufReader } from './protobuf-reader.ts';

const decoder = new TextDecoder();

type JsonObject = Record<string, unknown>;

/**
 * An `Export…ServiceRequest` in protobuf as OTLP/JSON. For requests that this package encoded: fields that it never writes are
 * left out. Throws OtlpDecodeError when the bytes are malformed.
 */
export function protobufToJson(signal: keyof typeof JSON_REQUESTS, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const object = readMessage(new ProtobufReader(bytes), bytes.length, JSON_REQUESTS[signal]);
  return new Uint8Array(new TextEncoder().encode(JSON.stringify(object)));
}

function readMessage(reader: ProtobufReader, end: number, fields: JsonMessage): JsonObject {
  const object: JsonObject = {};
  while (reader.position < end) {
    const tag = reader.tag();
    const field = fields.get(tag >>> 3);
    if (field === undefined) reader.skip(tag, end);
    else readField(reader, tag, end, field, object);
  }
  reader.endMessage(end);
  return object;
}

function readField(
  reader: ProtobufReader,
  tag: number,
  messageEnd: number,
  { name, kind, list }: JsonField,
  object: JsonObject,
): void {
  const delimited = (tag & 7) === 2;
  if (!list) {
    object[name] = delimited
      ? readDelimited(reader, messageEnd, kind)
      : readScalar(reader, tag & 7, kind as JsonFieldKind);
    return;
  }
  object[name] ??= [];
  const values = object[name] as unknown[];
  if (typeof kind === 'string') {
    // Lists of numbers are packed.
    const end = reader.delimited(messageEnd);
    while (reader.position < end) values.push(readScalar(reader, 2, kind));
    reader.endMessage(end);
  } else {
    values.push(readDelimited(reader, messageEnd, kind));
  }
}

function readDelimited(reader: ProtobufReader, messageEnd: number, kind: JsonFieldKind | JsonMessage): unknown {
  const end = reader.delimited(messageEnd);
  if (typeof kind !== 'string') return readMessage(reader, end, kind);
  const content = reader.bytes.subarray(reader.position, end);
  reader.position = end;
  if (kind === 'text') return decoder.decode(content);
  return Buffer.from(content).toString(kind === 'hex' ? 'hex' : 'base64');
}

/** @param wire the field's wire type: numbers are varints or fixed32 */
function readScalar(reader: ProtobufReader, wire: number, kind: JsonFieldKind): unknown {
  switch (kind) {
    case 'bool':
      return reader.bool();
    case 'double': {
      const value = reader.double();
      return Number.isFinite(value) ? value : String(value);
    }
    case 'sint32':
      return reader.sint32();
    case 'uint64':
    case 'int64':
      reader.varint();
      return integerText(reader, kind === 'int64');
    case 'fixed64':
    case 'sfixed64':
      reader.fixed64();
      return integerText(reader, kind === 'sfixed64');
    default:
      return wire === 5 ? reader.fixed32() : reader.uint32();
  }
}

function integerText({ low, high }: ProtobufReader, signed: boolean): string {
  const value = (BigInt(high) << 32n) | BigInt(low);
  return String(signed ? BigInt.asIntN(64, value) : value);
}
