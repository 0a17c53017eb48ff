/**
 * The start of SHA-1 digests (FIPS 180-4, 6.1) of short byte sequences, thousands a second: a native hash of each takes three times as
 * long, and leaves objects behind. What many of them begin with is hashed once.
 */
export class Sha1 {
  readonly #schedule = new Int32Array(80);
  readonly #state = new Int32Array(5);
  /** The state after whole blocks of what sequences begin with, and how many these are. */
  readonly #kept = new Int32Array(INITIAL);
  #keptBlocks = 0;
  readonly #first = new Uint8Array(8);
  readonly #view = new DataView(this.#first.buffer);

  /** The sequences that follow begin with these bytes, until this is called again; 0: with any. */
  keep(bytes: Uint8Array, length: number): void {
    const blocks = length >>> 6;
    this.#state.set(INITIAL);
    this.#compress(bytes, length, 0, blocks);
    this.#kept.set(this.#state);
    this.#keptBlocks = blocks;
  }

  /** The first 8 bytes of the digest of the first `length` bytes, little-endian. */
  first8(bytes: Uint8Array, length: number): bigint {
    this.#state.set(this.#kept);
    this.#compress(bytes, length, this.#keptBlocks, ((length + 8) >>> 6) + 1);
    this.#view.setInt32(0, this.#state[0]);
    this.#view.setInt32(4, this.#state[1]);
    return this.#view.getBigUint64(0, true);
  }

  #compress(bytes: Uint8Array, length: number, fromBlock: number, toBlock: number): void {
    const w = this.#schedule;
    const state = this.#state;
    const lastBlock = (length + 8) >>> 6;
    for (let block = fromBlock; block < toBlock; block++) {
      this.#load(bytes, length, block * 64);
      if (block === lastBlock) {
        // The length in bits.
        w[14] = Math.floor(length / 0x2000_0000);
        w[15] = length << 3;
      }
      for (let t = 16; t < 80; t++) {
        const x = w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16];
        w[t] = (x << 1) | (x >>> 31);
      }
      let a = state[0];
      let b = state[1];
      let c = state[2];
      let d = state[3];
      let e = state[4];
      let t = 0;
      // Four loops rather than one with a choice in it, which takes half as long again.
      for (; t < 20; t++) {
        const next = (((a << 5) | (a >>> 27)) + (d ^ (b & (c ^ d))) + e + w[t] + 0x5a82_7999) | 0;
        e = d;
        d = c;
        c = (b << 30) | (b >>> 2);
        b = a;
        a = next;
      }
      for (; t < 40; t++) {
        const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + w[t] + 0x6ed9_eba1) | 0;
        e = d;
        d = c;
        c = (b << 30) | (b >>> 2);
        b = a;
        a = next;
      }
      for (; t < 60; t++) {
        const next = (((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + e + w[t] + 0x8f1b_bcdc) | 0;
        e = d;
        d = c;
        c = (b << 30) | (b >>> 2);
        b = a;
        a = next;
      }
      for (; t < 80; t++) {
        const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + w[t] + 0xca62_c1d6) | 0;
        e = d;
        d = c;
        c = (b << 30) | (b >>> 2);
        b = a;
        a = next;
      }
      state[0] += a;
      state[1] += b;
      state[2] += c;
      state[3] += d;
      state[4] += e;
    }
  }

  /** The 64 bytes from `start` on as big-endian words: after the last byte one that says so, then zeros. */
  #load(bytes: Uint8Array, length: number, start: number): void {
    const w = this.#schedule;
    if (start + 64 <= length) {
      for (let t = 0, at = start; t < 16; t++, at += 4) {
        w[t] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
      }
      return;
    }
    for (let t = 0, at = start; t < 16; t++) {
      let word = 0;
      for (const end = at + 4; at < end; at++)
        word = (word << 8) | (at < length ? bytes[at] : at === length ? 0x80 : 0);
      w[t] = word;
    }
  }
}

const INITIAL: readonly number[] = [0x6745_2301, 0xefcd_ab89 | 0, 0x98ba_dcfe | 0, 0x1032_5476, 0xc3d2_e1f0 | 0];
