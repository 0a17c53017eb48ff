/** How many inputs a fuzz test tries: a bounded number in CI, a million in the full tier. */
export const FUZZ_RUNS = process.env.SIGNALBOX_TEST_TIER === 'full' ? 1_000_000 : 3_000;

/** Variants of `sample` with bytes changed, cut, doubled or inserted; the same for the same seed. */
export function* mutations(sample: Uint8Array, runs: number, seed = 1): Generator<Uint8Array<ArrayBuffer>> {
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
