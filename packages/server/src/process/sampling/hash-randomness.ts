import type { Bits56 } from './threshold.ts';

const BUCKETS = 0x4000;

/**
 * Randomness from a hash of some bytes, as the Collector's sampler makes it in its mode `hash_seed`: FNV-1a of 32 bits over the
 * seed (little-endian) and the bytes. The highest 14 bits decide; the others fill the number up.
 */
export function hashRandomness(bytes: Uint8Array, seed: number): Bits56 {
  let hash = 0x811c9dc5;
  for (let i = 0; i < 4; i++) {
    hash = Math.imul(hash ^ ((seed >>> (8 * i)) & 0xff), 0x01000193);
  }
  for (let i = 0; i < bytes.length; i++) {
    hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  }
  const bucket = hash & (BUCKETS - 1);
  const unused = hash >>> 18;
  const decisive = BUCKETS - 1 - bucket;
  // 14 bits that decide, 28 mixed of the unused ones, 14 of the bucket again: in two halves of 28.
  const mixed = (unused ^ (unused << 10)) & 0xfffffff;
  return { high: decisive * BUCKETS + (mixed >>> 14), low: (mixed & (BUCKETS - 1)) * BUCKETS + bucket };
}

/** The threshold of a percentage in that mode: of 2^14 buckets, those below the percentage pass. Null: none does. */
export function hashThreshold(percentage: number): Bits56 | null {
  // In the 32-bit floats of the original, so that the same traces pass.
  const accepted = Math.trunc(Math.fround(Math.fround(Math.min(percentage, 100)) * Math.fround(BUCKETS / 100)));
  return accepted === 0 ? null : { high: (BUCKETS - accepted) * BUCKETS, low: 0 };
}
