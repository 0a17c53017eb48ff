import { type AnyValue, type FilterOperator, type FilterText, filterOperators } from '@signalbox/api-contract';
import { attributeType, printValue } from './attribute-value.ts';

export interface Filter {
  key: string;
  operator: FilterOperator;
  /** As typed, quotes included; empty for `exists` and `!exists`. */
  value: string;
}

// Longest first, so that `>=` is not read as `>`.
const symbols = filterOperators.filter((operator) => !operator.endsWith('exists')).sort((a, b) => b.length - a.length);

/** Reads `key operator value` loosely, as it is being typed; null while it is not whole. The server's parser has the last word. */
export function parseFilter(text: string): Filter | null {
  const trimmed = text.trim();
  const exists = /^(\S+)\s+(!?exists)$/.exec(trimmed);
  if (exists?.[1]) return { key: exists[1], operator: exists[2] as FilterOperator, value: '' };
  const match = /^([^\s=!<>~]+)\s*([=!<>~]{1,2})\s*(.+)$/s.exec(trimmed);
  if (!match) return null;
  const [, key = '', rest = '', value = ''] = match;
  const operator = symbols.find((symbol) => symbol === rest);
  return operator ? { key, operator, value: value.trim() } : null;
}

export function printFilter({ key, operator, value }: Filter): FilterText {
  return value === '' ? `${key} ${operator}` : `${key} ${operator} ${value}`;
}

/** What is being typed: the key, the operator or the value, for completion. */
export function typingStage(text: string): {
  stage: 'key' | 'operator' | 'value';
  key: string;
  operator: string;
  partial: string;
} {
  const match = /^\s*([^\s=!<>~]*)(\s*)([=!<>~]{0,2}|!?e?x?i?s?t?s?)(\s*)(.*)$/s.exec(text);
  const [, key = '', gap = '', operator = '', , rest = ''] = match ?? [];
  if (symbols.some((symbol) => symbol === operator) && key) return { stage: 'value', key, operator, partial: rest };
  if (key && (gap || operator)) return { stage: 'operator', key, operator: '', partial: operator };
  return { stage: 'key', key: '', operator: '', partial: key };
}

/** A string is always quoted, so that `"200"` is not compared as a number. */
export function quote(value: string): string {
  return `"${value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t')}"`;
}

/** A value chosen from a list of completions: a number or a boolean stays what it is. */
export function completedValue(value: string, types: readonly string[]): string {
  const numeric = (types.includes('int') || types.includes('double')) && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value);
  const boolean = types.includes('bool') && /^(true|false)$/.test(value);
  return numeric || boolean ? value : quote(value);
}

/** The filter that finds records with this attribute; null for what cannot be compared (lists, maps, bytes): then `exists` it is. */
export function filterFor(
  key: string,
  value: AnyValue,
  scope: '' | 'resource.' | 'event.' | 'scope.' = '',
  negate = false,
): FilterText {
  const name = `${scope}${key}`;
  const operator = negate ? '!=' : '=';
  switch (attributeType(value)) {
    case 'string':
      return printFilter({ key: name, operator, value: quote(printValue(value)) });
    case 'bool':
    case 'int':
    case 'double':
      return printFilter({ key: name, operator, value: printValue(value) });
    default:
      return printFilter({ key: name, operator: negate ? '!exists' : 'exists', value: '' });
  }
}

/** Keys that cannot be written bare (spaces, operators) cannot be filtered by. */
export function canFilterBy(key: string): boolean {
  return /^[^\s=!<>~"]+$/.test(key);
}
