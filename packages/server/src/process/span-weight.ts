const EQUALS = 0x3d;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const HALF = 2 ** 28;
const MAX_THRESHOLD_DIGITS = 14;

/**
 * How many spans a head-sampled span stands for: its adjusted count, from the rejection threshold that the sampler left in
 * the W3C tracestate at `start` to `end` (`ot=th:<hex>`, OpenTelemetry "TraceState: probability sampling"). The hexadecimal
 * threshold T is of 56 bits, with its trailing zeros left out; the count is 2^56 / (2^56 - T).
 * 1 without a threshold, or with one that breaks the rules.
 */
export function spanWeight(bytes: Uint8Array, start: number, end: number): number {
  let member = start;
  while (member < end) {
    let memberEnd = member;
    while (memberEnd < end && bytes[memberEnd] !== COMMA) {
      memberEnd++;
    }
    // Spaces may stand around members.
    while (bytes[member] === 0x20 || bytes[member] === 0x09) {
      member++;
    }
    if (bytes[member] === 0x6f && bytes[member + 1] === 0x74 && bytes[member + 2] === EQUALS) {
      return weightOfMember(bytes, member + 3, memberEnd);
    }
    member = memberEnd + 1;
  }
  return 1;
}

function weightOfMember(bytes: Uint8Array, start: number, end: number): number {
  let from = start;
  while (from < end) {
    if (bytes[from] === 0x74 && bytes[from + 1] === 0x68 && bytes[from + 2] === 0x3a) {
      return weightOfThreshold(bytes, from + 3, end);
    }
    while (from < end && bytes[from] !== SEMICOLON) {
      from++;
    }
    from++;
  }
  return 1;
}

function weightOfThreshold(bytes: Uint8Array, start: number, end: number): number {
  let high = 0;
  let low = 0;
  let digits = 0;
  for (let i = start; i < end && bytes[i] !== SEMICOLON && bytes[i] !== 0x20; i++) {
    const byte = bytes[i] as number;
    const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1;
    if (digit < 0 || digits === MAX_THRESHOLD_DIGITS) {
      return 1;
    }
    // Two halves of 28 bits: 56 bits do not fit a double.
    if (digits < 7) {
      high += digit * 16 ** (6 - digits);
    } else {
      low += digit * 16 ** (13 - digits);
    }
    digits++;
  }
  return digits === 0 ? 1 : (HALF * HALF) / ((HALF - high) * HALF - low);
}
