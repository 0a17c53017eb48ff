import type { AttributeValue } from '@signalbox/records';
import { Duration, isMap, Time, type Value } from './value.ts';

/** A value as text: strings as they are, numbers and bools as they are written, bytes in base64, lists and maps as JSON; nil: null. */
export function textOfValue(value: Value): string | null {
  if (value === null || typeof value === 'string') {
    return value;
  }
  if (value instanceof Time) {
    return new Date(Number(value.nanoseconds / 1_000_000n)).toISOString();
  }
  if (value instanceof Duration) {
    return `${Number(value.nanoseconds) / 1e9}s`;
  }
  if (value instanceof Uint8Array) {
    return Buffer.from(value).toString('base64');
  }
  return typeof value === 'object' ? jsonOf(value) : String(value);
}

function jsonOf(value: AttributeValue): string {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value))) {
    return String(value);
  }
  if (value instanceof Uint8Array) {
    return JSON.stringify(Buffer.from(value).toString('base64'));
  }
  if (isMap(value)) {
    // In the order of the keys, as Go writes a map: one map has one text.
    const entries = [...value.entries].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${jsonOf(entry)}`).join(',')}}`;
  }
  return Array.isArray(value) ? `[${value.map(jsonOf).join(',')}]` : JSON.stringify(value);
}
