import { AGGREGATORS } from './ast.ts';
import { ParseError } from './parse-error.ts';
import { quoteCharacter, quoteGo } from './quote.ts';

/** The classes of tokens; keywords, operators and punctuation are their own class (`sum`, `by`, `==`, `(`). */
export type TokenKind = string;

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const AGGREGATOR_NAMES: ReadonlySet<string> = new Set(AGGREGATORS);
const WORD_OPERATORS = new Set(['and', 'or', 'unless', 'atan2']);
const KEYWORDS = new Set([
  'offset',
  'smoothed',
  'anchored',
  'by',
  'without',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'fill',
  'fill_left',
  'fill_right',
  'bool',
]);
const PREPROCESSORS = new Set(['start', 'end', 'step', 'range', 'max_of', 'min_of']);
const DURATION_WORDS = new Set(['step', 'range', 'max_of', 'min_of']);
const OPERATORS = ['==', '!=', '<=', '</', '<', '>=', '>/', '>', '=~', '!~', '=', '+', '-', '*', '/', '%', '^', '@'];

/** Whether a word may stand where a label's or a metric's name is expected although it has a meaning of its own elsewhere. */
export function isWord(kind: TokenKind): boolean {
  return (
    kind === 'identifier' ||
    kind === 'metric identifier' ||
    AGGREGATOR_NAMES.has(kind) ||
    WORD_OPERATORS.has(kind) ||
    KEYWORDS.has(kind) ||
    PREPROCESSORS.has(kind)
  );
}

/** A token as messages name it. */
export function describeToken({ kind, text }: Token): string {
  if (kind === 'EOF') return 'end of input';
  if (kind === 'identifier' || kind === 'metric identifier') return `${kind} ${quoteGo(text)}`;
  if (KEYWORDS.has(kind)) return `<${text}>`;
  if (AGGREGATOR_NAMES.has(kind)) return `<aggr:${text}>`;
  if (WORD_OPERATORS.has(kind) || OPERATORS.includes(kind)) return kind === '=' ? quoteGo(text) : `<op:${text}>`;
  const quoted = [...text].length > 10 ? `${quoteGo([...text].slice(0, 10).join(''))}...` : quoteGo(text);
  return kind === 'string' || kind === 'number' || kind === 'duration' ? `${kind} ${quoted}` : quoted;
}

const SPACE = /[ \t\r\n]+/y;
const COMMENT = /#[^\r\n]*/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const METRIC_WORD = /[A-Za-z_:][A-Za-z0-9_:]*/y;
/** The same where letters of all scripts, and dots that do not begin a name, need no quotes. */
const UTF8_WORD = /[\p{L}_][\p{L}0-9_.]*/uy;
const UTF8_METRIC_WORD = /[\p{L}_:][\p{L}0-9_:.]*/uy;
const KEYWORD_LETTERS = /[A-Za-z_]+/y;

/** Whether a label's name needs no quotes. */
export function isPlainLabelName(name: string, hasUtf8Names: boolean): boolean {
  return (hasUtf8Names ? /^[\p{L}_][\p{L}0-9_.]*$/u : /^[A-Za-z_][A-Za-z0-9_]*$/).test(name);
}

/**
 * Reads one token after the other. What a character means depends on where it stands: inside of braces words are names, inside
 * of brackets only durations and their arithmetic are allowed. Throws ParseError.
 */
export class Lexer {
  readonly query: string;
  readonly #word: RegExp;
  readonly #metricWord: RegExp;
  #at = 0;
  #parenDepth = 0;
  #isInBraces = false;
  #isInBrackets = false;
  /** Within brackets: no number came yet, so that only what makes up a duration may stand there. */
  #isBeforeNumber = false;
  #gotColon = false;
  #gotDuration = false;

  /** `hasUtf8Names`: names of any letters, and with dots, need no quotes. */
  constructor(query: string, hasUtf8Names: boolean) {
    this.query = query;
    this.#word = hasUtf8Names ? UTF8_WORD : WORD;
    this.#metricWord = hasUtf8Names ? UTF8_METRIC_WORD : METRIC_WORD;
  }

