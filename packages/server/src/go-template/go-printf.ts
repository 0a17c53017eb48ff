import { formatExponent, formatFixed, formatGeneral } from './format-float.ts';
import { type GoValue, goTypeName, printGo } from './go-values.ts';

/** Widths and precisions beyond this are taken for it: nobody pads a message to a megabyte. */
const MAX_WIDTH = 1000;

interface Verb {
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly letter: string;
}

/** Go's `fmt.Sprintf` (https://pkg.go.dev/fmt) for the values of templates; what does not fit is shown as Go shows it (`%!d(string=x)`). */
export function goPrintf(format: string, args: readonly GoValue[]): string {
  let next = 0;
  const text = format.replace(
    /%([-+# 0]*)(\d+|\*)?(?:\.(\d+|\*)?)?([\s\S])?/g,
    (whole: string, flags: string, width?: string, precision?: string, letter?: string) => {
      if (letter === undefined) return '%!(NOVERB)';
      if (letter === '%') return '%';
      const number = (given: string | undefined) => {
        if (given === '*') return clamp(Number(args[next++]));
        return given === undefined ? undefined : clamp(Number(given));
      };
      const hasPoint = whole.includes('.');
      const verb: Verb = {
        flags,
        width: number(width),
        precision: number(precision) ?? (hasPoint ? 0 : undefined),
        letter,
      };
      if (next >= args.length) return `%!${letter}(MISSING)`;
      return pad(formatValue(verb, args[next++]), verb);
    },
  );
  if (next >= args.length) return text;
  const extra = args.slice(next).map((value) => `${goTypeName(value)}=${printGo(value)}`);
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function formatValue(verb: Verb, value: GoValue): string {
  const { letter } = verb;
  if (letter === 'T') return goTypeName(value);
  if (value === undefined || value === null) return letter === 'v' ? '<nil>' : `%!${letter}(<nil>)`;
  const text =
    typeof value === 'number'
      ? formatFloat(verb, value)
      : typeof value === 'bigint'
        ? formatInteger(verb, value)
        : typeof value === 'boolean'
          ? letter === 't' || letter === 'v'
            ? String(value)
            : undefined
          : formatText(verb, printGo(value));
  return text ?? `%!${letter}(${goTypeName(value)}=${printGo(value)})`;
}

function formatFloat({ letter, flags, precision }: Verb, value: number): string | undefined {
  const signed = (text: string) => (/^[-+]/.test(text) ? text : sign(flags) + text);
  switch (letter) {
    case 'v':
    case 'g':
    case 'G':
      return upper(letter, signed(formatGeneral(value, precision)));
    case 'e':
    case 'E':
      return upper(letter, signed(formatExponent(value, precision ?? 6)));
    case 'f':
    case 'F':
      return signed(formatFixed(value, precision ?? 6));
    default:
      return undefined;
  }
}

function formatInteger({ letter, flags }: Verb, value: bigint): string | undefined {
  const prefix = value < 0n ? '-' : sign(flags);
  const magnitude = value < 0n ? -value : value;
  const radix = { d: 10, v: 10, b: 2, o: 8, x: 16, X: 16 }[letter];
  if (radix !== undefined) {
    const marker = flags.includes('#') && radix === 16 ? `0${letter}` : flags.includes('#') && radix === 8 ? '0' : '';
    return `${prefix}${marker}${upper(letter, magnitude.toString(radix))}`;
  }
  if (letter === 'c') return value >= 0n && value <= 0x10ffffn ? String.fromCodePoint(Number(value)) : '\ufffd';
  if (letter === 'U') return `U+${magnitude.toString(16).toUpperCase().padStart(4, '0')}`;
  if (letter === 'q') {
    const isCharacter = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn);
    return quote(isCharacter ? String.fromCodePoint(Number(value)) : '\ufffd', "'");
  }
  return undefined;
}

function formatText({ letter, precision }: Verb, text: string): string | undefined {
  const cut = precision === undefined ? text : [...text].slice(0, precision).join('');
  switch (letter) {
    case 's':
    case 'v':
      return cut;
    case 'q':
      return quote(cut, '"');
    case 'x':
    case 'X':
      return upper(letter, Buffer.from(cut).toString('hex'));
    default:
      return undefined;
  }
}

function sign(flags: string): string {
  return flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
}

function upper(letter: string, text: string): string {
  return letter >= 'A' && letter <= 'Z' ? text.toUpperCase() : text;
}

function pad(text: string, { flags, width, letter }: Verb): string {
  if (width === undefined) return text;
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  const [start = ''] = /^[-+ ]?/.exec(text) ?? [];
  if (flags.includes('0') && letter !== 's' && letter !== 'v' && /^[-+ ]?\d/.test(text)) {
    return start + '0'.repeat(missing) + text.slice(start.length);
  }
  return ' '.repeat(missing) + text;
}

function clamp(width: number): number {
  return Number.isFinite(width) ? Math.min(Math.max(Math.trunc(width), 0), MAX_WIDTH) : 0;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** A literal of Go: what can't be printed is escaped. */
function quote(text: string, mark: '"' | "'"): string {
  const body = text.replace(/[\\"']|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (character) => {
    if (character === '"' || character === "'") return character === mark ? `\\${character}` : character;
    if (character === '\\') return '\\\\';
    const code = character.codePointAt(0) as number;
    const hex = code.toString(16);
    if (code < 0x80) return ESCAPES[character] ?? `\\x${hex.padStart(2, '0')}`;
    return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
  });
  return `${mark}${body}${mark}`;
}
