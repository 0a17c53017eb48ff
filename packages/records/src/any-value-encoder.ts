import type { AttributeValue } from './objects.ts';

const encoder = new TextEncoder();

/** Deepest nesting of lists that is written; what is deeper becomes an empty value. As deep as requests may nest theirs by default. */
const MAX_DEPTH = 32;

/** The `AnyValue` (common.proto) of a value in protobuf encoding, as columns hold arrays and lists of entries. */
export function encodeAnyValue(value: AttributeValue): Uint8Array {
  const parts = new MessageParts();
  writeValue(parts, value, 0);
  return parts.joined();
}

function writeValue(parts: MessageParts, value: AttributeValue, depth: number): void {
  if (value === null || depth > MAX_DEPTH) {
    return;
  }
  switch (typeof value) {
    case 'string':
      parts.delimited(0x0a, encoder.encode(value));
      return;
    case 'boolean':
      parts.bytes(0x10, value ? 1 : 0);
      return;
    case 'bigint':
      parts.bytes(0x18);
      parts.varint(BigInt.asUintN(64, value));
      return;
    case 'number': {
      const bits = new Uint8Array(9);
      bits[0] = 0x21;
      new DataView(bits.buffer).setFloat64(1, value, true);
      parts.add(bits);
      return;
    }
    default:
  }
  if (value instanceof Uint8Array) {
    parts.delimited(0x3a, value);
  } else if ('entries' in value && !Array.isArray(value)) {
    const list = new MessageParts();
    for (const [key, entryValue] of value.entries as readonly (readonly [string, AttributeValue])[]) {
      const entry = new MessageParts();
      entry.delimited(0x0a, encoder.encode(key));
      entry.delimited(0x12, encoded(entryValue, depth + 1));
      list.delimited(0x0a, entry.joined());
    }
    parts.delimited(0x32, list.joined());
  } else {
    const list = new MessageParts();
    for (const element of value as readonly AttributeValue[]) {
      list.delimited(0x0a, encoded(element, depth + 1));
    }
    parts.delimited(0x2a, list.joined());
  }
}

function encoded(value: AttributeValue, depth: number): Uint8Array {
  const parts = new MessageParts();
  writeValue(parts, value, depth);
  return parts.joined();
}

class MessageParts {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  add(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
  }

  bytes(...bytes: number[]): void {
    this.add(Uint8Array.from(bytes));
  }

  delimited(tag: number, content: Uint8Array): void {
    this.bytes(tag);
    this.varint(BigInt(content.length));
    this.add(content);
  }

  varint(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    while (rest > 127n) {
      bytes.push(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.bytes(...bytes);
  }

  joined(): Uint8Array {
    const joined = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }
}