  next(): Token {
    for (;;) {
      if (this.#match(SPACE) === undefined && (this.#isBeforeNumber || this.#match(COMMENT) === undefined)) break;
    }
    if (this.#isInBraces) return this.#nextInBraces();
    return this.#isBeforeNumber ? this.#nextInDuration() : this.#nextOutside();
  }

  #nextOutside(): Token {
    const start = this.#at;
    const character = this.#character();
    if (character === '') {
      if (this.#parenDepth !== 0) this.#fail('unclosed left parenthesis');
      if (this.#isInBrackets) this.#fail('unclosed left bracket');
      return { kind: 'EOF', text: '', start, end: start };
    }
    if (/[0-9]/.test(character) || (character === '.' && /[0-9]/.test(this.query[start + 1] ?? ''))) {
      return this.#numberOrDuration();
    }
    if (character === '"' || character === "'" || character === '`') return this.#string();
    const word = this.#match(this.#metricWord);
    if (word !== undefined) {
      if (!this.#isInBrackets) return this.#named(word);
      this.#at = start;
      return this.#afterDuration();
    }
    switch (character) {
      case '(':
        this.#parenDepth++;
        return this.#take(1);
      case ')':
        if (--this.#parenDepth < 0) this.#fail(`unexpected right parenthesis ${quoteCharacter(character)}`, start + 1);
        return this.#take(1);
      case '{':
        this.#isInBraces = true;
        return this.#take(1);
      case '[':
        if (this.#isInBrackets) this.#fail(`unexpected left bracket ${quoteCharacter(character)}`);
        this.#isInBrackets = true;
        this.#isBeforeNumber = true;
        this.#gotColon = false;
        this.#gotDuration = false;
        return this.#take(1);
      case ']':
        if (!this.#isInBrackets) this.#fail(`unexpected right bracket ${quoteCharacter(character)}`);
        this.#isInBrackets = false;
        return this.#take(1);
      case ',':
        return this.#take(1);
    }
    const next = this.query[start + 1] ?? '';
    if (character === '=' && next === '~') this.#fail(`unexpected character after '=': ${quoteCharacter('~')}`);
    if (character === '!' && next !== '=') this.#fail(`unexpected character after '!': ${quoteRune(next)}`);
    const operator = OPERATORS.find((candidate) => this.query.startsWith(candidate, start));
    if (operator === undefined) return this.#fail(`unexpected character: ${quoteRune(this.#wholeCharacter())}`);
    return this.#take(operator.length);
  }

  #nextInBraces(): Token {
    const character = this.#character();
    const next = this.query[this.#at + 1] ?? '';
    if (character === '') this.#fail('unexpected end of input inside braces');
    const start = this.#at;
    const text = this.#match(this.#word);
    if (text !== undefined) return { kind: 'identifier', text, start, end: this.#at };
    switch (character) {
      case '"':
      case "'":
      case '`':
        return this.#string();
      case ',':
        return this.#take(1);
      case '=':
        return this.#take(next === '~' ? 2 : 1);
      case '!':
        if (next !== '=' && next !== '~') {
          this.#fail(`unexpected character after '!' inside braces: ${quoteRune(next)}`);
        }
        return this.#take(2);
      case '{':
        return this.#fail(`unexpected left brace ${quoteCharacter(character)}`);
      case '}':
        this.#isInBraces = false;
        return this.#take(1);
      default:
        return this.#fail(`unexpected character inside braces: ${quoteRune(this.#wholeCharacter())}`);
    }
  }

  /** The first tokens within brackets, up to the first number. */
  #nextInDuration(): Token {
    const start = this.#at;
    const character = this.#character();
    if (character === '') this.#fail('unexpected end of input in duration expression');
    if (/[0-9]/.test(character) || (character === '.' && /[0-9]/.test(this.query[start + 1] ?? ''))) {
      this.#gotDuration = true;
      this.#isBeforeNumber = false;
      return this.#numberOrDuration();
    }
    if ('+-*/%^,'.includes(character)) return this.#take(1);
    switch (character) {
      case ']':
        this.#isInBrackets = false;
        this.#isBeforeNumber = false;
        return this.#take(1);
      case '(':
        this.#parenDepth++;
        return this.#take(1);
      case ')':
        if (--this.#parenDepth < 0) this.#fail(`unexpected right parenthesis ${quoteCharacter(character)}`, start + 1);
        return this.#take(1);
      case ':':
        if (!this.#gotDuration) this.#fail('unexpected colon before duration in duration expression', start + 1);
        if (this.#gotColon) this.#fail('unexpected repeated colon in duration expression', start + 1);
        this.#gotColon = true;
        return this.#take(1);
    }
    const keyword = this.#durationKeyword();
    if (keyword) {
      this.#gotDuration = true;
      return keyword;
    }
    return this.#fail(`unexpected character in duration expression: ${quoteRune(this.#wholeCharacter())}`);
  }

  /** Within brackets, where a word or a colon follows a number. */
  #afterDuration(): Token {
    if (this.#character() === ':') {
      if (this.#gotColon) this.#fail(`unexpected colon ${quoteCharacter(':')}`);
      this.#gotColon = true;
      return this.#take(1);
    }
    const character = quoteRune(this.#wholeCharacter());
    return this.#durationKeyword() ?? this.#fail(`unexpected character: ${character}, expected ${quoteCharacter(':')}`);
  }

  #durationKeyword(): Token | undefined {
    const start = this.#at;
    const text = this.#match(KEYWORD_LETTERS) ?? '';
    if (DURATION_WORDS.has(text.toLowerCase())) return { kind: text.toLowerCase(), text, start, end: this.#at };
    this.#at = start;
    return undefined;
  }

  #named(text: string): Token {
    const end = this.#at;
    const start = end - text.length;
    // Other letters that become ASCII's in lower case make no keyword.
    const lower = /^[A-Za-z0-9_:.]+$/.test(text) ? text.toLowerCase() : text;
    if (lower === 'inf' || lower === 'nan') return { kind: 'number', text, start, end };
    if (lower.startsWith('fill') && KEYWORDS.has(lower) && !/^[ \t\r\n]*\(/.test(this.query.slice(end))) {
      return { kind: 'identifier', text, start, end };
    }
    if (isWord(lower) && lower !== 'identifier') return { kind: lower, text, start, end };
    return { kind: text.includes(':') ? 'metric identifier' : 'identifier', text, start, end };
  }

  #numberOrDuration(): Token {
    const start = this.#at;
    const kind = this.#acceptNumber() ? 'number' : this.#acceptDuration() ? 'duration' : undefined;
    const text = this.query.slice(start, this.#at);
    if (kind === undefined) return this.#fail(`bad number or duration syntax: ${quoteGo(text)}`, start);
    return { kind, text, start, end: this.#at };
  }

  /** Goes on to the end of a number, or to where it can't be one. What it takes for a number may still be none: `1e`, `0.0.1`. */
  #acceptNumber(): boolean {
    let digits = '0123456789';
    if (this.#accept('0') && this.#accept('xX')) {
      this.#accept('_');
      digits += 'abcdefABCDEF';
    }
    this.#accept('.');
    this.#accept(digits);
    let [hasPoint, hasExponent] = [false, false];
    for (;;) {
      const next = this.#character();
      if (next === '.') {
        this.#at++;
        if (hasPoint) return false;
        hasPoint = true;
        if (this.#accept('_.') || digits.length > 10) return false;
      } else if (next === 'e' || next === 'E') {
        this.#at++;
        if (hasExponent) return false;
        hasExponent = true;
        this.#accept('+-');
        if (this.#accept('._eE') || this.#character() === '') return false;
      } else if (next === '_') {
        this.#at++;
        if (this.#accept('._eE') || this.#character() === '') return false;
      } else if (next !== '' && digits.includes(next)) {
        while (this.#accept(digits));
      } else break;
    }
    return !/[A-Za-z0-9_]/.test(this.#character());
  }

  /** Goes on to the end of a duration whose first number was read, or to where it can't be one. */
  #acceptDuration(): boolean {
    if (!this.#accept('smhdwy')) return false;
    this.#accept('s');
    while (this.#accept('0123456789')) {
      while (this.#accept('0123456789'));
      // Years stand first, if at all.
      if (!this.#accept('smhdw')) return false;
      this.#accept('s');
    }
    if (!/[A-Za-z0-9_]/.test(this.#character())) return true;
    this.#at++;
    return false;
  }

  #accept(characters: string): boolean {
    const next = this.#character();
    if (next === '' || !characters.includes(next)) return false;
    this.#at++;
    return true;
  }

  #string(): Token {
    const start = this.#at;
    const quote = this.query[start] as string;
    let at = start + 1;
    for (;;) {
      const character = this.query[at];
      if (quote === '`' && character === undefined) this.#fail('unterminated raw string', start);
      if (character === undefined || (character === '\n' && quote !== '`'))
        this.#fail('unterminated quoted string', start);
      at++;
      if (character === quote) break;
      if (character === '\\' && quote !== '`') at = this.#checkEscape(at, quote, start);
    }
    this.#at = at;
    const text = this.query.slice(start, at);
    // Half of a pair is what JavaScript can have of a text that is none.
    if (/\p{Surrogate}/u.test(text)) this.#fail('invalid UTF-8 rune', start);
    return { kind: 'string', text, start, end: at };
  }

  /** Checks the escape sequence whose first character after the backslash is at `at`; returns where it ends. */
  #checkEscape(at: number, quote: string, start: number): number {
    const character = this.query[at] ?? '';
    if (character === '') return this.#fail('escape sequence not terminated', start);
    if (character === quote || 'abfnrtv\\'.includes(character)) return at + 1;
    const isOctal = /[0-7]/.test(character);
    const length = isOctal ? 3 : { x: 2, u: 4, U: 8 }[character];
    if (length === undefined) return this.#fail(`unknown escape sequence ${describeRune(character)}`, start);
    const first = isOctal ? at : at + 1;
    for (let i = first; i < first + length; i++) {
      const digit = this.query[i];
      if (digit === undefined) this.#fail('escape sequence not terminated', start);
      if (!(isOctal ? /[0-7]/ : /[0-9a-fA-F]/).test(digit)) {
        this.#fail(`illegal character ${describeRune(digit)} in escape sequence`, start);
      }
    }
    const code = Number.parseInt(this.query.slice(first, first + length), isOctal ? 8 : 16);
    if (code > (isOctal || length === 2 ? 255 : 0x10ffff) || (code >= 0xd800 && code < 0xe000)) {
      this.#fail('escape sequence is an invalid Unicode code point', start);
    }
    return first + length;
  }

  #take(length: number): Token {
    const start = this.#at;
    this.#at += length;
    const text = this.query.slice(start, this.#at);
    return { kind: text, text, start, end: this.#at };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.query);
    if (!match) return undefined;
    this.#at += match[0].length;
    return match[0];
  }

  #character(): string {
    return this.query[this.#at] ?? '';
  }

  #wholeCharacter(): string {
    return String.fromCodePoint(this.query.codePointAt(this.#at) as number);
  }

  #fail(reason: string, start = this.#at): never {
    throw new ParseError(this.query, { start, end: this.query.length }, reason);
  }
}

function quoteRune(character: string): string {
  return character === '' ? "'\ufffd'" : quoteCharacter(character);
}

function describeRune(character: string): string {
  const code = character.codePointAt(0) as number;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')} ${quoteCharacter(character)}`;
}
