/** A finite number in decimal: `0.d₁d₂d₃… × 10^(exponent + 1)`, so `exponent` is that of scientific notation. */
interface Decimal {
  readonly isNegative: boolean;
  /** At least one digit; no trailing zeros but for '0' itself. */
  readonly digits: string;
  readonly exponent: number;
}

/** Go's shortest form of a float64 (`%v`): with an exponent below 1e-4, and from 1e6 on. */
export function formatShortest(value: number): string {
  return special(value) ?? generalForm(shortest(value), 6);
}

/** Go's `%.{precision}g`: so many significant digits at most, trailing zeros left out; undefined: as many as it takes. */
export function formatGeneral(value: number, precision: number | undefined): string {
  const text = special(value);
  if (text !== undefined) return text;
  if (precision === undefined) return generalForm(shortest(value), 6);
  const significant = Math.max(precision, 1);
  const decimal = round(exact(value), significant);
  const { length } = decimal.digits;
  return generalForm(decimal, significant > length && length > decimal.exponent ? length : significant);
}

/** Go's `%.{precision}e`; undefined: as many digits as it takes. */
export function formatExponent(value: number, precision: number | undefined): string {
  const text = special(value);
  if (text !== undefined) return text;
  if (precision === undefined) return exponentForm(shortest(value));
  const decimal = round(exact(value), precision + 1);
  return exponentForm({ ...decimal, digits: decimal.digits.padEnd(precision + 1, '0') });
}

/** Go's `%.{precision}f`; undefined: as many digits as it takes. */
export function formatFixed(value: number, precision: number | undefined): string {
  const text = special(value);
  if (text !== undefined) return text;
  if (precision === undefined) {
    const decimal = shortest(value);
    return fixedForm(decimal, Math.max(decimal.digits.length - 1 - decimal.exponent, 0));
  }
  const decimal = exact(value);
  return fixedForm(round(decimal, decimal.exponent + 1 + precision), precision);
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return undefined;
  return value > 0 ? '+Inf' : '-Inf';
}

/** The fewest digits that read back as the same number. */
function shortest(value: number): Decimal {
  const [, sign = '', first = '', rest = '', exponent = '0'] =
    /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value.toExponential()) ?? [];
  return { isNegative: sign === '-' || Object.is(value, -0), digits: first + rest, exponent: Number(exponent) };
}

/** All digits of the number, since every binary fraction is a decimal one. */
function exact(value: number): Decimal {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const isNegative = bits >> 63n === 1n;
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  const power = Math.max(biased, 1) - 1075;
  if (mantissa === 0n) return { isNegative, digits: '0', exponent: 0 };
  const digits = String(power >= 0 ? mantissa << BigInt(power) : mantissa * 5n ** BigInt(-power));
  const exponent = digits.length - 1 + Math.min(power, 0);
  return { isNegative, digits: digits.replace(/0+$/, ''), exponent };
}

/** To `count` digits (0 and less: possibly none), to the nearest, ties to even. */
function round(decimal: Decimal, count: number): Decimal {
  const { isNegative, digits, exponent } = decimal;
  if (count >= digits.length) return decimal;
  if (count < 0) return { isNegative, digits: '0', exponent: 0 };
  const next = digits[count] as string;
  const isOdd = count > 0 && Number(digits[count - 1]) % 2 === 1;
  const isUp = next > '5' || (next === '5' && (digits.length > count + 1 || isOdd));
  const kept = String(BigInt(digits.slice(0, count) || '0') + (isUp ? 1n : 0n)).padStart(count, '0');
  if (kept === '0' || kept === '') return { isNegative, digits: '0', exponent: 0 };
  return { isNegative, digits: kept.replace(/0+$/, ''), exponent: exponent + kept.length - count };
}

function generalForm(decimal: Decimal, exponentFrom: number): string {
  const { digits, exponent } = decimal;
  if (exponent < -4 || exponent >= exponentFrom) return exponentForm(decimal);
  return fixedForm(decimal, Math.max(digits.length - 1 - exponent, 0));
}

function exponentForm({ isNegative, digits, exponent }: Decimal): string {
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  const power = String(Math.abs(exponent)).padStart(2, '0');
  return `${isNegative ? '-' : ''}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${power}`;
}

function fixedForm({ isNegative, digits, exponent }: Decimal, places: number): string {
  const integer = exponent < 0 ? '0' : digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = exponent < 0 ? '0'.repeat(-exponent - 1) + digits : digits.slice(exponent + 1);
  return `${isNegative ? '-' : ''}${integer}${places > 0 ? `.${fraction.padEnd(places, '0').slice(0, places)}` : ''}`;
}
