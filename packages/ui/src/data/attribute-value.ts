import type { AnyValue, KeyValue } from '@signalbox/api-contract';

export type AttributeType = 'string' | 'bool' | 'int' | 'double' | 'array' | 'map' | 'bytes' | 'empty';

export function attributeType(value: AnyValue): AttributeType {
  if ('stringValue' in value) return 'string';
  if ('boolValue' in value) return 'bool';
  if ('intValue' in value) return 'int';
  if ('doubleValue' in value) return 'double';
  if ('arrayValue' in value) return 'array';
  if ('kvlistValue' in value) return 'map';
  if ('bytesValue' in value) return 'bytes';
  return 'empty';
}

/** As text for a person: strings as they are, lists and maps as indented JSON with their values' own types. */
export function printValue(value: AnyValue): string {
  if ('stringValue' in value) return String(value.stringValue);
  if ('boolValue' in value) return String(value.boolValue);
  if ('intValue' in value) return String(value.intValue);
  if ('doubleValue' in value) return String(value.doubleValue);
  if ('bytesValue' in value) return String(value.bytesValue);
  if ('arrayValue' in value || 'kvlistValue' in value) return printJson(value, '', 0);
  return '';
}

const maxDepth = 32;

// By hand, because an int64 must keep its digits, which JSON.stringify of a number would not.
function printJson(value: AnyValue, indent: string, depth: number): string {
  if (depth > maxDepth) return '…';
  const inner = `${indent}  `;
  if ('arrayValue' in value) {
    const items = value.arrayValue?.values ?? [];
    if (items.length === 0) return '[]';
    const simple = items.every((item) => !('arrayValue' in item) && !('kvlistValue' in item));
    const printed = items.map((item) => printJson(item, inner, depth + 1));
    if (simple && printed.join(', ').length < 60) return `[${printed.join(', ')}]`;
    return `[\n${printed.map((item) => inner + item).join(',\n')}\n${indent}]`;
  }
  if ('kvlistValue' in value) {
    const entries = value.kvlistValue?.values ?? [];
    if (entries.length === 0) return '{}';
    const lines = entries.map(
      (entry) => `${inner}${JSON.stringify(entry.key)}: ${printJson(entry.value, inner, depth + 1)}`,
    );
    return `{\n${lines.join(',\n')}\n${indent}}`;
  }
  if ('stringValue' in value || 'bytesValue' in value) return JSON.stringify(printValue(value));
  return printValue(value) || 'null';
}

/** On one line, at most so many characters. */
export function printShort(value: AnyValue, limit = 200): string {
  const text = printValue(value);
  const cut = text.length > limit * 2 ? text.slice(0, limit * 2) : text;
  const line = cut.replace(/\s+/g, ' ').trim();
  return line.length > limit ? `${line.slice(0, limit)}…` : line;
}

export function findAttribute(attributes: readonly KeyValue[], key: string): AnyValue | undefined {
  return attributes.find((attribute) => attribute.key === key)?.value;
}

export function attributeText(attributes: readonly KeyValue[], key: string): string {
  const value = findAttribute(attributes, key);
  return value ? printValue(value) : '';
}
