import type { TextRange } from '../promql/ast.ts';
import { describeToken, Lexer, type Token } from './lexer.ts';
import { TraceqlError } from './traceql-error.ts';

/** Nesting of a query: who walks the tree later does so by recursion. */
const MAX_DEPTH = 500;

/** The tokens of a query, one of them in view; what all parts of the parser share. */
export class TokenReader {
  readonly #query: string;
  readonly #lexer: Lexer;
  #token: Token;
  #depth = 0;

  constructor(query: string) {
    this.#query = query;
    this.#lexer = new Lexer(query);
    this.#token = this.#lexer.next();
  }

  get token(): Token {
    return this.#token;
  }

  advance(): void {
    this.#token = this.#lexer.next();
  }

  /** The token in view; the next comes into view. */
  take(): Token {
    const token = this.#token;
    this.advance();
    return token;
  }

  is(operator: string): boolean {
    return this.#token.kind === 'operator' && this.#token.text === operator;
  }

  isWord(word: string): boolean {
    return this.#token.kind === 'word' && this.#token.text === word;
  }

  expect(operator: string): Token {
    if (!this.is(operator)) this.unexpected(`"${operator}"`);
    return this.take();
  }

  /** Runs a part that may hold itself again. */
  nested<Result>(parse: () => Result): Result {
    if (++this.#depth > MAX_DEPTH) this.fail(`the query is nested deeper than ${MAX_DEPTH}`, this.#token);
    const result = parse();
    this.#depth--;
    return result;
  }

  unexpected(expected = ''): never {
    const wish = expected === '' ? '' : `, expecting ${expected}`;
    return this.fail(`syntax error: unexpected ${describeToken(this.#token)}${wish}`, this.#token);
  }

  fail(reason: string, { start, end }: TextRange): never {
    throw new TraceqlError('syntax', this.#query, { start, end }, reason);
  }
}
