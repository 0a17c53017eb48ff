import type { JsonReader } from './json-reader.ts';
import { hexDigit } from './json-string.ts';

/**
 * Reads a trace or span id (hexadecimal in either case, where other bytes are base64) into row `row` of `column`.
 * Anything but `width` bytes sets zeros. Returns whether the id was right, or left out (empty).
 */
export function readHexId(reader: JsonReader, column: Uint8Array, width: number, row: number): boolean {
  reader.string();
  const { bytes, start, end } = reader;
  const to = row * width;
  let valid = end - start === width * 2;
  for (let i = 0; valid && i < width; i++) {
    const high = hexDigit(bytes[start + i * 2]);
    const low = hexDigit(bytes[start + i * 2 + 1]);
    valid = high >= 0 && low >= 0;
    column[to + i] = (high << 4) | low;
  }
  if (!valid) {
    column.fill(0, to, to + width);
  }
  return valid || start === end;
}

/**
 * Reads a base64 string and decodes it in place: the bytes are then at the reader's `start` to `end`.
 * Standard and URL alphabets, with or without padding, as the JSON mapping of protobuf demands.
 */
export function readBase64(reader: JsonReader): void {
  reader.string();
  const { bytes, start } = reader;
  let { end } = reader;
  for (let padding = 0; padding < 2 && end > start && bytes[end - 1] === 0x3d; padding++) {
    end--;
  }
  let bits = 0;
  let bitCount = 0;
  let to = start;
  for (let from = start; from < end; from++) {
    const value = base64Digit(bytes[from]);
    if (value < 0) {
      throw reader.fail('a character that is not base64', from);
    }
    bits = ((bits << 6) | value) & 0x3fff;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes[to++] = (bits >> bitCount) & 0xff;
    }
  }
  if (bitCount === 6) {
    throw reader.fail('base64 of an impossible length', start);
  }
  reader.end = to;
}

function base64Digit(byte: number): number {
  if (byte >= 0x41 && byte <= 0x5a) {
    return byte - 0x41;
  }
  if (byte >= 0x61 && byte <= 0x7a) {
    return byte - 0x47;
  }
  if (byte >= 0x30 && byte <= 0x39) {
    return byte + 4;
  }
  if (byte === 0x2b || byte === 0x2d) {
    return 62;
  }
  return byte === 0x2f || byte === 0x5f ? 63 : -1;
}
