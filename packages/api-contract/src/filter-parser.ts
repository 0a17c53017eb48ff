import { type FilterOperator, type FilterText, filterIntrinsics, filterOperators } from './filter.ts';

/** Where a comparison looks; null: the record's own attributes, then the resource's, then (spans) its events'. */
export type FilterScope = 'span' | 'log' | 'resource' | 'scope' | 'event';

export type FilterValue =
  | { type: 'string'; value: string; quoted: boolean }
  /** `text` is the number as written: an integer beyond 2^53 is exact only there. */
  | { type: 'number'; value: number; text: string }
  | { type: 'bool'; value: boolean };

/** UTF-16 offsets into the filter's text, end exclusive. */
export interface FilterPosition {
  start: number;
  end: number;
}

export interface FilterComparison {
  scope: FilterScope | null;
  /** The attribute's key, or with `intrinsic` the whole name, e.g. `span:name`. */
  key: string;
  intrinsic: boolean;
  operator: FilterOperator;
  /** Null with `exists` and `!exists`. */
  value: FilterValue | null;
  keyPosition: FilterPosition;
  /** Of the value, or of the operator where there is no value. */
  valuePosition: FilterPosition;
}

/** Why and where a filter can't be understood; `expected` names what could stand there. */
export class FilterSyntaxError extends Error {
  override readonly name = 'FilterSyntaxError';
  readonly position: FilterPosition;
  readonly expected: string;

  constructor(message: string, position: FilterPosition, expected: string) {
    super(message);
    this.position = position;
    this.expected = expected;
  }
}

/** Characters of a filter's text; more is refused. */
export const maxFilterLength = 4096;

/** Reads one comparison. Throws `FilterSyntaxError`. */
export function parseFilter(text: FilterText): FilterComparison {
  if (text.length > maxFilterLength) {
    throw new FilterSyntaxError(
      `A filter has at most ${maxFilterLength} characters`,
      { start: maxFilterLength, end: text.length },
      'a shorter filter',
    );
  }
  const reader = new Reader(text);
  reader.skipSpace();
  const { scope, key, intrinsic, position: keyPosition } = readKey(reader);
  reader.skipSpace();
  const operatorStart = reader.offset;
  const operator = readOperator(reader);
  const operatorPosition = { start: operatorStart, end: reader.offset };
  if (operator === 'exists' || operator === '!exists') {
    expectEnd(reader);
    return { scope, key, intrinsic, operator, value: null, keyPosition, valuePosition: operatorPosition };
  }
  reader.skipSpace();
  const valueStart = reader.offset;
  const value = readValue(reader, operator);
  const valuePosition = { start: valueStart, end: reader.offset };
  expectEnd(reader);
  if (value.type === 'bool' && operator !== '=' && operator !== '!=') {
    throw new FilterSyntaxError(`Booleans know only = and !=, not ${operator}`, operatorPosition, '= or !=');
  }
  return { scope, key, intrinsic, operator, value, keyPosition, valuePosition };
}

/** The comparison in its shortest form; `parseFilter` reads it back as the same comparison, positions aside. */
export function printFilter(comparison: Omit<FilterComparison, 'keyPosition' | 'valuePosition'>): FilterText {
  const { scope, key, operator, value } = comparison;
  const name = comparison.intrinsic
    ? key
    : `${scope === null ? '' : `${scope}.`}${needsQuotes(scope, key) ? quote(key) : key}`;
  if (value === null) return `${name} ${operator}`;
  const text = value.type === 'string' ? (isBareString(value) ? value.value : quote(value.value)) : printScalar(value);
  return `${name} ${operator} ${text}`;
}

function printScalar(value: Exclude<FilterValue, { type: 'string' }>): string {
  return value.type === 'number' ? value.text : String(value.value);
}

class Reader {
  readonly text: string;
  offset = 0;

  constructor(text: string) {
    this.text = text;
  }

  skipSpace(): void {
    this.take(/\s*/y);
  }

  /** What the sticky expression matches here; '' when it does not. */
  take(expression: RegExp): string {
    expression.lastIndex = this.offset;
    const match = expression.exec(this.text)?.[0] ?? '';
    this.offset += match.length;
    return match;
  }

  get atEnd(): boolean {
    return this.offset >= this.text.length;
  }

