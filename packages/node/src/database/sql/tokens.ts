/** How a dialect of SQL writes what must be told apart to find its literals. */
export interface SqlDialect {
  /** Whether `\'` inside of a text is a quote of the text. In PostgreSQL only where the text begins with `E`. */
  readonly backslashEscapes: boolean;
  /**
   * What `"…"` is: a name in the standard, a text in MySQL, except where only a table can stand: what is there is a name, by
   * MySQL's ANSI_QUOTES, which a statement does not tell of.
   */
  readonly doubleQuotes: 'name' | 'text';
  /** Whether `#` begins a comment. */
  readonly hashComments: boolean;
  /** Whether `--` begins a comment only where space follows: otherwise `5--3` is a sum. */
  readonly spacedDashComments: boolean;
  /** Whether a comment can hold comments. */
  readonly nestedComments: boolean;
  /** Whether `$tag$…$tag$` is a text. */
  readonly dollarQuotes: boolean;
}

export interface SqlToken {
  readonly kind: 'word' | 'name' | 'literal' | 'symbol';
  /** A word as it is written, a name without its quotes, `?` for a literal, a single character for a symbol. */
  readonly text: string;
}

export interface SqlTokens {
  readonly tokens: readonly SqlToken[];
  /** The statement with `?` in the place of every literal, and without comments, which may hold anything. */
  readonly sanitized: string;
}

/** The longest text that is made of a statement. What lies beyond it is not read. */
export const maxQueryText = 4096;

/** Characters of a statement that are looked at: bulk inserts are megabytes of values. */
const maxRead = 64 * 1024;

const patterns = {
  space: /\s+/y,
  // A parameter of any driver: $1, :name, @name, ?1. PostgreSQL's casts (`::text`) have their own colons.
  parameter: /\$\d+|[:@][A-Za-z_]\w*|\?\d*/y,
  number: /0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y,
  // Letters of any language, as databases allow them.
  word: /[\p{L}_][\p{L}\p{N}_$]*/uy,
  lineComment: /[^\n]*/y,
  dollarTag: /\$(?:[A-Za-z_]\w*)?\$/y,
};

/**
 * Reads a statement and never fails: what it does not understand are symbols.
 *
 * Whether a backslash escapes a quote can be another than the dialect's default (MySQL's NO_BACKSLASH_ESCAPES), and reading a
 * statement the wrong way would take a text for words. Where it matters both ways are tried: the one that leaves no text open is
 * right, and of two that could be, only what they have in common is shown.
 */
