// Fuzzing for the tests of every decoder: many broken variants of good samples, the same in every run.

const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';
/** How many inputs a decoder gets: a bounded number in CI, a million in the full tier. */
const RUNS = isFull ? 1_000_000 : 1_000;
/** For the test around `fuzz`, in milliseconds. */
export const FUZZ_TIMEOUT = isFull ? 3_600_000 : 30_000;

/**
 * Gives `decode` broken variants of all samples in turn. It may answer, or throw what `isRefusal` accepts; anything else fails with
 * the input that did it.
 *
 * @param oneIn in the full tier only one of so many is tried: for what takes milliseconds
 */
export function fuzz(
  samples: readonly Uint8Array[],
  decode: (bytes: Uint8Array<ArrayBuffer>) => unknown,
  isRefusal: (error: unknown) => boolean,
  oneIn = 1,
): void {
  const runs = Math.ceil((isFull ? RUNS / oneIn : RUNS) / samples.length);
  for (const [index, sample] of samples.entries()) {
    for (const bytes of mutations(sample, runs, index + 1)) {
      // Some decoders work in place.
      const input = Buffer.from(bytes).toString('hex');
      try {
        decode(bytes);
      } catch (error) {
        if (!isRefusal(error)) throw new Error(`neither decoded nor refused: ${input}`, { cause: error });
      }
    }
  }
}

/** Variants of `sample` with bytes changed, cut, doubled or inserted; the same for the same seed. */
function* mutations(sample: Uint8Array, runs: number, seed: number): Generator<Uint8Array<ArrayBuffer>> {
  let state = seed;
  const random = (below: number) => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % Math.max(1, below);
  };
  for (let run = 0; run < runs; run++) {
    let bytes = Uint8Array.from(sample);
    for (let change = random(4); change >= 0; change--) {
      const at = random(bytes.length);
      switch (random(4)) {
        case 0:
          bytes[at] = random(256);
          break;
        case 1:
          bytes = bytes.slice(0, at);
          break;
        case 2:
          bytes = Uint8Array.from([...bytes.subarray(0, at), random(256), ...bytes.subarray(at)]);
          break;
        default:
          bytes.copyWithin(random(bytes.length), at, at + random(32));
      }
    }
    yield bytes;
  }
}
