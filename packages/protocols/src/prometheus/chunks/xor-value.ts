import type { BitWriter } from './bit-writer.ts';

const DOUBLE = new Float64Array(1);
const WORDS = new Uint32Array(DOUBLE.buffer);
/** Prometheus's mark of a series that has ended, one of the many NaNs. */
const STALE = [2, 0x7ff00000] as const;

/**
 * One double after another, as what differs from the one before (Gorilla, a fast, scalable, in-memory time series database, 4.1.2): the bits
 * between the zeros before and behind, whose numbers are written again only when they don't fit.
 */
export class XorValue {
  #low = 0;
  #high = 0;
  /** Zeros before and behind that were written last. */
  #leading = Number.POSITIVE_INFINITY;
  #trailing = 0;

  /** As it is. */
  first(writer: BitWriter, value: number | 'stale'): void {
    [this.#low, this.#high] = wordsOf(value);
    writer.words(this.#high, this.#low, 64);
  }

  next(writer: BitWriter, value: number | 'stale'): void {
    const [newLow, newHigh] = wordsOf(value);
    const low = (newLow ^ this.#low) >>> 0;
    const high = (newHigh ^ this.#high) >>> 0;
    this.#low = newLow;
    this.#high = newHigh;
    if (low === 0 && high === 0) {
      writer.bits(0, 1);
      return;
    }
    // Five bits are there for it.
    const leading = Math.min(31, Math.clz32(high));
    const trailing = low === 0 ? 32 + trailingZeros(high) : trailingZeros(low);
    if (leading >= this.#leading && trailing >= this.#trailing) {
      writer.bits(0b10, 2);
    } else {
      this.#leading = leading;
      this.#trailing = trailing;
      writer.bits(0b11, 2);
      writer.bits(leading, 5);
      // 64 stands there as 0, which it never is.
      writer.bits(64 - leading - trailing, 6);
    }
    const count = 64 - this.#leading - this.#trailing;
    if (this.#trailing >= 32) writer.bits(high >>> (this.#trailing - 32), count);
    else if (this.#trailing === 0) writer.words(high, low, count);
    else {
      const shifted = (low >>> this.#trailing) | (high << (32 - this.#trailing));
      writer.words(high >>> this.#trailing, shifted, count);
    }
  }
}

function wordsOf(value: number | 'stale'): readonly [low: number, high: number] {
  if (value === 'stale') return STALE;
  DOUBLE[0] = value;
  return [WORDS[0] as number, WORDS[1] as number];
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}
