import type { AnyValue, KeyValue } from '@signalbox/api-contract';
import { bytesField, messageField, type Part, varintField } from './protobuf-fields.ts';

/** A `KeyValue` of OTLP (common.proto) as a field of a message. */
export function keyValueField(field: number, { key, value }: KeyValue): Part {
  return messageField(field, bytesField(1, key), messageField(2, anyValue(value)));
}

/** Its fields are members of a oneof: written whatever their value is. */
function anyValue(value: AnyValue): Part {
  if ('stringValue' in value) return messageField(1, Buffer.from(value.stringValue));
  if ('boolValue' in value) return value.boolValue ? varintField(2, true) : Uint8Array.of(0x10, 0);
  if ('intValue' in value)
    return value.intValue === '0' ? Uint8Array.of(0x18, 0) : varintField(3, BigInt(value.intValue));
  if ('doubleValue' in value) {
    const bytes = Buffer.alloc(9, 0x21);
    bytes.writeDoubleLE(Number(value.doubleValue), 1);
    return bytes;
  }
  if ('arrayValue' in value) {
    return messageField(5, ...value.arrayValue.values.map((each) => messageField(1, anyValue(each))));
  }
  if ('kvlistValue' in value) return messageField(6, ...value.kvlistValue.values.map((each) => keyValueField(1, each)));
  return 'bytesValue' in value ? messageField(7, Buffer.from(value.bytesValue, 'base64')) : new Uint8Array(0);
}
