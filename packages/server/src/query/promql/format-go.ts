/** A number as Go's `%g` writes it in the fewest digits: with an exponent below 1e-4 and from 1e6 on. */
export function formatGo(value: number): string {
  return special(value) ?? (useExponent(value) ? exponentForm(value) : decimalForm(value));
}

/** A sample's value as Prometheus's API writes it: in the fewest digits, never with an exponent. */
export function formatSample(value: number): string {
  return special(value) ?? decimalForm(value);
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return undefined;
  return value > 0 ? '+Inf' : '-Inf';
}

function useExponent(value: number): boolean {
  const magnitude = Math.abs(value);
  return magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e6);
}

function exponentForm(value: number): string {
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

function decimalForm(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const text = String(value);
  const [, sign = '', first = '', rest = '', power] = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? [];
  if (power === undefined) return text;
  const exponent = Number(power);
  const digits = first + rest;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  return `${sign}${digits.padEnd(exponent + 1, '0')}`;
}
