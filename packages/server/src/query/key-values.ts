import type { AnyValue, KeyValue } from '@signalbox/api-contract';
import { type ReadAttribute, readAttributes } from '../store/clickhouse/attributes.ts';

/** The cells of `attributeColumns` as OTLP/JSON has them, sorted by key. */
export function toKeyValues(cells: readonly unknown[]): KeyValue[] {
  return keyValuesOf(readAttributes(cells));
}

/** Stored attributes as OTLP/JSON has them. */
export function keyValuesOf(attributes: readonly ReadAttribute[]): KeyValue[] {
  return attributes.map((attribute) => ({ key: attribute.key, value: toAnyValue(attribute) }));
}

function toAnyValue({ type, value }: ReadAttribute): AnyValue {
  switch (type) {
    case 'string':
      return { stringValue: String(value) };
    case 'bool':
      return { boolValue: value === true };
    case 'int':
      return { intValue: String(value) };
    case 'double':
      return { doubleValue: typeof value === 'number' ? value : (specialDoubles[String(value)] ?? Number(value)) };
    case 'other':
      return parseAnyValue(String(value));
  }
}

const specialDoubles: Readonly<Record<string, 'NaN' | 'Infinity' | '-Infinity'>> = {
  nan: 'NaN',
  '-nan': 'NaN',
  inf: 'Infinity',
  '-inf': '-Infinity',
};

/** OTLP/JSON AnyValue text as the store's writers made it. Text that is none (a bug) is shown as it is. */
export function parseAnyValue(text: string): AnyValue {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as AnyValue;
  } catch {
    // Shown below.
  }
  return { stringValue: text };
}

/** An OTLP/JSON KeyValue list as the store's writers made it; '' is the empty list. */
export function parseKeyValues(text: string): KeyValue[] {
  if (text === '') return [];
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value as KeyValue[];
  } catch {
    // Shown below.
  }
  return [{ key: 'unreadable', value: { stringValue: text } }];
}
