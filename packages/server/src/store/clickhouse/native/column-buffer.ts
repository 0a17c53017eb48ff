/** Growable bytes of one column on their way into a `Native` block. */
export class ColumnBuffer {
  bytes: Uint8Array;
  length = 0;
  /** Sees `bytes`. */
  view: DataView;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  reset(): void {
    this.length = 0;
  }

  /** The bytes so far; a view, valid until the next write. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
  }

  uint8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  uint32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  int16(value: number): void {
    this.reserve(2);
    this.view.setInt16(this.length, value, true);
    this.length += 2;
  }

  int32(value: number): void {
    this.reserve(4);
    this.view.setInt32(this.length, value, true);
    this.length += 4;
  }

  /** A 64-bit integer in two halves of 32 bits. */
  uint64(low: number, high: number): void {
    this.reserve(8);
    this.view.setUint32(this.length, low, true);
    this.view.setUint32(this.length + 4, high, true);
    this.length += 8;
  }

  /** A count below 2^53 as UInt64. */
  count(value: number): void {
    if (value <= 0xffff_ffff) {
      this.uint64(value, 0);
      return;
    }
    this.uint64(value % 0x1_0000_0000, Math.floor(value / 0x1_0000_0000));
  }

  bigUint64(value: bigint): void {
    this.reserve(8);
    this.view.setBigUint64(this.length, value, true);
    this.length += 8;
  }

  float64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** The last `count` bytes so many times more. */
  repeatLast(count: number, times: number): void {
    const total = count * times;
    this.reserve(total);
    const first = this.length - count;
    // What was copied is copied with it the next time.
    for (let copied = 0; copied < total; ) {
      const part = Math.min(copied + count, total - copied);
      this.bytes.copyWithin(this.length + copied, first, first + part);
      copied += part;
    }
    this.length += total;
  }

  zeros(count: number): void {
    this.reserve(count);
    this.bytes.fill(0, this.length, this.length + count);
    this.length += count;
  }

  /** Bytes as they are. */
  raw(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.reserve(count);
    if (count <= SHORT) {
      const target = this.bytes;
      let to = this.length;
      for (let from = start; from < end; from++) {
        target[to++] = source[from];
      }
    } else {
      // Not subarray: of a Buffer that makes a Buffer, which takes several times as long.
      this.bytes.set(new Uint8Array(source.buffer, source.byteOffset + start, count), this.length);
    }
    this.length += count;
  }

  /** A `String`: its length in LEB128, then its bytes. */
  string(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    if (count > SHORT) {
      this.varint(count);
      this.raw(source, start, end);
      return;
    }
    this.reserve(count + 1);
    const target = this.bytes;
    let to = this.length;
    target[to++] = count;
    for (let from = start; from < end; from++) {
      target[to++] = source[from];
    }
    this.length = to;
  }

  /**
   * What `string` writes, of bytes seen as a DataView: four bytes at a time, and up to three too many, which the next value covers.
   * The busiest function of a writer: most texts are short.
   */
  slice(source: DataView, start: number, end: number): void {
    const count = end - start;
    if (count > SHORT || start + SHORT + 4 > source.byteLength) {
      this.string(new Uint8Array(source.buffer, source.byteOffset, source.byteLength), start, end);
      return;
    }
    this.reserve(count + 5);
    const target = this.view;
    let to = this.length;
    target.setUint8(to++, count);
    for (let from = start; from < end; from += 4) {
      target.setInt32(to, source.getInt32(from, true), true);
      to += 4;
    }
    this.length += count + 1;
  }

  /** A `String` of UTF-8 text. For what is not on the hot path. */
  text(value: string): void {
    if (value === '') {
      this.uint8(0);
      return;
    }
    const bytes = Buffer.from(value);
    this.string(bytes, 0, bytes.length);
  }

  varint(value: number): void {
    this.reserve(5);
    let rest = value;
    while (rest > 127) {
      this.bytes[this.length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }
}

/** Up to so many bytes a loop is faster than making a view. Below 128: such a length is one byte. */
const SHORT = 40;
