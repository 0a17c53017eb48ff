import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import type { QueryParameter } from '../connection.ts';

/** Text as a ClickHouse string literal. The one place that quotes: parameters and our own file names go through here. */
export function quoteString(text: string): string {
  return `'${text.replace(/[\\'\0\b\f\n\r\t]/g, (character) => ESCAPES[character] ?? character)}'`;
}

/**
 * A parameter's value as ClickHouse parses it for `{name:Type}`: like a field of TabSeparated, so a string's backslashes
 * and control characters are escaped once, and strings inside arrays are quoted.
 */
export function formatParameter(value: QueryParameter): string {
  if (value === null) {
    return '\\N';
  }
  return typeof value === 'string'
    ? value.replace(/[\\\0\b\f\n\r\t]/g, (character) => ESCAPES[character] ?? character)
    : formatInner(value);
}

/**
 * Checks that exactly the parameters that the SQL names are given. Sessions keep parameters from query to query, so a
 * forgotten one would silently have an older query's value.
 */
export function checkParameters(sql: string, parameters: Readonly<Record<string, QueryParameter>>): void {
  const named = new Set<string>();
  for (const match of sql.matchAll(/\{\s*([A-Za-z_]\w*)\s*:/g)) {
    named.add(match[1] as string);
  }
  for (const name of named) {
    if (!Object.hasOwn(parameters, name)) {
      throw new SignalboxError('internal', `The query's parameter ${name} has no value`);
    }
  }
  for (const name of Object.keys(parameters)) {
    if (!named.has(name)) {
      throw new SignalboxError('internal', `The query has no parameter ${name}`);
    }
  }
}

function formatInner(value: QueryParameter): string {
  if (value === null) {
    return 'NULL';
  }
  switch (typeof value) {
    case 'string':
      return quoteString(value);
    case 'number':
      return formatNumber(value);
    case 'bigint':
      return value.toString();
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      return `[${value.map(formatInner).join(',')}]`;
  }
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) {
    return 'nan';
  }
  if (!Number.isFinite(value)) {
    return value > 0 ? 'inf' : '-inf';
  }
  return Object.is(value, -0) ? '-0' : String(value);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '\0': '\\0',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};
