/**
 * Calls `onPair` for each pair of a line in logfmt, in order; a key alone has an empty value. What is malformed is skipped up to the
 * next space. Returns what is wrong with the first of it, in Loki's words; undefined: nothing.
 *
 * @param isStrict ends at the first mistake
 */
export function scanLogfmt(
  line: string,
  isStrict: boolean,
  onPair: (key: string, value: string) => void,
): string | undefined {
  let fault: string | undefined;
  let at = 0;
  const { length } = line;
  const byteAt = (index: number) => Buffer.byteLength(line.slice(0, index)) + 1;
  const isSpace = (index: number) => line.charCodeAt(index) <= 0x20;
  /** Notes a mistake and goes on behind it; false: that was all. */
  const recover = (reason: string): boolean => {
    fault ??= `logfmt syntax error at pos ${byteAt(at)} : ${reason}`;
    while (at < length && !isSpace(at)) at++;
    return !isStrict;
  };
  while (at < length) {
    if (isSpace(at)) {
      at++;
      continue;
    }
    const keyStart = at;
    while (at < length && !isSpace(at) && line[at] !== '=' && line[at] !== '"') at++;
    const key = line.slice(keyStart, at);
    if (line[at] === '"' || (line[at] === '=' && key === '')) {
      if (!recover(`unexpected '${line[at]}'`)) break;
      continue;
    }
    if (key.includes('\ufffd')) {
      if (!recover('invalid key')) break;
      continue;
    }
    if (line[at] !== '=') {
      onPair(key, '');
      continue;
    }
    at++;
    if (at >= length || isSpace(at)) {
      onPair(key, '');
      continue;
    }
    if (line[at] === '"') {
      const end = quotedEnd(line, at);
      if (end < 0) {
        at = length;
        fault ??= `logfmt syntax error at pos ${byteAt(at)} : unterminated quoted value`;
        break;
      }
      const value = unquoteLogfmt(line.slice(at + 1, end));
      if (value === undefined) {
        if (!recover('invalid quoted value')) break;
        at = Math.max(at, end + 1);
        continue;
      }
      at = end + 1;
      onPair(key, value);
      continue;
    }
    const valueStart = at;
    while (at < length && !isSpace(at) && line[at] !== '=' && line[at] !== '"') at++;
    if (at < length && !isSpace(at)) {
      if (!recover(`unexpected '${line[at]}'`)) break;
      continue;
    }
    onPair(key, cleaned(line.slice(valueStart, at)));
  }
  return fault;
}

function quotedEnd(line: string, start: number): number {
  for (let at = start + 1; at < line.length; at++) {
    if (line[at] === '\\') at++;
    else if (line[at] === '"') return at;
  }
  return -1;
}

const SIMPLE: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function unquoteLogfmt(content: string): string | undefined {
  if (!content.includes('\\')) return cleaned(content);
  let isValid = true;
  const text = content.replace(/\\(?:u([0-9a-fA-F]{4})|([\s\S]?))/g, (_, hex?: string, simple = '') => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (/["\\/']/.test(simple)) return simple;
    const character = SIMPLE[simple];
    if (character === undefined) isValid = false;
    return character ?? '';
  });
  return isValid ? cleaned(text) : undefined;
}

/** What is no character becomes a space. */
function cleaned(value: string): string {
  return value.includes('\ufffd') ? value.replaceAll('\ufffd', ' ') : value;
}
