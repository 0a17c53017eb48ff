import { parsePromqlDuration } from '../promql/duration.ts';
import { unquote } from '../promql/quote.ts';
import { RANGE_OPERATORS, VECTOR_OPERATORS } from './ast.ts';
import { parseByteSize } from './byte-size.ts';
import { parseGoDuration } from './go-duration.ts';
import { LogqlParseError } from './parse-error.ts';

/**
 * The classes of tokens: `IDENTIFIER`, `STRING`, `NUMBER`, `DURATION`, `BYTES`, `RANGE`, `FUNCTION_FLAG`, `$end`; functions by
 * their names in capitals (`RATE`), other keywords, operators and punctuation as they are written.
 */
export type LogqlTokenKind = string;

export interface LogqlToken {
  readonly kind: LogqlTokenKind;
  /** As written; the text itself of a string. */
  readonly text: string;
  /** Nanoseconds of a `DURATION`, ms of a `RANGE`, bytes of `BYTES`. */
  readonly value: number;
  readonly start: number;
  readonly end: number;
  /** Where Loki says that it stands. */
  readonly line: number;
  readonly column: number;
}

/** Names that mean something only before a parenthesis or a grouping; elsewhere they are labels. */
const FUNCTIONS: ReadonlySet<string> = new Set([
  ...RANGE_OPERATORS,
  ...VECTOR_OPERATORS,
  'vector',
  'label_replace',
  'bytes',
  'duration',
  'duration_seconds',
  'ip',
]);

const CONVERSIONS: ReadonlySet<string> = new Set(['bytes', 'duration', 'duration_seconds']);

const KEYWORDS: ReadonlySet<string> = new Set([
  'unwrap',
  'by',
  'without',
  'bool',
  'offset',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'or',
  'and',
  'unless',
  'json',
  'regexp',
  'logfmt',
  'unpack',
  'pattern',
  'label_format',
  'line_format',
  'decolorize',
  'drop',
  'keep',
]);

const TWO_CHARACTERS: ReadonlySet<string> = new Set(['!=', '=~', '!~', '!>', '|=', '|~', '|>', '==', '>=', '<=']);
const ONE_CHARACTER = ',.{}=|()+-*/%^><]';

