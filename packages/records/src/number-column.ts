import { grownUint8 } from './capacity.ts';
import { gatherUint8, gatherWordPairs } from './gather.ts';

/** Type of a number of a metric; None: no recorded value. The numbers are ours and are stored: never change one. */
export const NumberType = { Double: 0, Int: 1, None: 2 } as const;

/** Numbers that are doubles (`doubles`) or 64-bit integers (`ints`) or absent (both 0), as `type` says: the columns see the same memory. */
export class NumberColumn {
  type: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  ints: BigInt64Array<ArrayBuffer> = new BigInt64Array(0);
  doubles: Float64Array<ArrayBuffer> = new Float64Array(0);
  words: Uint32Array<ArrayBuffer> = new Uint32Array(0);

  grow(capacity: number): void {
    this.type = grownUint8(this.type, capacity);
    const ints = new BigInt64Array(capacity);
    ints.set(this.ints);
    this.ints = ints;
    this.doubles = new Float64Array(ints.buffer);
    this.words = new Uint32Array(ints.buffer);
  }

  /** Copies rows of `source` to those from `first` on, for which there is room. */
  gather(first: number, source: NumberColumn, rows: Uint32Array): void {
    gatherUint8(this.type, first, source.type, rows);
    gatherWordPairs(this.words, first, source.words, rows);
  }

  setNone(row: number): void {
    this.type[row] = NumberType.None;
    this.ints[row] = 0n;
  }

  setDouble(row: number, value: number): void {
    this.type[row] = NumberType.Double;
    this.doubles[row] = value;
  }

  setIntWords(row: number, low: number, high: number): void {
    this.type[row] = NumberType.Int;
    this.words[row * 2] = low;
    this.words[row * 2 + 1] = high;
  }
}
