/** The text of a Go string literal, interpreted ("…") or raw (`…`); undefined: not one. */
export function parseString(literal: string): string | undefined {
  if (literal.startsWith('`')) return literal.slice(1, -1).replaceAll('\r', '');
  return unescapeGo(literal.slice(1, -1), '"');
}

/** The code point of a Go character literal ('a'), which is an integer. */
export function parseCharacter(literal: string): bigint | undefined {
  const text = unescapeGo(literal.slice(1, -1), "'");
  const points = text === undefined ? [] : [...text];
  const [point] = points;
  return point !== undefined && points.length === 1 ? BigInt(point.codePointAt(0) ?? 0) : undefined;
}

/** A Go number: an integer (`bigint`) unless it has a point or an exponent (`number`). */
export function parseNumber(literal: string): number | bigint | undefined {
  const text = literal.replaceAll('_', '');
  if (/^[+-]?(?:0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9]\d*)$/.test(text)) {
    const digits = text.replace(/^[+-]/, '');
    const magnitude = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
    return text.startsWith('-') ? -magnitude : magnitude;
  }
  return /^[+-]?(?:(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)$/.test(text) ? Number(text) : undefined;
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

function unescapeGo(text: string, quote: string): string | undefined {
  let isValid = true;
  const unescaped = text.replace(
    /\\(?:([abfnrtv\\'"])|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|[\s\S]?)/g,
    (_, simple?: string, hex?: string, short?: string, long?: string, octal?: string) => {
      if (simple === '"' || simple === "'") {
        isValid &&= simple === quote;
        return simple;
      }
      if (simple !== undefined) return SIMPLE_ESCAPES[simple] as string;
      const code = Number.parseInt(hex ?? short ?? long ?? octal ?? '', octal === undefined ? 16 : 8);
      if (Number.isNaN(code) || code > 0x10ffff) {
        isValid = false;
        return '';
      }
      return String.fromCodePoint(code);
    },
  );
  return isValid ? unescaped : undefined;
}
