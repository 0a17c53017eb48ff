import type { AttributeEntry, AttributeValue } from '@signalbox/records';

/** An attribute's value as a test wants to compare it: integers are numbers where a number holds them exactly. */
export type RecordedValue =
  | null
  | string
  | boolean
  | number
  | bigint
  | Uint8Array
  | readonly RecordedValue[]
  | RecordedAttributes;

export interface RecordedAttributes {
  readonly [name: string]: RecordedValue;
}

export function recordedAttributes(entries: readonly AttributeEntry[]): RecordedAttributes {
  return Object.fromEntries(entries.map(([name, value]) => [name, recordedValue(value)]));
}

export function recordedValue(value: AttributeValue): RecordedValue {
  if (typeof value === 'bigint') return recordedInteger(value);
  if (Array.isArray(value)) return value.map(recordedValue);
  if (typeof value === 'object' && value !== null && 'entries' in value && !(value instanceof Uint8Array))
    return recordedAttributes(value.entries as readonly AttributeEntry[]);
  return value as RecordedValue;
}

export function recordedInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
