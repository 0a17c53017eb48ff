/** A JSON text that is none, in the words of the parser that Loki uses. */
export class JsonScanError extends Error {
  override readonly name = 'JsonScanError';
}

export type JsonKind = 'string' | 'number' | 'boolean' | 'null' | 'object' | 'array';

/** A member of an object: where its value stands in the text. Strings without their quotes, their escapes unread. */
export type OnMember = (key: string, kind: JsonKind, start: number, end: number) => void;

const BAD_OBJECT = "Value looks like object, but can't find closing '}' symbol";
const BAD_ARRAY = "Value is array, but can't find closing ']' symbol";
const BAD_STRING = "Value is string, but can't find closing '\"' symbol";
const BAD_VALUE = "Value looks like Number/Boolean/None, but can't find its end: ',' or '}' symbol";

const MAX_DEPTH = 100;

/**
 * Calls `onMember` for each member of the object that begins at `start` (white space before it is skipped), in order. Numbers keep
 * how they were written and keys may come twice, which `JSON.parse` would lose. Throws JsonScanError. Returns where the object ends.
 */
export function scanObject(text: string, start: number, onMember: OnMember): number {
  let at = skipSpace(text, start);
  if (text.charCodeAt(at) !== 0x7b) throw new JsonScanError(BAD_OBJECT);
  at = skipSpace(text, at + 1);
  if (text.charCodeAt(at) === 0x7d) return at + 1;
  for (;;) {
    if (text.charCodeAt(at) !== 0x22) throw new JsonScanError(BAD_OBJECT);
    const keyEnd = stringEnd(text, at);
    const key = unescapeJson(text.slice(at + 1, keyEnd - 1));
    at = skipSpace(text, keyEnd);
    if (text.charCodeAt(at) !== 0x3a) throw new JsonScanError('Malformed JSON error');
    at = skipSpace(text, at + 1);
    const kind = kindAt(text, at);
    const end = valueEnd(text, at, kind);
    if (kind === 'string') onMember(key, kind, at + 1, end - 1);
    else onMember(key, kind, at, end);
    at = skipSpace(text, end);
    const code = text.charCodeAt(at);
    if (code === 0x7d) return at + 1;
    if (code !== 0x2c) throw new JsonScanError('Malformed JSON error');
    at = skipSpace(text, at + 1);
  }
}

/** The value that a path leads to; undefined: there is none. Throws JsonScanError. */
export function valueAtPath(
  text: string,
  path: readonly (string | number)[],
): { readonly kind: JsonKind; readonly start: number; readonly end: number } | undefined {
  let start = skipSpace(text, 0);
  let kind = kindAt(text, start);
  let end = text.length;
  for (const step of path) {
    let found: { kind: JsonKind; start: number; end: number } | undefined;
    if (typeof step === 'number') {
      if (kind === 'array') found = elementAt(text, start, step);
    } else if (kind === 'object') {
      scanObject(text, start, (key, memberKind, from, to) => {
        if (key === step) found ??= { kind: memberKind, start: from, end: to };
      });
    }
    if (found === undefined) return undefined;
    ({ kind, start, end } = found);
  }
  return { kind, start, end };
}

function elementAt(text: string, start: number, index: number) {
  let at = skipSpace(text, start + 1);
  for (let i = 0; text.charCodeAt(at) !== 0x5d; i++) {
    const kind = kindAt(text, at);
    const end = valueEnd(text, at, kind);
    if (i === index) return kind === 'string' ? { kind, start: at + 1, end: end - 1 } : { kind, start: at, end };
    at = skipSpace(text, end);
    if (text.charCodeAt(at) === 0x2c) at = skipSpace(text, at + 1);
    else if (text.charCodeAt(at) !== 0x5d) throw new JsonScanError(BAD_ARRAY);
  }
  return undefined;
}

function kindAt(text: string, at: number): JsonKind {
  switch (text.charCodeAt(at)) {
    case 0x22:
      return 'string';
    case 0x7b:
      return 'object';
    case 0x5b:
      return 'array';
    case 0x74:
    case 0x66:
      return 'boolean';
    case 0x6e:
      return 'null';
    default:
      return 'number';
  }
}

function valueEnd(text: string, at: number, kind: JsonKind): number {
  if (kind === 'string') return stringEnd(text, at);
  if (kind === 'object' || kind === 'array') return blockEnd(text, at);
  let end = at;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code <= 0x20 || code === 0x2c || code === 0x7d || code === 0x5d) break;
  }
  if (end === text.length) throw new JsonScanError(BAD_VALUE);
  const word = text.slice(at, end);
  const isKnown =
    kind === 'number' ? /^-?\d[\d.eE+-]*$/.test(word) : word === 'true' || word === 'false' || word === 'null';
  if (!isKnown) throw new JsonScanError('Unknown value type');
  return end;
}

/** Behind the closing quote of the string whose opening one is at `at`. */
function stringEnd(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
  throw new JsonScanError(BAD_STRING);
}

/** Behind the bracket that closes the one at `at`. */
function blockEnd(text: string, at: number): number {
  const isArray = text.charCodeAt(at) === 0x5b;
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) i = stringEnd(text, i) - 1;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > MAX_DEPTH) throw new JsonScanError('Malformed JSON error');
    } else if ((code === 0x7d || code === 0x5d) && --depth === 0) return i + 1;
  }
  throw new JsonScanError(isArray ? BAD_ARRAY : BAD_OBJECT);
}

function skipSpace(text: string, start: number): number {
  let at = start;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x09 && code !== 0x0d) break;
  }
  return at;
}

const SIMPLE: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** A string's content with its escapes read; '' for wrong ones. What is no character becomes a space. */
export function unescapeJson(content: string): string {
  if (!content.includes('\\')) return content.includes('\ufffd') ? content.replaceAll('\ufffd', ' ') : content;
  let isValid = true;
  const text = content.replace(/\\(?:u([0-9a-fA-F]{4})|([\s\S]?))/g, (_, hex?: string, simple = '') => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (simple === '"' || simple === '\\' || simple === '/') return simple;
    const character = SIMPLE[simple];
    if (character === undefined) isValid = false;
    return character ?? '';
  });
  return isValid ? text.replaceAll('\ufffd', ' ').replace(/\p{Surrogate}/gu, ' ') : '';
}
