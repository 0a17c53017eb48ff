/** The schema of histograms whose buckets have bounds of their own. */
export const CUSTOM_BUCKETS_SCHEMA = -53;

/**
 * Upper bound of bucket `index` of an exponential histogram (`schema` -4 to 8): 2^(index · 2^-schema). The lower bound is that
 * of the bucket below. Beyond the largest double it is +Inf; the last bucket before ends there.
 */
export function exponentialBound(index: number, schema: number): number {
  if (schema < 0) {
    const exponent = index * 2 ** -schema;
    // The highest bucket's bound is not a double any more: it ends at the largest one.
    if (exponent === 1024) return Number.MAX_VALUE;
    return 2 ** exponent;
  }
  const perOctave = 2 ** schema;
  const octave = Math.floor(index / perOctave);
  const fraction = fractionsOf(schema)[index - octave * perOctave];
  if (fraction === 0.5 && octave + 1 === 1025) return Number.MAX_VALUE;
  return ldexp(fraction, octave + 1);
}

const fractions: Float64Array[] = [];

/** Bounds of the buckets from 0.5 to 1, the first being 0.5. */
function fractionsOf(schema: number): Float64Array {
  let known = fractions[schema];
  if (!known) {
    const count = 2 ** schema;
    known = Float64Array.from({ length: count }, (_, index) => 2 ** (index / count - 1));
    fractions[schema] = known;
  }
  return known;
}

/** `fraction · 2^exponent` without an overflow on the way. */
function ldexp(fraction: number, exponent: number): number {
  return exponent > 1000 ? fraction * 2 ** 1000 * 2 ** (exponent - 1000) : fraction * 2 ** exponent;
}

/** The index of the bucket of a coarser schema that holds bucket `index` of a finer one. */
export function coarserIndex(index: number, from: number, to: number): number {
  return Math.floor((index - 1) / 2 ** (from - to)) + 1;
}
