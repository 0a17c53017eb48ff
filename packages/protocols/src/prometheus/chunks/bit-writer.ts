/** Writes bits one after the other, the highest of a number first; the last byte is filled up with zeros. */
export class BitWriter {
  #bytes = new Uint8Array(256);
  #length = 0;
  /** Bits of the last byte that are not written yet. */
  #free = 0;

  /** The lowest bits of a 32-bit number. */
  bits(value: number, count: number): void {
    for (let left = count; left > 0; ) {
      if (this.#free === 0) this.#grow();
      const taken = Math.min(this.#free, left);
      const part = (value >>> (left - taken)) & ((1 << taken) - 1);
      const last = this.#length - 1;
      this.#bytes[last] = (this.#bytes[last] as number) | (part << (this.#free - taken));
      this.#free -= taken;
      left -= taken;
    }
  }

  /** The lowest bits of a 64-bit number of two words. */
  words(high: number, low: number, count: number): void {
    if (count > 32) this.bits(high, count - 32);
    this.bits(low, Math.min(count, 32));
  }

  /** The lowest bits of a whole number; negative ones are two's complement. */
  whole(value: number, count: number): void {
    this.words(Math.floor(value / 0x1_0000_0000), value >>> 0, count);
  }

  /** LEB128 of a whole number that is not negative. */
  varint(value: bigint): void {
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) this.bits(Number(rest & 0x7fn) | 0x80, 8);
    this.bits(Number(rest), 8);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(): void {
    if (this.#length === this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#length++;
    this.#free = 8;
  }
}
