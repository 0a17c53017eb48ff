import {
  type AnyValue,
  type FilterPosition,
  type FilterScope,
  FilterSyntaxError,
  type FilterText,
  filterOperators,
  parseFilter,
  printFilter,
} from '@signalbox/api-contract';
import { attributeType, printValue } from './attribute-value.ts';

/** What keeps a text from being a filter, and where in it; `expected` could stand there. */
export interface FilterMistake {
  readonly message: string;
  readonly expected: string;
  readonly position: FilterPosition;
}

/** The filter as it is written everywhere, or what is wrong with the text. */
export function readFilter(text: string): { filter: FilterText } | { mistake: FilterMistake } {
  try {
    return { filter: printFilter(parseFilter(text)) };
  } catch (error) {
    if (!(error instanceof FilterSyntaxError)) throw error;
    return { mistake: { message: error.message, expected: error.expected, position: error.position } };
  }
}

/** Which of the filters of a refused request is meant, and where in it. The server says where, not in which. */
export function refusedFilter(
  filters: readonly FilterText[],
  refusal: { parameter?: string | undefined; position?: FilterPosition | undefined } | null,
): { filter: FilterText; position: FilterPosition } | null {
  if (refusal?.parameter !== 'filter') return null;
  for (const filter of filters) {
    const read = readFilter(filter);
    if ('mistake' in read) return { filter, position: read.mistake.position };
  }
  const { position } = refusal;
  if (!position) return null;
  // Well written, but not to be done, such as a pattern that is none: it is the value that the server points at.
  const meant = filters.find((filter) => {
    const { valuePosition, operator } = parseFilter(filter);
    return operator.endsWith('~') && valuePosition.start === position.start && valuePosition.end === position.end;
  });
  const filter = meant ?? (filters.length === 1 ? filters[0] : undefined);
  return filter === undefined ? null : { filter, position };
}

// Longest first, so that `>=` is not read as `>`.
const symbols = filterOperators.filter((operator) => !operator.endsWith('exists')).sort((a, b) => b.length - a.length);

/** What is being typed: the key, the operator or the value, for completion. */
export function typingStage(text: string): {
  stage: 'key' | 'operator' | 'value';
  key: string;
  operator: string;
  partial: string;
} {
  const match = /^\s*((?:[a-z]+\.)?"(?:[^"\\]|\\.)*"|[^\s=!<>~]*)(\s*)([=!<>~]{0,2}|!?e?x?i?s?t?s?)(\s*)(.*)$/s.exec(
    text,
  );
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
  const name = printKey(key, scope === '' ? null : scopeOf[scope]);
  const operator = negate ? '!=' : '=';
  switch (attributeType(value)) {
    case 'string':
      return `${name} ${operator} ${quote(printValue(value))}`;
    case 'bool':
    case 'int':
    case 'double':
      return `${name} ${operator} ${printValue(value)}`;
    default:
      return `${name} ${negate ? '!exists' : 'exists'}`;
  }
}

const scopeOf = { 'resource.': 'resource', 'event.': 'event', 'scope.': 'scope' } as const;

/** A key as a filter begins with it: with its scope, and quoted where it must be. */
export function printKey(key: string, scope: FilterScope | null): string {
  return printFilter({ scope, key, intrinsic: false, operator: 'exists', value: null }).slice(0, -' exists'.length);
}
