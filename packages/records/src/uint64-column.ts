import { gatherWordPairs } from './gather.ts';

/** A column of 64-bit unsigned integers, little-endian in memory. `words` sees the same memory: low word of row i at 2i, high at 2i + 1. */
export class Uint64Column {
  values: BigUint64Array<ArrayBuffer> = new BigUint64Array(0);
  words: Uint32Array<ArrayBuffer> = new Uint32Array(0);

  grow(capacity: number): void {
    const values = new BigUint64Array(capacity);
    values.set(this.values);
    this.values = values;
    this.words = new Uint32Array(values.buffer);
  }

  /** Copies rows of `source` to those from `first` on, for which there is room. */
  gather(first: number, source: Uint64Column, rows: Uint32Array): void {
    gatherWordPairs(this.words, first, source.words, rows);
  }

  setWords(row: number, low: number, high: number): void {
    this.words[row * 2] = low;
    this.words[row * 2 + 1] = high;
  }
}
