import type { JsonReader } from './json-reader.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const REPLACEMENT = 0xfffd;

/** Unescapes the rest of a string in place, from the first backslash, at `first`. An escape is never shorter than what it stands for. */
export function unescapeJsonString(reader: JsonReader, first: number): void {
  const { bytes } = reader;
  let from = first;
  let to = first;
  for (;;) {
    const byte = bytes[from];
    if (byte === QUOTE) {
      reader.end = to;
      reader.position = from + 1;
      return;
    }
    if (!(byte >= 0x20)) {
      throw reader.fail(byte === undefined ? 'in a string' : 'a control character in a string', from);
    }
    if (byte !== BACKSLASH) {
      bytes[to++] = byte;
      from++;
      continue;
    }
    if (bytes[from + 1] !== 0x75) {
      const simple = SIMPLE_ESCAPES[bytes[from + 1]];
      if (simple === undefined) {
        throw reader.fail('an unknown escape in a string', from);
      }
      bytes[to++] = simple;
      from += 2;
      continue;
    }
    let code = hex4(reader, from + 2);
    from += 6;
    if (code >= 0xd800 && code <= 0xdfff) {
      const low = code <= 0xdbff && bytes[from] === BACKSLASH && bytes[from + 1] === 0x75 ? hex4(reader, from + 2) : 0;
      if (low >= 0xdc00 && low <= 0xdfff) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        from += 6;
      } else {
        // Half of a surrogate pair: JavaScript's JSON writes such escapes, UTF-8 can't hold them.
        code = REPLACEMENT;
      }
    }
    to = writeUtf8(bytes, to, code);
  }
}

const SIMPLE_ESCAPES: Readonly<Record<number, number>> = {
  34: 0x22,
  92: 0x5c,
  47: 0x2f,
  98: 0x08,
  102: 0x0c,
  110: 0x0a,
  114: 0x0d,
  116: 0x09,
};

function hex4(reader: JsonReader, start: number): number {
  let code = 0;
  for (let i = start; i < start + 4; i++) {
    const digit = hexDigit(reader.bytes[i]);
    if (digit < 0) {
      throw reader.fail('expected four hexadecimal digits', i);
    }
    code = code * 16 + digit;
  }
  return code;
}

/** -1: not a hexadecimal digit. */
export function hexDigit(byte: number | undefined): number {
  if (byte === undefined) {
    return -1;
  }
  if (byte >= 0x30 && byte <= 0x39) {
    return byte - 0x30;
  }
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function writeUtf8(bytes: Uint8Array, start: number, code: number): number {
  let to = start;
  if (code < 0x80) {
    bytes[to++] = code;
  } else if (code < 0x800) {
    bytes[to++] = 0xc0 | (code >> 6);
    bytes[to++] = 0x80 | (code & 0x3f);
  } else if (code < 0x10000) {
    bytes[to++] = 0xe0 | (code >> 12);
    bytes[to++] = 0x80 | ((code >> 6) & 0x3f);
    bytes[to++] = 0x80 | (code & 0x3f);
  } else {
    bytes[to++] = 0xf0 | (code >> 18);
    bytes[to++] = 0x80 | ((code >> 12) & 0x3f);
    bytes[to++] = 0x80 | ((code >> 6) & 0x3f);
    bytes[to++] = 0x80 | (code & 0x3f);
  }
  return to;
}