export function readTokens(whole: string, dialect: SqlDialect): SqlTokens {
  const usual = readOneWay(whole, dialect);
  if (!dialect.backslashEscapes || !/\\['"]/.test(whole.slice(0, maxRead))) return usual;
  const other = readOneWay(whole, { ...dialect, backslashEscapes: false });
  if (usual.isClosed !== other.isClosed) return usual.isClosed ? usual : other;
  let common = 0;
  while (common < usual.sanitized.length && usual.sanitized[common] === other.sanitized[common]) common += 1;
  if (common === usual.sanitized.length && common === other.sanitized.length) return usual;
  const isShared = (token: SqlToken, index: number): boolean => token.text === other.tokens[index]?.text;
  const length = usual.tokens.findIndex((token, index) => !isShared(token, index));
  return {
    tokens: length < 0 ? usual.tokens : usual.tokens.slice(0, length),
    sanitized: `${usual.sanitized.slice(0, common).trimEnd()}…`,
  };
}

/** From left to right, once. `isClosed`: no quoted text is open at the end. */
function readOneWay(whole: string, dialect: SqlDialect): SqlTokens & { readonly isClosed: boolean } {
  const statement = whole.length > maxRead ? whole.slice(0, maxRead) : whole;
  const tokens: SqlToken[] = [];
  let sanitized = '';
  let at = 0;
  let isClosed = true;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(statement)?.[0];
  };
  const add = (kind: SqlToken['kind'], text: string, written = text): void => {
    tokens.push({ kind, text });
    sanitized += written;
  };
  const literal = (): void => add('literal', '?');
  const quoted = (quote: string, escapes: boolean): number => {
    const end = endOfQuoted(statement, at, quote, escapes);
    if (end === undefined) isClosed = false;
    return end ?? statement.length;
  };
  const startsComment = (): boolean =>
    statement.startsWith('--', at) && (!dialect.spacedDashComments || /^\s?$/.test(statement.charAt(at + 2)));
  const gap = (): void => {
    if (sanitized !== '' && !sanitized.endsWith(' ')) sanitized += ' ';
  };

  while (at < statement.length && sanitized.length < maxQueryText) {
    const character = statement[at] as string;
    const next = statement[at + 1];
    const space = match(patterns.space);
    if (space !== undefined) {
      at += space.length;
      gap();
    } else if (startsComment() || (dialect.hashComments && character === '#')) {
      at += match(patterns.lineComment)?.length ?? 0;
      gap();
    } else if (character === '/' && next === '*') {
      at = endOfComment(statement, at, dialect.nestedComments);
      gap();
    } else if (character === "'") {
      // Of `E'…'`, `x'…'` and the like only the quote is read here: the letter before it was a word.
      const prefix = tokens.at(-1);
      const isPrefixed = prefix?.kind === 'word' && sanitized.endsWith(prefix.text);
      const escapes = dialect.backslashEscapes || (isPrefixed && /^e$/i.test(prefix.text));
      if (isPrefixed && /^([bnxe]|_\w+)$/i.test(prefix.text)) {
        tokens.pop();
        sanitized = sanitized.slice(0, -prefix.text.length);
      }
      at = quoted("'", escapes);
      literal();
    } else if (character === '"' && dialect.doubleQuotes === 'text' && !onlyTableFits(tokens)) {
      at = quoted('"', dialect.backslashEscapes);
      literal();
    } else if (character === '"' || character === '`') {
      const end = quoted(character, false);
      const written = statement.slice(at, end);
      at = end;
      add('name', written.slice(1, -1).replaceAll(character + character, character), written);
    } else if (dialect.dollarQuotes && match(patterns.dollarTag) !== undefined) {
      const tag = match(patterns.dollarTag) as string;
      const end = statement.indexOf(tag, at + tag.length);
      at = end < 0 ? statement.length : end + tag.length;
      literal();
    } else if (character === ':' && next === ':') {
      at += 2;
      add('symbol', '::');
    } else {
      const parameter = match(patterns.parameter);
      const number = match(patterns.number);
      const word = match(patterns.word);
      if (parameter !== undefined) add('symbol', parameter);
      else if (word !== undefined) add('word', word);
      else if (number !== undefined) literal();
      else add('symbol', character);
      at += (parameter ?? word ?? number ?? character).length;
    }
  }
  const text = sanitized.trimEnd();
  const isWhole = at >= whole.length && text.length <= maxQueryText;
  return { tokens, sanitized: isWhole ? text : `${text.slice(0, maxQueryText)}…`, isClosed };
}

function endOfComment(statement: string, begin: number, isNested: boolean): number {
  let depth = 0;
  for (let at = begin; at < statement.length; at += 1) {
    if (statement.startsWith('*/', at)) {
      depth -= 1;
      at += 1;
      if (depth === 0 || !isNested) return at + 1;
    } else if (statement.startsWith('/*', at)) {
      depth += 1;
      at += 1;
    }
  }
  return statement.length;
}

/** Whether the next token can be nothing but the name of a table; a part of a name after a point counts as well. */
function onlyTableFits(tokens: readonly SqlToken[]): boolean {
  const last = tokens.at(-1);
  if (last?.kind === 'symbol') return last.text === '.' && tokens.at(-2)?.kind === 'name';
  if (last?.kind !== 'word') return false;
  const word = last.text.toUpperCase();
  if (word === 'FROM') return isFromOfTables(tokens);
  return word === 'JOIN' || word === 'INTO' || word === 'UPDATE' || word === 'TABLE';
}

/** `trim('x' FROM "text")` and `a IS DISTINCT FROM "text"` name no tables: the nearest open bracket must begin a statement. */
function isFromOfTables(tokens: readonly SqlToken[]): boolean {
  if (tokens.at(-2)?.text.toUpperCase() === 'DISTINCT') return false;
  let closed = 0;
  for (let index = tokens.length - 1; index >= 0; index -= 1) {
    const { kind, text } = tokens[index] as SqlToken;
    if (kind !== 'symbol') continue;
    if (text === ')') closed += 1;
    else if (text === '(' && closed === 0) return /^(SELECT|WITH|DELETE)$/i.test(tokens[index + 1]?.text ?? '');
    else if (text === '(') closed -= 1;
  }
  return true;
}

/** Where a quoted text that begins at `at` is over; undefined where it never is. */
function endOfQuoted(statement: string, at: number, quote: string, backslashEscapes: boolean): number | undefined {
  for (let index = at + 1; index < statement.length; index += 1) {
    const character = statement[index];
    if (character === '\\' && backslashEscapes) index += 1;
    else if (character === quote) {
      if (statement[index + 1] !== quote) return index + 1;
      index += 1;
    }
  }
  return undefined;
}