const SPACE = /(?:[ \t\r\n]|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const WORD = /[\p{L}_][\p{L}\p{Nd}_]*/uy;
const NUMBER =
  /0[xX][0-9a-fA-F_]*\.?[0-9a-fA-F_]*(?:[pP][+-]?\d+)?|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?(?:\d[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y;
const DURATION_REST = /[\p{N}nuµμmshdwy.]+/uy;
const BYTES_REST = /[\p{N}BikKMGTP.]+/uy;
const FLAG = /--(?:strict|keep-empty)(?![\p{L}-])/uy;
const ESCAPE = /\\(?:[abfnrtv\\'"]|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{3})/y;

/** Reads one token after the other. Throws LogqlParseError. */
export class LogqlLexer {
  readonly query: string;
  #at = 0;
  /** Up to where lines have been counted. */
  #counted = 0;
  #line = 1;
  #lineStart = 0;

  constructor(query: string) {
    this.query = query;
  }

  next(): LogqlToken {
    this.#match(SPACE);
    const start = this.#at;
    const character = this.query[start];
    if (character === undefined) return this.#token('$end', start);
    if (/[\d.]/.test(character)) {
      const number = this.#match(NUMBER);
      if (number !== undefined) return this.#number(start);
    }
    if (character === '"' || character === '`') return this.#string(start, character);
    if (character === "'") return this.#character(start);
    if (character === '[') return this.#range(start);
    const word = this.#match(WORD);
    if (word !== undefined) return this.#word(start, word);
    if (character === '-') {
      if (this.#match(FLAG) !== undefined) return this.#consumed('FUNCTION_FLAG', start);
      const duration = this.#duration(start + 1);
      if (duration !== undefined) return this.#consumed('DURATION', start, duration);
    }
    const two = this.query.slice(start, start + 2);
    if (TWO_CHARACTERS.has(two)) {
      this.#at += 2;
      return this.#consumed(two, start);
    }
    this.#at += String.fromCodePoint(this.query.codePointAt(start) as number).length;
    return this.#token(ONE_CHARACTER.includes(character) ? character : 'IDENTIFIER', start);
  }

  #number(start: number): LogqlToken {
    const end = this.#at;
    const duration = this.#duration(end, start);
    if (duration !== undefined) return this.#consumed('DURATION', start, duration);
    BYTES_REST.lastIndex = end;
    const rest = BYTES_REST.exec(this.query);
    const bytes = rest ? parseByteSize(this.query.slice(start, end) + rest[0]) : undefined;
    if (rest && bytes !== undefined) {
      this.#at = end + rest[0].length;
      return this.#consumed('BYTES', start, bytes);
    }
    this.#at = end;
    return this.#token('NUMBER', start);
  }

  /** Nanoseconds of the duration that begins at `start` and goes on behind `end`; then it has been read. */
  #duration(end: number, start = end - 1): number | undefined {
    DURATION_REST.lastIndex = end;
    const rest = DURATION_REST.exec(this.query);
    if (!rest) return undefined;
    const text = this.query.slice(start, end) + rest[0];
    const milliseconds = parsePromqlDuration(text);
    const duration = milliseconds === undefined ? parseGoDuration(text) : milliseconds * 1e6;
    if (duration !== undefined) this.#at = end + rest[0].length;
    return duration;
  }

  #range(start: number): LogqlToken {
    const end = this.query.indexOf(']', start);
    const place = { ...this.#place(start), line: 0 };
    const range = { start, end: end < 0 ? this.query.length : end + 1 };
    if (end < 0) throw new LogqlParseError("missing closing ']' in duration", range, 0, place.column);
    const text = this.query.slice(start + 1, end);
    const milliseconds = parsePromqlDuration(text);
    if (milliseconds === undefined) throw new LogqlParseError(describeBadDuration(text), range, 0, place.column);
    this.#at = end + 1;
    return this.#consumed('RANGE', start, milliseconds);
  }

  #word(start: number, word: string): LogqlToken {
    const lower = word.toLowerCase();
    if (FUNCTIONS.has(lower)) {
      if (!this.#isCalled()) return this.#token('IDENTIFIER', start);
      const kind = CONVERSIONS.has(lower) ? `${lower.toUpperCase()}_CONV` : lower.toUpperCase();
      return this.#token(lower === 'ip' || lower === 'label_replace' ? lower : kind, start);
    }
    return this.#token(KEYWORDS.has(lower) ? lower : 'IDENTIFIER', start);
  }

  /** Whether a parenthesis follows, or a grouping. */
  #isCalled(): boolean {
    return /^\s*(?:\(|(?:by|without)\s*\()/i.test(this.query.slice(this.#at, this.#at + 1024));
  }

  #string(start: number, quote: string): LogqlToken {
    let at = start + 1;
    for (;;) {
      const character = this.query[at];
      if (character === undefined || (character === '\n' && quote === '"')) {
        return this.#fail('literal not terminated', start, at);
      }
      if (character === quote) break;
      if (character === '\\' && quote === '"') {
        ESCAPE.lastIndex = at;
        const found = ESCAPE.exec(this.query);
        if (!found) return this.#fail('invalid char escape', start, at + 2);
        at = ESCAPE.lastIndex;
      } else at++;
    }
    this.#at = at + 1;
    return { ...this.#token('STRING', start), text: unquote(this.query.slice(start, this.#at)) };
  }

  /** Single quotes hold one character in Loki, which no query has a use for. */
  #character(start: number): LogqlToken {
    const end = this.query.indexOf("'", start + 1);
    this.#at = end < 0 ? this.query.length : end + 1;
    return this.#fail(end < 0 ? 'literal not terminated' : 'invalid char literal', start, this.#at);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.query);
    if (!match) return undefined;
    this.#at = pattern.lastIndex;
    return match[0];
  }

  #token(kind: LogqlTokenKind, start: number, value = 0): LogqlToken {
    const text = this.query.slice(start, this.#at);
    return { kind, text, value, start, end: this.#at, ...this.#place(start) };
  }

  /** Loki's scanner forgets the line of tokens that it puts together itself. */
  #consumed(kind: LogqlTokenKind, start: number, value = 0): LogqlToken {
    return { ...this.#token(kind, start, value), line: 0 };
  }

  #place(start: number): { line: number; column: number } {
    for (; this.#counted < start; this.#counted++) {
      if (this.query[this.#counted] !== '\n') continue;
      this.#line++;
      this.#lineStart = this.#counted + 1;
    }
    return { line: this.#line, column: [...this.query.slice(this.#lineStart, start)].length + 1 };
  }

  #fail(reason: string, start: number, end: number): never {
    const { line, column } = this.#place(start);
    throw new LogqlParseError(reason, { start, end }, line, column);
  }
}

function describeBadDuration(text: string): string {
  if (text === '') return 'empty duration string';
  const unit = /^\d+(?:(?:ms|[smhdwy])\d+)*([^\d]+)/.exec(text)?.[1];
  if (unit !== undefined && !/^(?:ms|[smhdwy])$/.test(unit)) {
    return `unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`;
  }
  return `not a valid duration string: ${JSON.stringify(text)}`;
}
