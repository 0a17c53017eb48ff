import { QueryInputError } from '../query-input-error.ts';
import type { SqlParameters } from '../sql-parameters.ts';

/** One thing that a body must have, or must not. */
export interface BodyWord {
  readonly text: string;
  readonly negated: boolean;
}

const maxWords = 32;

/**
 * Reads `q`: words that must all be there, `"a phrase"` in quotes, and either with `-` in front for what must not.
 *
 * What a word is: letters of any case match. Letters, digits and all characters beyond ASCII belong to words, everything
 * else separates them. A text is found where it stands between separators, so `timeout` finds `[timeout]` and not
 * `timeouts`; what it holds inside, `user-42` or `/api/pulls`, must be there as it is. Where a text begins or ends with a
 * separator or a character beyond ASCII, that end may touch anything: languages without spaces are found.
 */
export function readBodyWords(q: string): BodyWord[] {
  const words: BodyWord[] = [];
  const item = /(-?)(?:"([^"]*)"|([^\s"]+))|(-?")/g;
  for (const match of q.matchAll(item)) {
    const [, sign, phrase, word, open] = match;
    if (open !== undefined) {
      throw new QueryInputError('The phrase has no closing quote', {
        parameter: 'q',
        position: { start: match.index, end: q.length },
        hint: 'Expected a closing ".',
      });
    }
    const text = (phrase ?? word ?? '').trim();
    if (text === '' || text === '-') continue;
    words.push({ text, negated: sign === '-' });
  }
  if (words.length > maxWords) {
    throw new QueryInputError(`At most ${maxWords} words are looked for`, { parameter: 'q' });
  }
  return words;
}

/** Conditions on `body`. The index on words of the body decides alone for a plain word, and first for everything else. */
export function bodyConditions(words: readonly BodyWord[], parameters: SqlParameters): string[] {
  return words.map(({ text, negated }) => `${negated ? 'NOT ' : ''}(${wordCondition(text, parameters)})`);
}

function wordCondition(text: string, parameters: SqlParameters): string {
  const tokens = asciiTokens(text).map((token) => `hasToken(lower(body), ${parameters.string(token)})`);
  if (tokens.length === 1 && /^[0-9A-Za-z]+$/.test(text)) return tokens[0] as string;
  const whole = `match(body, ${parameters.string(`(?i)${bounded(text, '(?:^|[^', '])', '(?:$|[^', '])', '\\x{80}-\\x{10FFFF}')}`)})`;
  return [...tokens, `positionCaseInsensitiveUTF8(body, ${parameters.string(text)}) > 0`, whole].join(' AND ');
}

/** Runs of ASCII letters and digits, in lower case, that are whole words of any body that has the text. */
function asciiTokens(text: string): string[] {
  const tokens = text.match(/[0-9A-Za-z\u0080-\u{10FFFF}]+/gu) ?? [];
  return [...new Set(tokens.filter((token) => /^[0-9A-Za-z]+$/.test(token)).map((token) => token.toLowerCase()))];
}

/** The same conditions on a body in memory. */
export function bodyMatcher(words: readonly BodyWord[]): (body: string) => boolean {
  const tests = words.map(({ text, negated }) => {
    const pattern = new RegExp(bounded(text, '(?<![', '])', '(?![', '])', '\\u{80}-\\u{10FFFF}'), 'iu');
    return { pattern, negated };
  });
  return (body) => tests.every(({ pattern, negated }) => pattern.test(body) !== negated);
}

/** The text as a regular expression, with what must stand around it. */
function bounded(
  text: string,
  beforeOpen: string,
  beforeClose: string,
  afterOpen: string,
  afterClose: string,
  beyondAscii: string,
): string {
  const word = `0-9A-Za-z${beyondAscii}`;
  const before = /^[0-9A-Za-z]/.test(text) ? `${beforeOpen}${word}${beforeClose}` : '';
  const after = /[0-9A-Za-z]$/.test(text) ? `${afterOpen}${word}${afterClose}` : '';
  return `${before}${text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}${after}`;
}
