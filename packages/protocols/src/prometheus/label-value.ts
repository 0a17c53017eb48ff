import type { AttributeValue } from '@signalbox/records';
import { formatFloat } from './format-float.ts';

/** An attribute's value as a label's: texts as they are, lists and maps as JSON, bytes in base64 (OpenTelemetry, "AnyValue to string"). */
export function labelValue(value: AttributeValue): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatFloat(value);
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return JSON.stringify(plainValue(value));
}

/** A value as JSON has it; integers beyond 2^53 lose their last digits, as in everything that reads JSON. */
export function plainValue(value: AttributeValue): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object' || value === null) return value;
  if ('entries' in value && !Array.isArray(value)) {
    return Object.fromEntries(
      (value as { readonly entries: readonly (readonly [string, AttributeValue])[] }).entries.map(([key, inner]) => [
        key,
        plainValue(inner),
      ]),
    );
  }
  return (value as readonly AttributeValue[]).map(plainValue);
}