  /** The next word, or one place at the end, for an error to point at. */
  here(): FilterPosition {
    const rest = /^\S+/.exec(this.text.slice(this.offset))?.[0].length ?? 0;
    return { start: this.offset, end: this.offset + rest };
  }
}

const scopePrefix = /(?:span|log|resource|scope|event)\.(?=[^\s])/y;
const bareKey = /[^\s"=!<>~]+/y;

function readKey(reader: Reader): {
  scope: FilterScope | null;
  key: string;
  intrinsic: boolean;
  position: FilterPosition;
} {
  const start = reader.offset;
  const prefix = reader.take(scopePrefix);
  const scope = prefix === '' ? null : (prefix.slice(0, -1) as FilterScope);
  const quoted = reader.text[reader.offset] === '"';
  const key = quoted ? readQuoted(reader) : reader.take(bareKey);
  const position = { start, end: reader.offset };
  if (key === '') {
    throw new FilterSyntaxError('There is no attribute name', reader.here(), 'an attribute name, like http.route');
  }
  if (scope === null && !quoted && /^(?:span|log|trace|scope|event):/.test(key)) {
    if (!(filterIntrinsics as readonly string[]).includes(key)) {
      throw new FilterSyntaxError(`There is no field ${key}`, position, `one of ${filterIntrinsics.join(', ')}`);
    }
    return { scope, key, intrinsic: true, position };
  }
  return { scope, key, intrinsic: false, position };
}

function readOperator(reader: Reader): FilterOperator {
  const here = reader.here();
  const symbol = reader.take(/=~|!~|!=|<=|>=|=|<|>|!?exists(?!\S)/y);
  if (!(filterOperators as readonly string[]).includes(symbol)) {
    throw new FilterSyntaxError(
      here.start === here.end ? 'The filter ends where a comparison is missing' : 'This is not a comparison',
      here,
      `one of ${filterOperators.join(' ')}`,
    );
  }
  return symbol as FilterOperator;
}

const number = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

function readValue(reader: Reader, operator: FilterOperator): FilterValue {
  if (reader.atEnd) {
    throw new FilterSyntaxError('There is no value to compare with', reader.here(), 'a value, like 500 or "a text"');
  }
  if (reader.text[reader.offset] === '"') return { type: 'string', value: readQuoted(reader), quoted: true };
  const word = reader.take(/\S+/y);
  // A regular expression is text, whatever it looks like.
  if (operator === '=~' || operator === '!~') return { type: 'string', value: word, quoted: false };
  if (word === 'true' || word === 'false') return { type: 'bool', value: word === 'true' };
  if (number.test(word)) return { type: 'number', value: Number(word), text: word };
  return { type: 'string', value: word, quoted: false };
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' };

/** JSON's strings; any other escaped character keeps its backslash, so that `"\d+"` is the expression it looks like. */
function readQuoted(reader: Reader): string {
  const start = reader.offset;
  const raw = reader.take(/"(?:[^"\\]|\\[\s\S])*"/y);
  if (raw === '') {
    throw new FilterSyntaxError('The text has no closing quote', { start, end: reader.text.length }, 'a closing "');
  }
  return raw.slice(1, -1).replace(/\\(?:u([0-9a-fA-F]{4})|([\s\S]))/g, (all, unicode, character) => {
    if (unicode !== undefined) return String.fromCharCode(Number.parseInt(unicode, 16));
    return escapes[character as string] ?? all;
  });
}

function expectEnd(reader: Reader): void {
  reader.skipSpace();
  if (!reader.atEnd) {
    throw new FilterSyntaxError(
      'The filter goes on after its value',
      { start: reader.offset, end: reader.text.length },
      'the end: quote a value with spaces, and write one filter per comparison',
    );
  }
}

function quote(text: string): string {
  return `"${text.replace(/[\\"\n\r\t]/g, (character) => printedEscapes[character] ?? character)}"`;
}

const printedEscapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function needsQuotes(scope: FilterScope | null, key: string): boolean {
  if (!/^[^\s"=!<>~]+$/.test(key)) return true;
  return (
    scope === null &&
    (/^(?:span|log|resource|scope|event)\../.test(key) || /^(?:span|log|trace|scope|event):/.test(key))
  );
}

function isBareString(value: FilterValue & { type: 'string' }): boolean {
  if (value.quoted) return false;
  return /^[^\s"]\S*$/.test(value.value);
}
