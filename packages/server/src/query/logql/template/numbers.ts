import type { GoValue } from '../../../go-template/go-values.ts';

/** What sprig makes an int64 of: numbers, and texts of whole ones; 0 for everything else. */
export function toInt(value: GoValue): bigint {
  switch (typeof value) {
    case 'bigint':
      return BigInt.asIntN(64, value);
    case 'number':
      return Number.isFinite(value) ? BigInt.asIntN(64, BigInt(Math.trunc(value))) : 0n;
    case 'boolean':
      return value ? 1n : 0n;
    case 'string': {
      const [, sign = '', digits = ''] = /^([+-]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|\d+)$/.exec(value) ?? [];
      if (digits === '') return 0n;
      const magnitude = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
      return sign === '-' ? -magnitude : magnitude;
    }
    default:
      return 0n;
  }
}

/** What sprig makes a float64 of; 0 for what is no number. */
export function toFloat(value: GoValue): number {
  switch (typeof value) {
    case 'number':
      return value;
    case 'bigint':
      return Number(value);
    case 'boolean':
      return value ? 1 : 0;
    case 'string':
      return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value) ? Number(value) : 0;
    default:
      return 0;
  }
}

/** sprig adds, subtracts and multiplies floats as decimals, so that 0.1 + 0.2 is 0.3. */
export function asDecimal(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(15)) : value;
}
