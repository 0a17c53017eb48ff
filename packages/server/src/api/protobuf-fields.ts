import { SignalboxError } from '../pipeline/signalbox-error.ts';

/**
 * Parts of protobuf messages (proto3): each function gives the bytes of one field, none for a default value. A message is its
 * fields one after the other.
 */
export type Part = Uint8Array;

const NOTHING: Part = new Uint8Array(0);

function varint(value: number | bigint): Part {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** Integers and bools; negative ones as int32 and int64 have them. */
export function varintField(field: number, value: number | bigint | boolean): Part {
  const number = typeof value === 'boolean' ? Number(value) : value;
  return BigInt(number) === 0n ? NOTHING : Buffer.concat([varint(field << 3), varint(number)]);
}

export function doubleField(field: number, value: number): Part {
  if (Object.is(value, 0)) return NOTHING;
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varint((field << 3) | 1), bytes]);
}

/** A `fixed64`. */
export function fixed64Field(field: number, value: bigint): Part {
  if (value === 0n) return NOTHING;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return Buffer.concat([varint((field << 3) | 1), bytes]);
}

/** A string or bytes. */
export function bytesField(field: number, value: string | Uint8Array): Part {
  return value.length === 0 ? NOTHING : lengthDelimited(field, typeof value === 'string' ? Buffer.from(value) : value);
}

/** A message, also an empty one. */
export function messageField(field: number, ...parts: readonly Part[]): Part {
  return lengthDelimited(field, Buffer.concat(parts));
}

function lengthDelimited(field: number, bytes: Uint8Array): Part {
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

/** Fields of a message as they came: numbers of varint fields, bytes of the others; of repeated ones all. */
export type MessageFields = ReadonlyMap<number, readonly (bigint | Uint8Array)[]>;

/** Reads a message's fields. Throws `invalid_argument` when it is malformed. */
export function readMessage(bytes: Uint8Array): MessageFields {
  const fields = new Map<number, (bigint | Uint8Array)[]>();
  let at = 0;
  const varintAt = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw malformed('The message ends within a number');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed('A number is longer than 64 bits');
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw malformed('A field runs over the end of its message');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = varintAt();
    const type = Number(tag & 7n);
    const value = type === 0 ? varintAt() : take(lengthOf(type, varintAt));
    const field = Number(tag >> 3n);
    const values = fields.get(field);
    if (values === undefined) fields.set(field, [value]);
    else values.push(value);
  }
  return fields;
}

function malformed(message: string): SignalboxError {
  return new SignalboxError('invalid_argument', message);
}

function lengthOf(type: number, varintAt: () => bigint): number {
  if (type === 1) return 8;
  if (type === 5) return 4;
  if (type !== 2) throw malformed(`There is no wire type ${type}`);
  const length = varintAt();
  return length > 0x7fff_ffffn ? Number.POSITIVE_INFINITY : Number(length);
}

/** The last value of a string field; '' when it is absent. */
export function textOf(fields: MessageFields, field: number): string {
  const value = fields.get(field)?.at(-1);
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : '';
}

/** The last value of an integer field; 0 when it is absent. */
export function integerOf(fields: MessageFields, field: number): bigint {
  const value = fields.get(field)?.at(-1);
  return typeof value === 'bigint' ? value : 0n;
}

/** The messages of a repeated field. Throws `invalid_argument` when one is malformed. */
export function messagesOf(fields: MessageFields, field: number): MessageFields[] {
  return (fields.get(field) ?? []).flatMap((value) => (value instanceof Uint8Array ? [readMessage(value)] : []));
}

/** The last message of a field; undefined when it is absent. Throws `invalid_argument` when it is malformed. */
export function messageOf(fields: MessageFields, field: number): MessageFields | undefined {
  return messagesOf(fields, field).at(-1);
}
