const FIRST_CAPACITY = 4096;
const ENCODER = new TextEncoder();

/**
 * Writes protobuf from the end to the start: a message's length is known when its content is there, so nothing is measured
 * before or moved after. Callers write fields in descending order, last elements of lists first, and of each field the content
 * before its tag.
 *
 * Tags are given as they stand on the wire: `field << 3 | wire type`. Nothing is left out: whether a default is worth writing is
 * the caller's to say.
 */
export class ReverseWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_CAPACITY);
  /** Where the written part starts. */
  #start = FIRST_CAPACITY;

  /** Bytes written so far: give it to `endMessage` when the content is written. */
  get length(): number {
    return this.#bytes.length - this.#start;
  }

  /** Forgets what was written since `length` was `lengthBefore`. */
  rewind(lengthBefore: number): void {
    this.#start = this.#bytes.length - lengthBefore;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(this.#start);
  }

  /** Ends (that is, begins) the message whose content was written since `length` was `lengthBefore`. */
  endMessage(tag: number, lengthBefore: number): void {
    this.varint(this.length - lengthBefore);
    this.varint(tag);
  }

  /** A string, bytes or an encoded message: `source` from `start` to `end`. */
  slice(tag: number, source: Uint8Array, start: number, end: number): void {
    this.raw(source, start, end);
    this.varint(end - start);
    this.varint(tag);
  }

  /** A string, as UTF-8. Short ones, which are mostly ASCII, cost less without an encoder. */
  text(tag: number, text: string): void {
    const { length } = text;
    if (length <= 64) {
      this.#reserve(length);
      const bytes = this.#bytes;
      const to = this.#start - length;
      let at = 0;
      for (; at < length; at++) {
        const unit = text.charCodeAt(at);
        if (unit >= 0x80) break;
        bytes[to + at] = unit;
      }
      if (at === length) {
        this.#start = to;
        this.varint(length);
        this.varint(tag);
        return;
      }
    }
    const encoded = ENCODER.encode(text);
    this.slice(tag, encoded, 0, encoded.length);
  }

  /** Bytes as they are, without tag or length. */
  raw(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.#reserve(length);
    const to = this.#start - length;
    const bytes = this.#bytes;
    if (length > 48) {
      bytes.set(source.subarray(start, end), to);
    } else {
      for (let i = 0; i < length; i++) {
        bytes[to + i] = source[start + i];
      }
    }
    this.#start = to;
  }

  /** Unsigned, up to 2^53. */
  varint(value: number): void {
    this.#reserve(8);
    if (value < 0x80) {
      this.#bytes[--this.#start] = value;
      return;
    }
    let length = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) {
      length++;
    }
    let position = this.#start - length;
    this.#start = position;
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[position++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[position] = rest;
  }

  /** A 64-bit varint of its two words. */
  varint64(low: number, high: number): void {
    if (high < 0x20_0000) {
      this.varint(high * 0x1_0000_0000 + low);
      return;
    }
    // 2^53 and above takes 8 to 10 bytes; negative numbers are here.
    this.#reserve(10);
    let value = (BigInt(high) << 32n) | BigInt(low);
    const encoded: number[] = [];
    while (value >= 0x80n) {
      encoded.push(Number(value & 0x7fn) | 0x80);
      value >>= 7n;
    }
    encoded.push(Number(value));
    this.#start -= encoded.length;
    this.#bytes.set(encoded, this.#start);
  }

  /** sint32, zigzag. */
  sint32(value: number): void {
    this.varint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  fixed32(value: number): void {
    this.#reserve(4);
    const to = this.#start - 4;
    this.#bytes[to] = value;
    this.#bytes[to + 1] = value >>> 8;
    this.#bytes[to + 2] = value >>> 16;
    this.#bytes[to + 3] = value >>> 24;
    this.#start = to;
  }

  /** A fixed64, sfixed64 or double of its two words. */
  fixed64(low: number, high: number): void {
    this.fixed32(high);
    this.fixed32(low);
  }

  double(value: number): void {
    DOUBLE[0] = value;
    this.fixed64(DOUBLE_WORDS[0], DOUBLE_WORDS[1]);
  }

  #reserve(length: number): void {
    if (length > this.#start) {
      const written = this.length;
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, written + length));
      grown.set(this.#bytes.subarray(this.#start), grown.length - written);
      this.#bytes = grown;
      this.#start = grown.length - written;
    }
  }
}

const DOUBLE = new Float64Array(1);
const DOUBLE_WORDS = new Uint32Array(DOUBLE.buffer);
