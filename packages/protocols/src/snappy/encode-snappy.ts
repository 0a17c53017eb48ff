const TABLE_BITS = 14;
/** Offsets of copies are two bytes: what repeats is looked for within this distance. */
const MAX_OFFSET = 0xffff;
const MAX_COPY = 64;

/** Compresses to a Snappy block (google/snappy, format_description.txt). */
export function encodeSnappy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  // Literals of a few bytes between copies cost a byte each; copies are never longer than what they stand for.
  const output = new Uint8Array(16 + bytes.length + Math.ceil(bytes.length / 4));
  const writer = new BlockWriter(output);
  writer.length(bytes.length);
  const table = new Int32Array(1 << TABLE_BITS).fill(-1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let literalStart = 0;
  let position = 0;
  while (position + 4 <= bytes.length) {
    const word = view.getUint32(position, true);
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - TABLE_BITS);
    const candidate = table[slot];
    table[slot] = position;
    if (candidate < 0 || position - candidate > MAX_OFFSET || view.getUint32(candidate, true) !== word) {
      position++;
      continue;
    }
    let length = 4;
    while (position + length < bytes.length && bytes[candidate + length] === bytes[position + length]) length++;
    writer.literal(bytes, literalStart, position);
    writer.copy(position - candidate, length);
    position += length;
    literalStart = position;
  }
  writer.literal(bytes, literalStart, bytes.length);
  return output.slice(0, writer.position);
}

class BlockWriter {
  position = 0;
  readonly #output: Uint8Array;

  constructor(output: Uint8Array) {
    this.#output = output;
  }

  length(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.#output[this.position++] = (rest % 128) | 0x80;
    this.#output[this.position++] = rest;
  }

  literal(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length === 0) return;
    const last = length - 1;
    if (last < 60) {
      this.#output[this.position++] = last << 2;
    } else {
      const width = last < 0x100 ? 1 : last < 0x1_0000 ? 2 : last < 0x100_0000 ? 3 : 4;
      this.#output[this.position++] = (59 + width) << 2;
      for (let i = 0; i < width; i++) this.#output[this.position++] = Math.floor(last / 2 ** (8 * i)) & 0xff;
    }
    this.#output.set(bytes.subarray(start, end), this.position);
    this.position += length;
  }

  copy(offset: number, length: number): void {
    for (let rest = length; rest > 0; ) {
      const part = Math.min(MAX_COPY, rest);
      this.#output[this.position++] = ((part - 1) << 2) | 2;
      this.#output[this.position++] = offset & 0xff;
      this.#output[this.position++] = offset >>> 8;
      rest -= part;
    }
  }
}
