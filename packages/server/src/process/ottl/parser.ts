import type { Argument, Call, Comparator, Condition, Expression, Statement } from './ast.ts';
import { type Token, tokensOf } from './lexer.ts';
import { OttlError } from './ottl-error.ts';

/** Deepest nesting of parentheses, lists and calls. */
const MAX_DEPTH = 64;
const COMPARATORS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
const RESERVED: ReadonlySet<string> = new Set(['where', 'and', 'or', 'not', 'true', 'false', 'nil']);

/** A statement such as `set(name, "x") where kind == 2` (OTTL, LANGUAGE.md). Throws OttlError. */
export function parseStatement(text: string): Statement {
  return new Parser(text).statement();
}

/** A condition such as `attributes["a"] == nil and IsMatch(name, "^x")`. Throws OttlError. */
export function parseCondition(text: string): Condition {
  return new Parser(text).wholeCondition();
}

/** A value such as `Concat([name, "x"], "-")`. Throws OttlError. */
export function parseExpression(text: string): Expression {
  return new Parser(text).wholeExpression();
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokensOf(text);
  }

  statement(): Statement {
    const { position, kind, text } = this.#token;
    if (kind !== 'name' || !/^[a-z]/.test(text) || RESERVED.has(text)) {
      throw this.#unexpected('a function such as set(…)');
    }
    this.#at++;
    const editor = this.#call(text, position);
    if (editor.keys.length > 0) {
      throw new OttlError('the function of a statement gives nothing to take a part of', this.#text, position);
    }
    const where = this.#accept('where') ? this.#condition() : null;
    this.#end();
    return { editor, where, position };
  }

  wholeCondition(): Condition {
    const condition = this.#condition();
    this.#end();
    return condition;
  }

  wholeExpression(): Expression {
    const expression = this.#expression();
    this.#end();
    return expression;
  }

  #condition(): Condition {
    return this.#nested(() => this.#junction('or', () => this.#junction('and', () => this.#negation())));
  }

  #junction(kind: 'and' | 'or', part: () => Condition): Condition {
    const first = part();
    const conditions = [first];
    while (this.#accept(kind)) {
      conditions.push(part());
    }
    return conditions.length === 1 ? first : { kind, conditions, position: first.position };
  }

  #negation(): Condition {
    const { position } = this.#token;
    if (this.#accept('not')) {
      const condition = this.#nested(() => this.#negation());
      return { kind: 'not', condition, position };
    }
    return this.#boolean();
  }

  #boolean(): Condition {
    const { position } = this.#token;
    // A parenthesis may hold a condition or be the start of a value: only what follows tells.
    if (this.#is('(')) {
      const start = this.#at;
      const comparison = this.#attempt(() => this.#comparison());
      if (comparison !== null) {
        return comparison;
      }
      this.#at = start + 1;
      const condition = this.#condition();
      this.#expect(')');
      return condition;
    }
    const left = this.#expression();
    const comparator = this.#comparator();
    if (comparator !== null) {
      return { kind: 'comparison', comparator, left, right: this.#expression(), position };
    }
    if (left.kind === 'call' || (left.kind === 'literal' && typeof left.value === 'boolean')) {
      return { kind: 'truth', value: left, position };
    }
    throw this.#unexpected('a comparison (== != < <= > >=)');
  }

  #comparison(): Condition {
    const { position } = this.#token;
    const left = this.#expression();
    const comparator = this.#comparator();
    if (comparator === null) {
      throw this.#unexpected('a comparison (== != < <= > >=)');
    }
    return { kind: 'comparison', comparator, left, right: this.#expression(), position };
  }

  #attempt<Result>(parse: () => Result): Result | null {
    const depth = this.#depth;
    try {
      return parse();
    } catch (error) {
      if (error instanceof TooDeepError || !(error instanceof OttlError)) {
        throw error;
      }
      this.#depth = depth;
      return null;
    }
  }

  #comparator(): Comparator | null {
    const { kind, text } = this.#token;
    if (kind !== 'symbol' || !COMPARATORS.has(text)) {
      return null;
    }
    this.#at++;
    return text as Comparator;
  }

  #expression(): Expression {
    return this.#nested(() => this.#operation(['+', '-'], () => this.#operation(['*', '/'], () => this.#value())));
  }

  #operation(operators: readonly ('+' | '-' | '*' | '/')[], part: () => Expression): Expression {
    let left = part();
    for (let operator = this.#operator(operators); operator !== undefined; operator = this.#operator(operators)) {
      left = { kind: 'arithmetic', operator, left, right: part(), position: left.position };
    }
    return left;
  }

  #operator<Operator extends string>(operators: readonly Operator[]): Operator | undefined {
    const found = operators.find((operator) => this.#is(operator));
    if (found !== undefined) {
      this.#at++;
    }
    return found;
  }

  #value(): Expression {
    const token = this.#token;
    const { position } = token;
    switch (token.kind) {
      case 'string':
        this.#at++;
        return { kind: 'literal', value: token.text, position };
      case 'bytes':
        if (token.text.length % 2 !== 0) {
          throw new OttlError('bytes have two hexadecimal digits each', this.#text, position);
        }
        this.#at++;
        return { kind: 'literal', value: new Uint8Array(Buffer.from(token.text.slice(2), 'hex')), position };
      case 'int':
      case 'double':
        return this.#number(false, position);
      case 'name':
        return this.#named();
      case 'symbol':
        break;
      case 'end':
        throw this.#unexpected('a value');
    }
    if (token.text === '-' || token.text === '+') {
      this.#at++;
      return this.#number(token.text === '-', position);
    }
    if (token.text === '(') {
      this.#at++;
      const expression = this.#expression();
      this.#expect(')');
      return expression;
    }
    if (token.text === '[') {
      this.#at++;
      const values: Expression[] = [];
      this.#separated(']', () => values.push(this.#expression()));
      return { kind: 'list', values, position };
    }
    if (token.text === '{') {
      this.#at++;
      const entries: (readonly [string, Expression])[] = [];
      this.#separated('}', () => {
        const key = this.#token;
        if (key.kind !== 'string') {
          throw this.#unexpected('a key in quotes');
        }
        this.#at++;
        this.#expect(':');
        entries.push([key.text, this.#expression()]);
      });
      return { kind: 'map', entries, position };
    }
    throw this.#unexpected('a value');
  }

  #number(negative: boolean, position: number): Expression {
    const { kind, text } = this.#token;
    if (kind === 'double') {
      this.#at++;
      return { kind: 'literal', value: negative ? -Number(text) : Number(text), position };
    }
    if (kind !== 'int') {
      throw this.#unexpected('a number');
    }
    this.#at++;
    const value = negative ? -BigInt(text) : BigInt(text);
    if (BigInt.asIntN(64, value) !== value) {
      throw new OttlError('an integer of more than 64 bits', this.#text, position);
    }
    return { kind: 'literal', value, position };
  }

  #named(): Expression {
    const { text, position } = this.#token;
    switch (text) {
      case 'true':
      case 'false':
        this.#at++;
        return { kind: 'literal', value: text === 'true', position };
      case 'nil':
        this.#at++;
        return { kind: 'literal', value: null, position };
    }
    if (RESERVED.has(text)) {
      throw this.#unexpected('a value');
    }
    this.#at++;
    if (this.#is('(')) {
      if (!/^[A-Z]/.test(text)) {
        throw new OttlError(`${text} changes records, so it cannot be used as a value`, this.#text, position);
      }
      return this.#call(text, position);
    }
    if (/^[A-Z]/.test(text)) {
      return { kind: 'enum', name: text, position };
    }
    const names = [text];
    while (this.#accept('.')) {
      const name = this.#token;
      if (name.kind !== 'name') {
        throw this.#unexpected('a field name');
      }
      names.push(name.text);
      this.#at++;
    }
    return { kind: 'path', names, keys: this.#keys(), position };
  }

  #call(name: string, position: number): Call {
    this.#expect('(');
    const parsed: Argument[] = [];
    this.#separated(')', () => {
      const argument = this.#argument();
      if (argument.name === null && parsed.at(-1)?.name != null) {
        throw new OttlError('arguments with names come after those without', this.#text, argument.position);
      }
      parsed.push(argument);
    });
    return { kind: 'call', name, arguments: parsed, keys: this.#keys(), position };
  }

  #argument(): Argument {
    const { kind, text, position } = this.#token;
    if (kind === 'name' && this.#tokens[this.#at + 1]?.text === '=' && this.#tokens[this.#at + 1]?.kind === 'symbol') {
      this.#at += 2;
      return { name: text, value: this.#expression(), position };
    }
    return { name: null, value: this.#expression(), position };
  }

  #keys(): Expression[] {
    const keys: Expression[] = [];
    while (this.#accept('[')) {
      keys.push(this.#expression());
      this.#expect(']');
    }
    return keys;
  }

  /** Reads parts between commas up to `close`. */
  #separated(close: string, part: () => void): void {
    if (this.#accept(close)) {
      return;
    }
    do {
      part();
    } while (this.#accept(','));
    this.#expect(close);
  }

  #nested<Result>(parse: () => Result): Result {
    if (++this.#depth > MAX_DEPTH) {
      throw new TooDeepError(`nested more than ${MAX_DEPTH} deep`, this.#text, this.#token.position);
    }
    const result = parse();
    this.#depth--;
    return result;
  }

  get #token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  /** Whether the token is this symbol or word. */
  #is(text: string): boolean {
    const token = this.#token;
    return token.text === text && (token.kind === 'symbol' || token.kind === 'name');
  }

  #accept(text: string): boolean {
    const is = this.#is(text);
    this.#at += is ? 1 : 0;
    return is;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) {
      throw this.#unexpected(text);
    }
  }

  #end(): void {
    if (this.#token.kind !== 'end') {
      throw this.#unexpected('the end');
    }
  }

  #unexpected(expected: string): OttlError {
    const { kind, text, position } = this.#token;
    const found = kind === 'end' ? 'the end' : kind === 'string' ? JSON.stringify(text) : text;
    return new OttlError(`expected ${expected}, found ${found}`, this.#text, position);
  }
}

class TooDeepError extends OttlError {}
