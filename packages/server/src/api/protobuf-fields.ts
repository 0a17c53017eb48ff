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
