import { OttlValueError } from '../ottl-error.ts';

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July'];
MONTHS.push('August', 'September', 'October', 'November', 'December');
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** What a directive reads of a text, gathered to make a time. */
interface Parts {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  afternoon: boolean | null;
  /** East of UTC. */
  offsetMinutes: number;
}

interface Directive {
  readonly pattern: string;
  readonly read: (parts: Parts, text: string) => void;
  readonly print: (date: Date, nanosecond: number) => string;
}

const padded = (value: number, width: number) => String(value).padStart(width, '0');
const short = (names: readonly string[]) => names.map((name) => name.slice(0, 3));
const offset = (separator: string): Directive => ({
  pattern: `Z|[-+]\\d{2}${separator}\\d{2}`,
  read: (parts, text) => {
    const [, sign, hours = '0', minutes = '0'] = /([-+])(\d{2}):?(\d{2})/.exec(text) ?? [];
    parts.offsetMinutes = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  },
  print: () => `+00${separator}00`,
});
const month = (names: readonly string[]): Directive => ({
  pattern: names.join('|'),
  read: (parts, text) => {
    parts.month = names.findIndex((name) => name.toLowerCase() === text.toLowerCase()) + 1;
  },
  print: (date) => names[date.getUTCMonth()] as string,
});
const weekday = (names: readonly string[]): Directive => ({
  pattern: names.join('|'),
  read: () => {},
  print: (date) => names[date.getUTCDay()] as string,
});
const fraction = (digits: number): Directive => ({
  pattern: `\\d{1,${digits}}`,
  read: (parts, text) => {
    parts.nanosecond = Number(text.padEnd(9, '0'));
  },
  print: (_, nanosecond) => padded(nanosecond, 9).slice(0, digits),
});
const number = (
  part: 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second',
  pattern: string,
  print: (date: Date) => string,
): Directive => ({
  pattern,
  read: (parts, text) => {
    parts[part] = Number(text.trim());
  },
  print,
});
const half: Directive = {
  pattern: '[AaPp][Mm]',
  read: (parts, text) => {
    parts.afternoon = text.toLowerCase() === 'pm';
  },
  print: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
};
const hour12 = (date: Date) => date.getUTCHours() % 12 || 12;

const DIRECTIVES: Readonly<Record<string, Directive>> = {
  Y: number('year', '\\d{4}', (date) => padded(date.getUTCFullYear(), 4)),
  y: {
    pattern: '\\d{2}',
    read: (parts, text) => {
      parts.year = Number(text) + (Number(text) < 69 ? 2000 : 1900);
    },
    print: (date) => padded(date.getUTCFullYear() % 100, 2),
  },
  m: number('month', '\\d{2}', (date) => padded(date.getUTCMonth() + 1, 2)),
  q: number('month', '\\d{1,2}', (date) => String(date.getUTCMonth() + 1)),
  b: month(short(MONTHS)),
  h: month(short(MONTHS)),
  B: month(MONTHS),
  d: number('day', '\\d{2}', (date) => padded(date.getUTCDate(), 2)),
  e: number('day', '[ \\d]?\\d', (date) => String(date.getUTCDate()).padStart(2, ' ')),
  g: number('day', '\\d{1,2}', (date) => String(date.getUTCDate())),
  a: weekday(short(DAYS)),
  A: weekday(DAYS),
  H: number('hour', '\\d{2}', (date) => padded(date.getUTCHours(), 2)),
  I: number('hour', '\\d{2}', (date) => padded(hour12(date), 2)),
  l: number('hour', '[ \\d]?\\d', (date) => String(hour12(date))),
  p: half,
  P: { ...half, print: (date, nanosecond) => half.print(date, nanosecond).toLowerCase() },
  M: number('minute', '\\d{2}', (date) => padded(date.getUTCMinutes(), 2)),
  S: number('second', '\\d{2}', (date) => padded(date.getUTCSeconds(), 2)),
  L: fraction(3),
  f: fraction(6),
  s: fraction(9),
  z: offset(''),
  j: offset(':'),
  Z: { pattern: 'UTC|GMT|Z', read: () => {}, print: () => 'UTC' },
};

/** Directives that stand for several. */
const COMPOSED: Readonly<Record<string, string>> = {
  F: '%Y-%m-%d',
  T: '%H:%M:%S',
  X: '%H:%M:%S',
  R: '%H:%M',
  D: '%m/%d/%y',
  x: '%m/%d/%y',
  r: '%I:%M:%S %p',
  c: '%a %b %d %H:%M:%S %Y',
  n: '\n',
  t: '\t',
};

/** A format of times with directives as ctime has them: `%Y-%m-%dT%H:%M:%S.%L%z`. Times are in UTC unless the text says otherwise. */
export class TimeFormat {
  readonly #parts: readonly (string | Directive)[];
  readonly #pattern: RegExp;

  /** Throws OttlValueError for a directive that is not known. */
  constructor(format: string) {
    const parts: (string | Directive)[] = [];
    for (const part of format
      .replace(/%([FTXRDxrcnt])/g, (_, name: string) => COMPOSED[name] ?? '')
      .match(/%.|[^%]+|%/gs) ?? []) {
      const directive = part.startsWith('%') ? part.slice(1) : null;
      if (directive === null || directive === '%') {
        parts.push(directive ?? part);
      } else if (Object.hasOwn(DIRECTIVES, directive)) {
        parts.push(DIRECTIVES[directive] as Directive);
      } else {
        const known = [...Object.keys(DIRECTIVES), ...Object.keys(COMPOSED)].map((name) => `%${name}`).join(' ');
        throw new OttlValueError(`%${directive} is not known here (known: ${known})`);
      }
    }
    this.#parts = parts;
    // Every directive has a fixed or short width and no pattern repeats: matching takes linear time.
    const source = parts.map((part) =>
      typeof part === 'string' ? part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&') : `(${part.pattern})`,
    );
    this.#pattern = new RegExp(`^${source.join('')}$`);
  }

  /** Nanoseconds since 1970. Throws OttlValueError when the text is not of this format. */
  parse(text: string): bigint {
    const match = text.length > 200 ? null : this.#pattern.exec(text);
    if (match === null) {
      throw new OttlValueError('a time that is not of its format');
    }
    const parts: Parts = {
      year: 1970,
      month: 1,
      day: 1,
      hour: 0,
      minute: 0,
      second: 0,
      nanosecond: 0,
      afternoon: null,
      offsetMinutes: 0,
    };
    this.#parts
      .filter((part) => typeof part !== 'string')
      .forEach((directive, i) => {
        directive.read(parts, match[i + 1] as string);
      });
    const { year, month: ofYear, day, hour, minute, second, afternoon } = parts;
    const hours = afternoon === null ? hour : (hour % 12) + (afternoon ? 12 : 0);
    const milliseconds = Date.UTC(year, ofYear - 1, day, hours, minute - parts.offsetMinutes, second);
    const date = new Date(Date.UTC(year, ofYear - 1, day));
    if (date.getUTCMonth() !== ofYear - 1 || date.getUTCDate() !== day || hours > 23 || minute > 59 || second > 60) {
      throw new OttlValueError('a time that no calendar has');
    }
    return BigInt(milliseconds) * 1_000_000n + BigInt(parts.nanosecond);
  }

  print(nanoseconds: bigint): string {
    const date = new Date(Number(nanoseconds / 1_000_000n));
    const nanosecond = Number(nanoseconds % 1_000_000_000n);
    return this.#parts.map((part) => (typeof part === 'string' ? part : part.print(date, nanosecond))).join('');
  }
}
