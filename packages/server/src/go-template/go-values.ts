import { formatShortest } from './format-float.ts';

/**
 * Values in a template stand for Go's: `string`, `boolean`, `number` for a float64, `bigint` for an int, arrays for slices,
 * `undefined` for nil, and the classes below.
 */
export type GoValue = unknown;

/** A Go map. `zero` is what a missing key gives: '' in a map of strings, undefined (nil) in a map of anything. */
export class GoMap {
  readonly entries: ReadonlyMap<string, GoValue>;
  readonly zero: GoValue;

  constructor(entries: Iterable<readonly [string, GoValue]>, zero: GoValue) {
    this.entries = new Map(entries);
    this.zero = zero;
  }

  get(key: string): GoValue {
    return this.entries.has(key) ? this.entries.get(key) : this.zero;
  }

  /** Entries by key, the order in which Go ranges over and prints a map. */
  sorted(): [string, GoValue][] {
    return [...this.entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  toString(): string {
    return `map[${this.sorted()
      .map(([key, value]) => `${key}:${printGo(value)}`)
      .join(' ')}]`;
  }
}

/** A value with fields, and methods that a template may call: what its maps hold is all that can be reached. */
export abstract class GoStruct {
  /** Go's name of the type, for messages. */
  abstract readonly typeName: string;
  abstract readonly fields: ReadonlyMap<string, GoValue>;
  readonly methods: ReadonlyMap<string, (...args: GoValue[]) => GoValue> = new Map();
}

/** Go's `fmt.Sprint` of one value, as `{{ value }}` shows it. */
export function printGo(value: GoValue): string {
  if (value === undefined || value === null) return '<no value>';
  if (typeof value === 'number') return formatShortest(value);
  if (Array.isArray(value)) return `[${value.map(printGo).join(' ')}]`;
  return String(value);
}

/** The type's name in Go, for messages. */
export function goTypeName(value: GoValue): string {
  if (value === undefined || value === null) return 'nil';
  if (value instanceof GoMap) return value.zero === '' ? 'map[string]string' : 'map[string]interface {}';
  if (value instanceof GoStruct) return value.typeName;
  if (Array.isArray(value)) return 'slice';
  switch (typeof value) {
    case 'bigint':
      return 'int';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
    default:
      return typeof value;
  }
}

/** Whether `if`, `with`, `and` and `or` take the value for true: not its type's zero, not empty. */
export function isTrue(value: GoValue): boolean {
  if (value instanceof GoMap) return value.entries.size > 0;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value === 'number' ? value !== 0 : Boolean(value); // Go takes NaN for true
}
