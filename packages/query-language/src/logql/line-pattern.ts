/** Literals and captures of a pattern, in turn. `<_>` captures without a name. */
export type LinePattern = readonly (
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'capture'; readonly name: string | undefined }
)[];

const CAPTURE = /<([A-Za-z_][A-Za-z0-9_]*)>/g;

/** Parses the pattern of `| pattern`. Throws an Error in Loki's words: a pattern names at least one capture, each once. */
export function parseLinePattern(text: string): LinePattern {
  const parts = split(text);
  const names = parts.flatMap((part) => (part.kind === 'capture' && part.name !== undefined ? [part.name] : []));
  if (parts.length === 0) throw new Error('syntax error: unexpected $end, expecting IDENTIFIER or LITERAL');
  if (names.length === 0) throw new Error('at least one capture is required');
  checkNeighbours(parts);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`duplicate capture name (${twice}): invalid expression`);
  return parts;
}

/** Parses the pattern of `|>` and `!>`, whose captures have no names. The empty pattern matches the empty line. */
export function parsePatternFilter(text: string): LinePattern {
  const parts = split(text);
  checkNeighbours(parts);
  for (const part of parts) {
    if (part.kind === 'capture' && part.name !== undefined) {
      throw new Error(`named captures are not allowed: found '<${part.name}>'`);
    }
  }
  return parts;
}

function split(text: string): LinePattern {
  const parts: LinePattern[number][] = [];
  let at = 0;
  for (const match of text.matchAll(CAPTURE)) {
    if (match.index > at) parts.push({ kind: 'literal', text: text.slice(at, match.index) });
    parts.push({ kind: 'capture', name: match[1] === '_' ? undefined : match[1] });
    at = match.index + match[0].length;
  }
  if (at < text.length) parts.push({ kind: 'literal', text: text.slice(at) });
  return parts;
}

function checkNeighbours(parts: LinePattern): void {
  for (const [index, part] of parts.entries()) {
    const next = parts[index + 1];
    if (part.kind === 'capture' && next?.kind === 'capture') {
      throw new Error(`found consecutive capture '<${part.name ?? '_'}><${next.name ?? '_'}>': invalid expression`);
    }
  }
}

/** The named captures of a line, as far as it follows the pattern. */
export function capturesOf(pattern: LinePattern, line: string): [name: string, value: string][] {
  const captures: [string, string][] = [];
  if (line === '') return captures;
  let at = 0;
  let index = 0;
  const [first] = pattern;
  if (first?.kind === 'literal') {
    if (!line.startsWith(first.text)) return captures;
    at = first.text.length;
    index = 1;
  }
  for (; index < pattern.length; index += 2) {
    const capture = pattern[index];
    const literal = pattern[index + 1];
    const found = literal?.kind === 'literal' ? line.indexOf(literal.text, at) : -1;
    if (capture?.kind === 'capture' && capture.name !== undefined) {
      captures.push([capture.name, found < 0 ? line.slice(at) : line.slice(at, found)]);
    }
    // What follows a literal that is not there has been captured already.
    if (found < 0 || literal?.kind !== 'literal') break;
    at = found + literal.text.length;
  }
  return captures;
}

/** Whether a whole line follows the pattern; no capture may be empty. */
export function matchesPattern(pattern: LinePattern, line: string): boolean {
  if (line === '' || pattern.length === 0) return line === '' && pattern.length === 0;
  let at = 0;
  for (const [index, part] of pattern.entries()) {
    if (part.kind !== 'literal') continue;
    const found = line.indexOf(part.text, at);
    if (found < 0 || (index > 0 && found === at)) return false;
    at = found + part.text.length;
  }
  return (pattern.at(-1)?.kind === 'capture') === (at !== line.length);
}
