import { ProtocolDecodeError } from '../protocol-decode-error.ts';

/** A copy of two or three bytes makes at most 64, so nothing honest grows more than this. */
const MAX_EXPANSION = 32;

/**
 * Decompresses a Snappy block (google/snappy, format_description.txt): the form without frames that Prometheus and Loki send.
 * Throws ProtocolDecodeError when the bytes are malformed, or when they say that they become more than `maxBytes`; in memory it takes no
 * more than the smaller of that and 32 times the input.
 */
export function decodeSnappy(bytes: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  const { length, position } = readLength(bytes);
  if (length > maxBytes) {
    throw new ProtocolDecodeError(
      `snappy: ${length} bytes after decompression are more than the limit of ${maxBytes}`,
      {
        tooLarge: true,
      },
    );
  }
  if (length > bytes.length * MAX_EXPANSION) throw corrupt();
  const output = new Uint8Array(length);
  expand(bytes, position, output);
  return output;
}

function corrupt(): ProtocolDecodeError {
  return new ProtocolDecodeError('snappy: corrupt input');
}

function readLength(bytes: Uint8Array): { length: number; position: number } {
  let length = 0;
  for (let position = 0; position < 5; position++) {
    const byte = bytes[position];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * position);
    if (byte < 0x80) return { length, position: position + 1 };
  }
  throw corrupt();
}

function expand(bytes: Uint8Array, start: number, output: Uint8Array): void {
  const end = bytes.length;
  let from = start;
  let to = 0;
  while (from < end) {
    const tag = bytes[from++];
    if ((tag & 3) === 0) {
      let length = (tag >>> 2) + 1;
      if (length > 60) {
        const width = length - 60;
        length = littleEndian(bytes, from, width) + 1;
        from += width;
      }
      if (from + length > end || to + length > output.length) throw corrupt();
      output.set(bytes.subarray(from, from + length), to);
      from += length;
      to += length;
      continue;
    }
    let length = (tag >>> 2) + 1;
    let offset: number;
    if ((tag & 3) === 1) {
      length = ((tag >>> 2) & 7) + 4;
      offset = ((tag & 0xe0) << 3) | littleEndian(bytes, from, 1);
      from += 1;
    } else {
      const width = (tag & 3) === 2 ? 2 : 4;
      offset = littleEndian(bytes, from, width);
      from += width;
    }
    if (offset === 0 || offset > to || to + length > output.length) throw corrupt();
    // Source and target may overlap: then what was just written is repeated.
    for (let i = 0; i < length; i++, to++) output[to] = output[to - offset];
  }
  if (to !== output.length) throw corrupt();
}

function littleEndian(bytes: Uint8Array, position: number, width: number): number {
  if (position + width > bytes.length) throw corrupt();
  let value = 0;
  for (let i = 0; i < width; i++) value += bytes[position + i] * 2 ** (8 * i);
  return value;
}
