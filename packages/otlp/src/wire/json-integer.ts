import type { JsonReader } from './json-reader.ts';

export interface IntegerRange {
  readonly name: string;
  readonly min: bigint;
  readonly max: bigint;
}

export const INTEGER_RANGES = {
  int32: { name: 'int32', min: -(2n ** 31n), max: 2n ** 31n - 1n },
  uint32: { name: 'uint32', min: 0n, max: 2n ** 32n - 1n },
  int64: { name: 'int64', min: -(2n ** 63n), max: 2n ** 63n - 1n },
  uint64: { name: 'uint64', min: 0n, max: 2n ** 64n - 1n },
} as const satisfies Record<string, IntegerRange>;

const TWO_32 = 0x1_0000_0000;
/** Longest number text worth a look: 64-bit integers have at most 20 digits, and protobuf allows a fraction of zeros. */
const MAX_LENGTH = 64;

/** Parses the checked number text at `start` to `end` into the reader's `low` and `high`, without loss. */
export function parseInteger(reader: JsonReader, start: number, end: number, range: IntegerRange): void {
  const { bytes } = reader;
  const length = end - start;
  let value = 0;
  let lastNine = 0;
  if (length <= 19 && (length <= 9 || range.max > 0xffff_ffffn)) {
    // The way of almost all: up to 19 digits, below 2^63.
    for (let i = 0; i < length; i++) {
      const digit = bytes[start + i] - 0x30;
      if (digit < 0 || digit > 9) {
        parseAny(reader, start, end, range);
        return;
      }
      if (length - i > 9) {
        value = value * 10 + digit;
      } else {
        lastNine = lastNine * 10 + digit;
      }
    }
    if (value > 9_000_000_000) {
      parseAny(reader, start, end, range);
      return;
    }
    // value * 10^9 + lastNine in 32-bit words, exactly: value < 2^34.
    const lowPart = (value % 0x1_0000) * 1e9 + lastNine;
    const highPart = Math.floor(value / 0x1_0000) * 1e9;
    const sum = (highPart % 0x1_0000) * 0x1_0000 + lowPart;
    reader.low = sum % TWO_32;
    reader.high = Math.floor(highPart / 0x1_0000) + Math.floor(sum / TWO_32);
    return;
  }
  parseAny(reader, start, end, range);
}

/** Signs, fractions of zeros, exponents (`1e3`, `1.0`: the JSON mapping of protobuf takes them), and the largest numbers. */
function parseAny(reader: JsonReader, start: number, end: number, range: IntegerRange): void {
  const value = end - start <= MAX_LENGTH ? exactInteger(reader.bytes, start, end) : null;
  if (value === null || value < range.min || value > range.max) {
    throw reader.fail(`not an ${range.name}`, start);
  }
  reader.low = Number(BigInt.asUintN(32, value));
  reader.high = Number(BigInt.asUintN(32, value >> 32n));
}

/** null: not an integer, or far too large for one. */
function exactInteger(bytes: Uint8Array, start: number, end: number): bigint | null {
  const text = String.fromCharCode(...bytes.subarray(start, end));
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) {
    return null;
  }
  const [, sign, whole = '', fraction = '', exponentText = '0'] = match;
  const digits = BigInt(whole + fraction);
  const exponent = Number(exponentText) - fraction.length;
  if (digits === 0n) {
    return 0n;
  }
  if (Math.abs(exponent) > MAX_LENGTH) {
    return null;
  }
  const scale = 10n ** BigInt(Math.abs(exponent));
  if (exponent < 0 && digits % scale !== 0n) {
    return null;
  }
  const magnitude = exponent < 0 ? digits / scale : digits * scale;
  return sign === '-' ? -magnitude : magnitude;
}
