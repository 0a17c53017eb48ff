import { ProtocolDecodeError } from '../protocol-decode-error.ts';

export type LabelPair = readonly [name: string, value: string];

/** As many as Loki's own limit would be if somebody raised it far. */
const MAX_LABELS = 128;

const NAME = /\s*(?:([a-zA-Z_:][\w:]*)|"((?:[^"\\\n]|\\.)*)")\s*=\s*"((?:[^"\\\n]|\\.)*)"\s*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/**
 * The labels of a stream as Loki writes them: `{job="shop", path="C:\\x"}`, values and quoted names as Go quotes strings.
 * Throws ProtocolDecodeError.
 */
export function parseLabels(text: string): LabelPair[] {
  const open = /^\s*\{/.exec(text);
  const close = /\}\s*$/.exec(text);
  if (open === null || close === null) throw malformed(text);
  const end = close.index;
  const pairs: LabelPair[] = [];
  let position = open[0].length;
  while (position < end) {
    NAME.lastIndex = position;
    const match = NAME.exec(text);
    if (match === null || NAME.lastIndex > end) {
      if (pairs.length === 0 && text.slice(position, end).trim() === '') break;
      throw malformed(text);
    }
    pairs.push([match[1] ?? unquote(match[2] ?? ''), unquote(match[3] ?? '')]);
    if (pairs.length > MAX_LABELS) {
      throw new ProtocolDecodeError(`stream '${shortened(text)}' has more than ${MAX_LABELS} labels`);
    }
    position = NAME.lastIndex;
    if (position < end) {
      if (text[position] !== ',') throw malformed(text);
      position++;
    }
  }
  return pairs;
}

function malformed(text: string): ProtocolDecodeError {
  return new ProtocolDecodeError(`error parsing labels '${shortened(text)}'`);
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Undoes Go's quoting (Go specification, "String literals"). */
function unquote(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/g,
    (_, hex?: string, short?: string, long?: string, octal?: string, letter?: string) => {
      if (letter !== undefined) return ESCAPES[letter] ?? letter;
      const code = octal === undefined ? Number.parseInt(hex ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8);
      return code <= 0x10_ffff ? String.fromCodePoint(code) : '\ufffd';
    },
  );
}
