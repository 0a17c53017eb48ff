import type { AnyValue } from '@signalbox/api-contract';

/**
 * An attribute's value as the text of a label, as the Collector and Prometheus write it: scalars as they are, bytes in base64,
 * lists and maps as plain JSON.
 */
export function attributeText(value: AnyValue): string {
  // Nearly all are texts.
  if ('stringValue' in value) return value.stringValue;
  const plain = plainValue(value);
  if (plain === null) return '';
  return typeof plain === 'object' ? JSON.stringify(plain) : String(plain);
}

function plainValue(value: AnyValue): unknown {
  if ('intValue' in value) {
    const number = Number(value.intValue);
    return Number.isSafeInteger(number) ? number : value.intValue;
  }
  if ('arrayValue' in value) return value.arrayValue?.values.map(plainValue);
  if ('kvlistValue' in value) {
    return Object.fromEntries(value.kvlistValue?.values.map((entry) => [entry.key, plainValue(entry.value)]) ?? []);
  }
  return Object.values(value)[0] ?? null;
}
