import { OttlError } from './ottl-error.ts';

export type TokenKind = 'name' | 'string' | 'int' | 'double' | 'bytes' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a string its value without quotes and escapes. */
  readonly text: string;
  /** Place of its first character. */
  readonly position: number;
}

/** Longest statement, in characters. */
const MAX_LENGTH = 64 * 1024;

const SPACE = /[\s]+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const BYTES = /0x[0-9a-fA-F]*/y;
const DOUBLE = /\d*\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+/y;
const INT = /\d+/y;
const STRING = /"(?:\\.|[^\\"])*"/y;
const SYMBOL = /==|!=|<=|>=|[-<>+*/=()[\]{},.:]/y;

/** The tokens of a statement or condition, with one of kind `end` behind them. */
export function tokensOf(text: string): Token[] {
  if (text.length > MAX_LENGTH) {
    throw new OttlError(`more than ${MAX_LENGTH} characters`, `${text.slice(0, 40)}…`, 0);
  }
  const tokens: Token[] = [];
  let position = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = position;
    return pattern.exec(text)?.[0];
  };
  const kinds: readonly (readonly [TokenKind, RegExp])[] = [
    ['name', NAME],
    ['bytes', BYTES],
    ['double', DOUBLE],
    ['int', INT],
    ['string', STRING],
    ['symbol', SYMBOL],
  ];
  while (true) {
    position += match(SPACE)?.length ?? 0;
    if (position >= text.length) {
      tokens.push({ kind: 'end', text: '', position });
      return tokens;
    }
    const found = kinds
      .map(([kind, pattern]) => [kind, match(pattern)] as const)
      .find(([, part]) => part !== undefined);
    if (found?.[1] === undefined) {
      const message = text[position] === '"' ? 'a string without its closing quote' : `unexpected ${text[position]}`;
      throw new OttlError(message, text, position);
    }
    const [kind, part] = found;
    tokens.push({ kind, text: kind === 'string' ? unquoted(part, text, position) : part, position });
    position += part.length;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

/** Escapes are those of Go's strings, as upstream has them. An escape that Go does not know stays as written: `\d` of a pattern. */
function unquoted(quoted: string, text: string, position: number): string {
  return quoted
    .slice(1, -1)
    .replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/gs, (whole, code: string) => {
      if (/^[xuU]./.test(code)) {
        const point = Number.parseInt(code.slice(1), 16);
        if (point > 0x10ffff) {
          throw new OttlError(`no character has the code ${code}`, text, position);
        }
        return String.fromCodePoint(point);
      }
      if (/^[0-7]{3}$/.test(code)) {
        return String.fromCodePoint(Number.parseInt(code, 8));
      }
      return ESCAPES[code] ?? whole;
    });
}
