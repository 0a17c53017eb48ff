/** A JSON text that is none, in the words of the parser that Loki uses. */
export class JsonScanError extends Error {
  override readonly name = 'JsonScanError';
}

export type JsonKind = 'string' | 'number' | 'boolean' | 'null' | 'object' | 'array';

/** A member of an object: where its value stands in the text. Strings without their quotes, their escapes unread. */
export type OnMember = (key: string, kind: JsonKind, start: number, end: number) => void;

const BAD_JSON = 'Malformed JSON error';
const BAD_OBJECT = "Value looks like object, but can't find closing '}' symbol";
const BAD_ARRAY = "Value is array, but can't find closing ']' symbol";
const BAD_STRING = "Value is string, but can't find closing '\"' symbol";

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
  if (at >= text.length) throw new JsonScanError(BAD_JSON);
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === 0x7d) return at + 1; // Behind a comma, too.
    if (code !== 0x22) throw new JsonScanError(BAD_OBJECT);
    const keyEnd = stringEnd(text, at, BAD_JSON);
    const key = unescapeJson(text.slice(at + 1, keyEnd - 1));
    at = skipSpace(text, keyEnd);
    if (text.charCodeAt(at) !== 0x3a) throw new JsonScanError(BAD_JSON);
    at = skipSpace(text, at + 1);
    if (at >= text.length) throw new JsonScanError(BAD_JSON);
    const kind = kindAt(text, at);
    const end = valueEnd(text, at, kind);
    if (kind === 'string') onMember(key, kind, at + 1, end - 1);
    else onMember(key, kind, at, end);
    at = skipSpace(text, end);
    if (at >= text.length) throw new JsonScanError(BAD_ARRAY);
    if (text.charCodeAt(at) === 0x2c) {
      at = skipSpace(text, at + 1);
      if (at >= text.length) throw new JsonScanError(BAD_ARRAY);
    } else if (text.charCodeAt(at) !== 0x7d) throw new JsonScanError(BAD_OBJECT);
  }
}

/**
 * The value that a path leads to; undefined: there is none, or the text breaks off before it. Throws JsonScanError where the value
 * itself can't be read.
 */
export function valueAtPath(
  text: string,
  path: readonly (string | number)[],
): { readonly kind: JsonKind; readonly start: number; readonly end: number } | undefined {
  let start = skipSpace(text, 0);
  for (const step of path) {
    const isIndex = typeof step === 'number';
    if (kindAt(text, start) !== (isIndex ? 'array' : 'object')) return undefined;
    const inner = isIndex ? elementAt(text, start, step) : memberAt(text, start, step);
    if (inner === undefined) return undefined;
    start = inner;
  }
  if (path.length === 0) return { kind: kindAt(text, start), start, end: text.length };
  const kind = kindAt(text, start);
  const end = valueEnd(text, start, kind);
  return kind === 'string' ? { kind, start: start + 1, end: end - 1 } : { kind, start, end };
}

/** Where the value of an object's first member of a name begins. */
function memberAt(text: string, start: number, name: string): number | undefined {
  let at = skipSpace(text, start + 1);
  while (text.charCodeAt(at) === 0x22) {
    const keyEnd = unlessBroken(() => stringEnd(text, at, BAD_JSON));
    if (keyEnd === undefined) return undefined;
    const key = unescapeJson(text.slice(at + 1, keyEnd - 1));
    at = skipSpace(text, keyEnd);
    if (text.charCodeAt(at) !== 0x3a) return undefined;
    const from = skipSpace(text, at + 1);
    if (from >= text.length) return undefined;
    if (key === name) return from;
    const end = unlessBroken(() => valueEnd(text, from, kindAt(text, from)));
    if (end === undefined) return undefined;
    at = skipSpace(text, end);
    if (text.charCodeAt(at) !== 0x2c) return undefined;
    at = skipSpace(text, at + 1);
  }
  return undefined;
}

/** Where an element of an array begins. */
function elementAt(text: string, start: number, index: number): number | undefined {
  let at = skipSpace(text, start + 1);
  for (let i = 0; at < text.length && text.charCodeAt(at) !== 0x5d; i++) {
    const from = at;
    if (i === index) return from;
    const end = unlessBroken(() => valueEnd(text, from, kindAt(text, from)));
    if (end === undefined) return undefined;
    at = skipSpace(text, end);
    if (text.charCodeAt(at) !== 0x2c) return undefined;
    at = skipSpace(text, at + 1);
  }
  return undefined;
}

function unlessBroken(scan: () => number): number | undefined {
  try {
    return scan();
  } catch (error) {
    if (error instanceof JsonScanError) return undefined;
    throw error;
  }
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
  const word = text.slice(at, end);
  // Of a number Loki looks at the first character only.
  const isKnown = kind === 'number' ? /^[-0-9]/.test(word) : word === 'true' || word === 'false' || word === 'null';
  if (!isKnown) throw new JsonScanError('Unknown value type');
  return end;
}

/** Behind the closing quote of the string whose opening one is at `at`. */
function stringEnd(text: string, at: number, reason = BAD_STRING): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
  throw new JsonScanError(reason);
}

/** Behind the bracket that closes the one at `at`; brackets of the other kind are not looked at. */
function blockEnd(text: string, at: number): number {
  const open = text.charCodeAt(at);
  const close = open + 2;
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      const end = unlessBroken(() => stringEnd(text, i));
      if (end === undefined) break;
      i = end - 1;
    } else if (code === open) {
      if (++depth > MAX_DEPTH) throw new JsonScanError(BAD_JSON);
    } else if (code === close && --depth === 0) return i + 1;
  }
  throw new JsonScanError(open === 0x5b ? BAD_ARRAY : BAD_OBJECT);
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
