const BITS_28 = 2 ** 28;
const FULL = 1n << 56n;
const HEX_DIGITS = 14;
/** More digits than a double can tell apart are noise. */
const MAX_PRECISION = 13;
const MIN_PROBABILITY = 2 ** -56;

/**
 * A number of 56 bits in two halves of 28, which plain numbers compare fast: a rejection threshold, or the randomness that it is
 * compared with (OpenTelemetry, "TraceState: probability sampling").
 */
export interface Bits56 {
  readonly high: number;
  readonly low: number;
}

export const ALWAYS_SAMPLE: Bits56 = { high: 0, low: 0 };
/** One above the largest randomness. */
export const NEVER_SAMPLE: Bits56 = { high: BITS_28, low: 0 };

/** Whether an item of this randomness is sampled at this threshold. */
export function isSampled(threshold: Bits56, randomness: Bits56): boolean {
  return randomness.high > threshold.high || (randomness.high === threshold.high && randomness.low >= threshold.low);
}

/** The randomness of a trace: the last seven bytes of its id (W3C Trace Context Level 2). */
export function traceRandomness(traceIds: Uint8Array, row: number): Bits56 {
  const at = row * 16 + 9;
  const middle = traceIds[at + 3] as number;
  return {
    high:
      ((traceIds[at] as number) << 20) |
      ((traceIds[at + 1] as number) << 12) |
      ((traceIds[at + 2] as number) << 4) |
      (middle >> 4),
    low:
      ((middle & 15) << 24) |
      ((traceIds[at + 4] as number) << 16) |
      ((traceIds[at + 5] as number) << 8) |
      (traceIds[at + 6] as number),
  };
}

/** Of a threshold (`th`, trailing zeros left out) or, with exactly 14 digits, a randomness (`rv`); null: not one. */
export function parseBits56(hex: string, exact: boolean): Bits56 | null {
  if (!/^[0-9a-f]{1,14}$/.test(hex) || (exact && hex.length !== HEX_DIGITS)) {
    return null;
  }
  const digits = hex.padEnd(HEX_DIGITS, '0');
  return { high: Number.parseInt(digits.slice(0, 7), 16), low: Number.parseInt(digits.slice(7), 16) };
}

/** All 14 hexadecimal digits. */
export function printRandomness({ high, low }: Bits56): string {
  return high.toString(16).padStart(7, '0') + low.toString(16).padStart(7, '0');
}

/** The digits up to the last that is not zero, at least one. */
export function printThreshold(threshold: Bits56): string {
  return printRandomness(threshold).replace(/0+$/, '') || '0';
}

/** The share of items that pass. */
export function probabilityOf({ high, low }: Bits56): number {
  return 1 - high / BITS_28 - low / BITS_28 / BITS_28;
}

/**
 * The threshold that lets a share of `probability` pass, rounded to `precision` significant hexadecimal digits beyond its
 * leading zeros or f's. Below 2^-56 nothing passes.
 */
export function thresholdOf(probability: number, precision: number): Bits56 {
  if (probability >= 1) {
    return ALWAYS_SAMPLE;
  }
  if (!(probability >= MIN_PROBABILITY)) {
    return NEVER_SAMPLE;
  }
  const leadingDigits = Math.max(leadingZeroDigits(probability), leadingZeroDigits(1 - probability));
  const digits = Math.min(MAX_PRECISION, precision + leadingDigits);
  let threshold = FULL - BigInt(Math.round(probability * 2 ** 56));
  const shift = BigInt(4 * (HEX_DIGITS - digits));
  if (shift > 0n) {
    threshold = ((threshold + (1n << (shift - 1n))) >> shift) << shift;
  }
  return { high: Number(threshold >> 28n), low: Number(threshold & BigInt(BITS_28 - 1)) };
}

/** How many hexadecimal digits after the point are zero. */
function leadingZeroDigits(fraction: number): number {
  return Math.max(0, Math.floor((-Math.log2(fraction) - Number.EPSILON) / 4));
}
