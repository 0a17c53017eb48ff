import { RE2JS } from 're2js';
import { JsonScanError, valueAtPath } from '../../logql/pipeline/scan-json.ts';
import { scanLogfmt } from '../../logql/pipeline/scan-logfmt.ts';

/** What stands in a pattern for any text. */
export const ANY = '<_>';

/** A line in pieces. */
export interface Tokens {
  readonly words: readonly string[];
  /** How many spaces stand in front of each word, and behind the last one; empty where `join` needs none. */
  readonly spaces: readonly number[];
}

export interface LineTokenizer {
  /** undefined: a line that can't be read, or one that is too long. */
  readonly split: (line: string) => Tokens | undefined;
  /** The line, or pattern, that words make. `spaces` are those of the line whose pattern it is. */
  readonly join: (tokens: Tokens) => string;
}

/** Words of a line that is taken for a pattern's. */
export const MAX_WORDS = 80;
const MAX_BYTES = 3_000;

const LOGFMT = RE2JS.compile('^(\\w+?=([^"]\\S*?|".+?") )*?(\\w+?=([^"]\\S*?|".+?"))+$');

/** The tokenizer of a stream, by the first line that it has, as Loki chooses it. */
export function tokenizerFor(firstLine: string): LineTokenizer {
  if (firstLine.length < 2) return PLAIN;
  if (firstLine.startsWith('{') && firstLine.endsWith('}')) return JSON_MESSAGES;
  return firstLine.length <= MAX_BYTES && LOGFMT.matches(firstLine) ? LOGFMT_PAIRS : PLAIN;
}

/** A word ends where punctuation stands that is usually not part of one; that is a word of its own. */
const SEPARATOR = /(?![_\-.:/])[=\p{P} ]/gu;

const PLAIN: LineTokenizer = {
  split(line) {
    if (isTooLong(line)) return undefined;
    const words: string[] = [];
    const spaces: number[] = [0];
    const add = (word: string) => {
      words.push(word);
      spaces.push(0);
    };
    let start = 0;
    for (const { 0: separator, index } of line.matchAll(SEPARATOR)) {
      if (index > start) add(line.slice(start, index));
      if (separator === ' ') spaces[spaces.length - 1]++;
      else add(separator);
      start = index + separator.length;
      if (words.length > MAX_WORDS) break;
    }
    if (start < line.length) add(line.slice(start));
    return { words, spaces };
  },
  join({ words, spaces }) {
    let text = '';
    for (const [index, word] of words.entries()) text += ' '.repeat(spaces[index] ?? 0) + word;
    return text + ' '.repeat(spaces[words.length] ?? 0);
  },
};

/** Members of JSON that hold a line's message, the first that is there. */
const MESSAGES = ['log', 'message', 'msg', 'msg_', '_msg', 'content'];

/** Of JSON only the message matters, as it is written there. */
const JSON_MESSAGES: LineTokenizer = {
  split(line) {
    const message = messageOf(line);
    return message === undefined ? undefined : PLAIN.split(message);
  },
  join: (tokens) => `${ANY}${PLAIN.join(tokens)}${ANY}`,
};

function messageOf(line: string): string | undefined {
  for (const name of MESSAGES) {
    try {
      const value = valueAtPath(line, [name]);
      if (value?.kind === 'string') return line.slice(value.start, value.end);
    } catch (error) {
      if (!(error instanceof JsonScanError)) throw error;
    }
  }
  return undefined;
}

/** Keys whose values are never the same twice. */
const VARIABLE = /^(?:ts|time|timestamp|traceid)$/i;

/** Keys and values by turns. */
const LOGFMT_PAIRS: LineTokenizer = {
  split(line) {
    if (isTooLong(line)) return undefined;
    const words: string[] = [];
    const fault = scanLogfmt(line, true, (key, value) => {
      words.push(key, key === 't' || VARIABLE.test(key) ? ANY : value);
    });
    return fault === undefined ? { words, spaces: [] } : undefined;
  },
  join({ words }) {
    const pairs: string[] = [];
    for (let index = 0; index < words.length; index += 2) {
      pairs.push(`${words[index]}=${quoted(words[index + 1] ?? '')}`);
    }
    return pairs.join(' ');
  },
};

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' };

/** A value as logfmt has it. */
function quoted(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to be quoted
  if (!/[\u0000-\u0020="\u007f\ufffd]/.test(value)) return value;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to be escaped
  const escaped = value.replace(/[\u0000-\u001f"\\\u007f]/g, (character) => {
    return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}

function isTooLong(line: string): boolean {
  return line.length > MAX_BYTES || Buffer.byteLength(line) > MAX_BYTES;
}
