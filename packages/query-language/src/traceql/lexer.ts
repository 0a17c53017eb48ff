import { quoteGo, unquote } from '../promql/quote.ts';
import type { AttributeScope } from './ast.ts';
import { parseTraceqlDuration } from './duration.ts';
import { INTRINSIC_SCOPES } from './intrinsics.ts';
import { MAX_INTEGER, type Static, toInteger } from './static.ts';
import { TraceqlError } from './traceql-error.ts';

interface TokenBase {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Operators and punctuation are their own kind. A `scope` is what stands before the colon of an intrinsic, '' for nothing. */
export type Token = TokenBase &
  (
    | { readonly kind: 'end' | 'word' | 'scope' }
    | { readonly kind: 'operator' }
    | { readonly kind: 'literal'; readonly value: Static }
    | { readonly kind: 'attribute'; readonly scope: AttributeScope; readonly isParent: boolean; readonly name: string }
  );

/** A token as messages name it. */
export function describeToken({ kind, text }: Token): string {
  return kind === 'end' ? 'end of the query' : quoteGo(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

const SPACE = /(?:[ \t\r\n]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const WORD = /[\p{L}_][\p{L}\p{Nd}_]*/uy;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const DURATION_TAIL = /[0-9nsuµμmhdwy.]+/y;
const STRING = /"(?:[^"\\\n]|\\[\s\S])*"|`[^`]*`/y;
const ESCAPES = /\\(?:[abfnrtv\\"]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|([\s\S]))/g;
/** What can stand in an attribute's name without quotes. */
const NAME_PART = /[^\s{}()=~!<>&|^,"]+/y;
const QUOTED_PART = /"(?:[^"\\]|\\["\\])*"/y;
const OPERATOR = /&>>|&<<|!>>|!<<|&&|\|\||&>|&<|&~|!>|!<|!~|!=|=~|>>|<<|>=|<=|[{}(),=<>+\-*/%^!|~]/y;

const ATTRIBUTE_SCOPES: ReadonlySet<string> = new Set(['resource', 'span', 'event', 'link', 'instrumentation']);

/** Reads one token after the other. Throws TraceqlError. */
export class Lexer {
  readonly #query: string;
  #at = 0;

  constructor(query: string) {
    this.#query = query;
  }

  next(): Token {
    this.#match(SPACE);
    const start = this.#at;
    const character = this.#query[start] ?? '';
    if (character === '') return { kind: 'end', text: '', start, end: start };
    if (/[0-9]/.test(character) || (character === '.' && /[0-9]/.test(this.#query[start + 1] ?? ''))) {
      return this.#number();
    }
    if (character === '.') {
      this.#at++;
      return this.#attribute(start, 'none', false);
    }
    if (character === '"' || character === '`') return this.#string();
    if (character === ':') {
      this.#at++;
      return { kind: 'scope', text: '', start, end: this.#at };
    }
    const word = this.#match(WORD);
    if (word !== undefined) return this.#word(word, start);
    const operator = this.#match(OPERATOR);
    if (operator !== undefined) return { kind: 'operator', text: operator, start, end: this.#at };
    const whole = String.fromCodePoint(this.#query.codePointAt(start) as number);
    return this.#fail(`unexpected character ${quoteGo(whole)}`, start, start + whole.length);
  }

  #word(word: string, start: number): Token {
    const next = this.#query[this.#at];
    if (next === ':' && INTRINSIC_SCOPES.has(word)) {
      this.#at++;
      return { kind: 'scope', text: word, start, end: this.#at };
    }
    if (next === '.' && ATTRIBUTE_SCOPES.has(word)) {
      this.#at++;
      return this.#attribute(start, word as AttributeScope, false);
    }
    if (next === '.' && word === 'parent') {
      this.#at++;
      const scope = /^(?:resource|span)(?=\.)/.exec(this.#query.slice(this.#at, this.#at + 9))?.[0];
      if (scope !== undefined) this.#at += scope.length + 1;
      return this.#attribute(start, (scope ?? 'none') as AttributeScope, true);
    }
    return { kind: 'word', text: word, start, end: this.#at };
  }

  /** After the dot: a name of plain and quoted parts. */
  #attribute(start: number, scope: AttributeScope, isParent: boolean): Token {
    let name = '';
    for (;;) {
      const plain = this.#match(NAME_PART);
      if (plain !== undefined) {
        name += plain;
        continue;
      }
      if (this.#query[this.#at] !== '"') break;
      const quoted = this.#match(QUOTED_PART);
      if (quoted === undefined) {
        const isOpen = !/^"(?:[^"\\]|\\["\\])*\\[^"\\]/.test(this.#query.slice(this.#at));
        this.#fail(isOpen ? 'unexpected EOF, expecting "' : 'invalid escape sequence', this.#at);
      }
      name += quoted.slice(1, -1).replace(/\\(["\\])/g, '$1');
    }
    const text = this.#query.slice(start, this.#at);
    if (this.#at === start + 1 || text.endsWith('.')) {
      if (name === '') this.#fail("syntax error: an attribute's name is missing after the dot", start, this.#at);
    }
    return { kind: 'attribute', scope, isParent, name, text, start, end: this.#at };
  }

  #number(): Token {
    const start = this.#at;
    const text = this.#match(NUMBER) as string;
    const afterNumber = this.#at;
    const tail = this.#match(DURATION_TAIL);
    if (tail !== undefined) {
      const duration = parseTraceqlDuration(text + tail);
      if (duration !== undefined) {
        return this.#literal({ type: 'duration', value: toInteger(duration) }, start);
      }
      this.#at = afterNumber;
    }
    if (/[.eE]/.test(text)) return this.#literal({ type: 'float', value: Number(text) }, start);
    const integer = BigInt(text);
    if (integer > MAX_INTEGER) this.#fail(`${text} is out of range`, start);
    return this.#literal({ type: 'int', value: toInteger(integer) }, start);
  }

  #string(): Token {
    const start = this.#at;
    const text = this.#match(STRING);
    if (text === undefined) return this.#fail('literal not terminated', start, this.#query.length);
    if (text.startsWith('"')) {
      for (const [sequence, unknown] of text.matchAll(ESCAPES)) {
        if (unknown !== undefined) {
          this.#fail(`unknown escape ${sequence} in a string: write \`…\` for text without escapes`, start);
        }
      }
    }
    return this.#literal({ type: 'string', value: unquote(text) }, start);
  }

  #literal(value: Static, start: number): Token {
    return { kind: 'literal', value, text: this.#query.slice(start, this.#at), start, end: this.#at };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#query);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match[0];
  }

  #fail(reason: string, start: number, end = this.#at): never {
    throw new TraceqlError('syntax', this.#query, { start, end: Math.max(end, start + 1) }, reason);
  }
}
