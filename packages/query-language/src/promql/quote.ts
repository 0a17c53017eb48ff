const SIMPLE: Readonly<Record<string, string>> = {
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

/** The text of a literal in double, single or back quotes, whose escapes the lexer has checked. */
export function unquote(literal: string): string {
  const quote = literal[0];
  const body = literal.slice(1, -1);
  if (quote === '`' || !body.includes('\\')) return body;
  // Escaped bytes may be parts of one UTF-8 sequence, so they are put together as bytes.
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  const escapes = /\\(?:([abfnrtv\\'"])|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3}))/g;
  let at = 0;
  for (const match of body.matchAll(escapes)) {
    parts.push(encoder.encode(body.slice(at, match.index)));
    const [, simple, byte, short, long, octal] = match;
    if (simple !== undefined) parts.push(encoder.encode(SIMPLE[simple]));
    else if (byte !== undefined) parts.push(Uint8Array.of(Number.parseInt(byte, 16)));
    else if (octal !== undefined) parts.push(Uint8Array.of(Number.parseInt(octal, 8)));
    else parts.push(encoder.encode(String.fromCodePoint(Number.parseInt(short ?? (long as string), 16))));
    at = match.index + match[0].length;
  }
  parts.push(encoder.encode(body.slice(at)));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return decodeLossless(bytes);
  }
}

/** A byte that is no part of UTF-8 becomes a lone surrogate, U+DC00 and the byte: it stays what it was, and is no text. */
function decodeLossless(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    let length = 4;
    for (; length > 0; length--) {
      try {
        text += decoder.decode(bytes.subarray(at, at + length));
        break;
      } catch {
        // not so many bytes at once
      }
    }
    if (length === 0) text += String.fromCharCode(0xdc00 + (bytes[at] as number));
    at += Math.max(length, 1);
  }
  return text;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

/** A text as Go's `strconv.Quote` writes it, in double quotes. */
export function quoteGo(text: string): string {
  return `"${escapeGo(text, '"')}"`;
}

/** A character as Go's `%q` writes it, in single quotes. */
export function quoteCharacter(character: string): string {
  return `'${escapeGo(character, "'")}'`;
}

function escapeGo(text: string, quote: string): string {
  let escaped = '';
  for (const character of text) {
    if (character === quote) escaped += `\\${quote}`;
    else if (ESCAPES[character] !== undefined) escaped += ESCAPES[character];
    else if (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)) escaped += character;
    else {
      const code = character.codePointAt(0) as number;
      if (code >= 0xdc80 && code <= 0xdcff) escaped += `\\x${(code - 0xdc00).toString(16)}`;
      else if (code < 0x80) escaped += `\\x${code.toString(16).padStart(2, '0')}`;
      else if (code < 0x10000) escaped += `\\u${code.toString(16).padStart(4, '0')}`;
      else escaped += `\\U${code.toString(16).padStart(8, '0')}`;
    }
  }
  return escaped;
}
