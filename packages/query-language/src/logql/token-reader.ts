import { RE2JS } from 're2js';
import type { LabelMatcher, MatchOperator, TextRange } from '../promql/ast.ts';
import type { LogqlNumber } from './ast.ts';
import { LogqlLexer, type LogqlToken, type LogqlTokenKind } from './lexer.ts';
import { LogqlParseError } from './parse-error.ts';

/** Loki's own limit. */
const MAX_QUERY_LENGTH = 131_072;
export const MAX_DEPTH = 500;

/** The tokens of a query, one after the other, and the small parts that expressions and stages have in common. */
export class TokenReader {
  readonly query: string;
  readonly #lexer: LogqlLexer;
  #token: LogqlToken;
  #lastEnd = 0;
  #depth = 0;

  constructor(query: string) {
    if (query.length >= MAX_QUERY_LENGTH) {
      const reason = `input size too long (${query.length} > ${MAX_QUERY_LENGTH})`;
      throw new LogqlParseError(reason, { start: 0, end: query.length });
    }
    this.query = query;
    this.#lexer = new LogqlLexer(query);
    this.#token = this.#lexer.next();
  }

  get token(): LogqlToken {
    return this.#token;
  }

  is(kind: LogqlTokenKind): boolean {
    return this.#token.kind === kind;
  }

  /** Goes on to the next token and returns the one that was current. */
  advance(): LogqlToken {
    const token = this.#token;
    this.#lastEnd = token.end;
    this.#token = this.#lexer.next();
    return token;
  }

  /** @param expected what Loki says it expects here; '' for nothing in particular */
  expect(kind: LogqlTokenKind, expected = kind): LogqlToken {
    if (!this.is(kind)) this.unexpected(expected);
    return this.advance();
  }

  rangeFrom(start: number): TextRange {
    return { start, end: this.#lastEnd };
  }

  unexpected(expected = ''): never {
    const { kind, line, column, start, end } = this.#token;
    const instead = expected === '' ? '' : `, expecting ${expected}`;
    throw new LogqlParseError(`syntax error: unexpected ${kind}${instead}`, { start, end }, line, column);
  }

  /** Every step down the tree; who walks it later does so by recursion. */
  deepen<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) {
      const { start, end, line, column } = this.#token;
      throw new LogqlParseError(`the expression is nested deeper than ${MAX_DEPTH}`, { start, end }, line, column);
    }
    const parsed = parse();
    this.#depth--;
    return parsed;
  }

  /** `name="value"` behind the name. */
  matcher(name: LogqlToken): LabelMatcher {
    const operator = this.advance().kind as MatchOperator;
    const { text: value } = this.expect('STRING');
    if (operator === '=~' || operator === '!~') {
      // Anchored, it would be refused with an expression that nobody wrote.
      checkExpression(value, this.rangeFrom(name.start));
    }
    return { name: name.text, operator, value };
  }

  number(): LogqlNumber {
    const { start } = this.#token;
    const sign = this.is('+') || this.is('-') ? this.advance().kind : '+';
    const { text } = this.expect('NUMBER');
    const value = parseFloatText(text, 'unable to parse literal as a float', this.rangeFrom(start));
    return { kind: 'number', value: sign === '-' ? -value : value, range: this.rangeFrom(start) };
  }
}

/** Throws LogqlParseError when the text is no expression of RE2. */
export function checkExpression(expression: string, range: TextRange, context = ''): void {
  try {
    RE2JS.compile(expression);
  } catch (error) {
    throw new LogqlParseError(`${context}${error instanceof Error ? error.message : String(error)}`, range);
  }
}

/** Go's `ParseFloat` of the scanner's numbers: of other bases only hexadecimal ones with an exponent are floats. */
export function parseFloatText(text: string, context: string, range: TextRange): number {
  const value = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : hexadecimalFloat(text);
  if (!Number.isNaN(value) && Number.isFinite(value)) return value;
  const reason = Number.isNaN(value) ? 'invalid syntax' : 'value out of range';
  throw new LogqlParseError(`${context}: strconv.ParseFloat: parsing ${JSON.stringify(text)}: ${reason}`, range);
}

/** `0x1.8p3` is 12; NaN: not such a number. */
function hexadecimalFloat(text: string): number {
  const match = /^0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/.exec(text);
  if (!match) return Number.NaN;
  const [, whole = '', fraction = '', exponent] = match;
  if (whole + fraction === '') return Number.NaN;
  return Number.parseInt(whole + fraction, 16) * 2 ** (Number(exponent) - 4 * fraction.length);
}
