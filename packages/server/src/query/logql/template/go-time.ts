import { GoStruct, type GoValue } from '../../../go-template/go-values.ts';

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** The parts of Go's layouts, longest first where one begins another. */
const LAYOUT =
  /2006|January|Jan|Monday|Mon|MST|Z07:00|Z0700|Z07|-07:00|-0700|-07|[.,]0+(?!\d)|[.,]9+(?!\d)|002|01|02|03|04|05|06|15|_2|PM|pm|[1-5]/g;

/** Go's `time.Time`: an instant, in nanoseconds since 1970, as it is seen in a time zone. */
export class GoTime extends GoStruct {
  readonly typeName = 'time.Time';
  readonly fields: ReadonlyMap<string, GoValue> = new Map();
  readonly nanoseconds: bigint;
  readonly zone: string;
  override readonly methods: ReadonlyMap<string, (...args: GoValue[]) => GoValue>;

  constructor(nanoseconds: bigint, zone = 'UTC') {
    super();
    this.nanoseconds = nanoseconds;
    this.zone = zone;
    this.methods = new Map<string, (...args: GoValue[]) => GoValue>([
      ['Unix', () => floorDivide(nanoseconds, 1_000_000_000n)],
      ['UnixMilli', () => floorDivide(nanoseconds, 1_000_000n)],
      ['UnixNano', () => nanoseconds],
      ['UTC', () => new GoTime(nanoseconds)],
      ['Format', (layout) => this.format(String(layout))],
      ['Year', () => BigInt(this.#shifted().getUTCFullYear())],
      ['Month', () => MONTHS[this.#shifted().getUTCMonth()]],
      ['Day', () => BigInt(this.#shifted().getUTCDate())],
      ['Hour', () => BigInt(this.#shifted().getUTCHours())],
      ['Minute', () => BigInt(this.#shifted().getUTCMinutes())],
      ['Second', () => BigInt(this.#shifted().getUTCSeconds())],
      ['Nanosecond', () => this.#fraction()],
      ['Weekday', () => DAYS[this.#shifted().getUTCDay()]],
      ['String', () => String(this)],
    ]);
  }

  override toString(): string {
    return this.format('2006-01-02 15:04:05.999999999 -0700 MST');
  }

  /** Go's layouts name the moment Mon Jan 2 15:04:05 MST 2006 in the form that is wanted. */
  format(layout: string): string {
    const date = this.#shifted();
    const offset = offsetMinutes(this.zone, this.nanoseconds);
    const two = (value: number) => String(value).padStart(2, '0');
    const hours = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}`;
    const minutes = two(Math.abs(offset) % 60);
    const month = MONTHS[date.getUTCMonth()] as string;
    const day = DAYS[date.getUTCDay()] as string;
    const hour12 = date.getUTCHours() % 12 || 12;
    const isMorning = date.getUTCHours() < 12;
    const yearDay = Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
    const parts: Readonly<Record<string, string>> = {
      '2006': String(date.getUTCFullYear()).padStart(4, '0'),
      '06': two(date.getUTCFullYear() % 100),
      January: month,
      Jan: month.slice(0, 3),
      '01': two(date.getUTCMonth() + 1),
      '1': String(date.getUTCMonth() + 1),
      Monday: day,
      Mon: day.slice(0, 3),
      '002': String(yearDay).padStart(3, '0'),
      '02': two(date.getUTCDate()),
      _2: String(date.getUTCDate()).padStart(2),
      '2': String(date.getUTCDate()),
      '15': two(date.getUTCHours()),
      '03': two(hour12),
      '3': String(hour12),
      '04': two(date.getUTCMinutes()),
      '4': String(date.getUTCMinutes()),
      '05': two(date.getUTCSeconds()),
      '5': String(date.getUTCSeconds()),
      PM: isMorning ? 'AM' : 'PM',
      pm: isMorning ? 'am' : 'pm',
      MST: this.zone === 'UTC' ? 'UTC' : zoneName(this.zone, this.nanoseconds, offset),
      'Z07:00': offset === 0 ? 'Z' : `${hours}:${minutes}`,
      Z0700: offset === 0 ? 'Z' : `${hours}${minutes}`,
      Z07: offset === 0 ? 'Z' : hours,
      '-07:00': `${hours}:${minutes}`,
      '-0700': `${hours}${minutes}`,
      '-07': hours,
    };
    return layout.replace(LAYOUT, (part) => parts[part] ?? this.#fractionText(part));
  }

  #fraction(): bigint {
    return ((this.nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  }

  #fractionText(part: string): string {
    const digits = String(this.#fraction())
      .padStart(9, '0')
      .slice(0, part.length - 1);
    if (part[1] === '0') return part[0] + digits;
    const short = digits.replace(/0+$/, '');
    return short === '' ? '' : `${part[0]}${short}`;
  }

  /** A date whose UTC fields are those of the zone. */
  #shifted(): Date {
    const milliseconds = Number(floorDivide(this.nanoseconds, 1_000_000n));
    return new Date(milliseconds + offsetMinutes(this.zone, this.nanoseconds) * 60_000);
  }
}

function floorDivide(value: bigint, by: bigint): bigint {
  return value < 0n && value % by !== 0n ? value / by - 1n : value / by;
}

/** A zone that the system knows; undefined: it does not. */
export function knownZone(zone: string): string | undefined {
  if (zone === '' || zone === 'UTC') return 'UTC';
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return zone;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();
const MAX_FORMATS = 1000;

/** Minutes by which the clocks of a zone are ahead of UTC. */
function offsetMinutes(zone: string, nanoseconds: bigint): number {
  if (zone === 'UTC') return 0;
  const fixed = /^([+-])(\d\d):(\d\d)$/.exec(zone);
  if (fixed) return (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3]));
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
    if (formats.size < MAX_FORMATS) formats.set(zone, format);
  }
  const parts = format.formatToParts(new Date(Number(nanoseconds / 1_000_000n)));
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(name) ?? [];
  return sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** Each knows the abbreviations of the zones of its own speakers. */
const ENGLISH = ['en-US', 'en-GB', 'en-AU', 'en-NZ', 'en-IN', 'en-ZA', 'en-CA'];

/** The abbreviation of a zone at a time, `CEST`; the offset, as in Go, where there is none. */
function zoneName(zone: string, nanoseconds: bigint, offset: number): string {
  if (/^[+-]/.test(zone)) return zone.replace(':', '');
  const date = new Date(Number(floorDivide(nanoseconds, 1_000_000n)));
  for (const locale of ENGLISH) {
    const key = `${locale} ${zone}`;
    let format = formats.get(key);
    if (format === undefined) {
      format = new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: 'short' });
      if (formats.size < MAX_FORMATS) formats.set(key, format);
    }
    const name = format.formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    if (name !== '' && !/^(?:GMT|UTC)[+-]/.test(name)) return name;
  }
  const minutes = Math.abs(offset) % 60;
  const digits = String(Math.floor(Math.abs(offset) / 60)).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${digits}${minutes === 0 ? '' : String(minutes).padStart(2, '0')}`;
}

const PATTERNS: Readonly<Record<string, string>> = {
  '2006': '(?<year>\\d{4})',
  '06': '(?<shortYear>\\d{2})',
  January: '(?<month>[A-Za-z]+)',
  Jan: '(?<month>[A-Za-z]{3})',
  '01': '(?<monthNumber>\\d{2})',
  '1': '(?<monthNumber>\\d{1,2})',
  Monday: '[A-Za-z]+',
  Mon: '[A-Za-z]{3}',
  '002': '\\d{3}',
  '02': '(?<day>\\d{2})',
  _2: ' ?(?<day>\\d{1,2})',
  '2': '(?<day>\\d{1,2})',
  '15': '(?<hour>\\d{2})',
  '03': '(?<hour>\\d{2})',
  '3': '(?<hour>\\d{1,2})',
  '04': '(?<minute>\\d{2})',
  '4': '(?<minute>\\d{1,2})',
  '05': '(?<second>\\d{2})(?<fraction>[.,]\\d+)?',
  '5': '(?<second>\\d{1,2})(?<fraction>[.,]\\d+)?',
  PM: '(?<half>AM|PM)',
  pm: '(?<half>am|pm)',
  MST: '[A-Z]{3,4}',
  'Z07:00': '(?<offset>Z|[+-]\\d{2}:\\d{2})',
  Z0700: '(?<offset>Z|[+-]\\d{4})',
  Z07: '(?<offset>Z|[+-]\\d{2})',
  '-07:00': '(?<offset>[+-]\\d{2}:\\d{2})',
  '-0700': '(?<offset>[+-]\\d{4})',
  '-07': '(?<offset>[+-]\\d{2})',
};

/** Reads a time by Go's layout; undefined: it does not follow it. `zone` holds where the text names no offset. */
export function parseGoTime(layout: string, text: string, zone: string): GoTime | undefined {
  let source = '';
  let at = 0;
  for (const match of layout.matchAll(LAYOUT)) {
    source += escapeRegex(layout.slice(at, match.index));
    // A fraction is read with its seconds.
    source += PATTERNS[match[0]] ?? '';
    at = match.index + match[0].length;
  }
  source += escapeRegex(layout.slice(at));
  let groups: Record<string, string | undefined> | undefined;
  try {
    groups = new RegExp(`^${source}$`).exec(text)?.groups;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // A part stands twice in the layout.
    throw error;
  }
  if (groups === undefined) return undefined;
  const { year, shortYear, month, monthNumber, day = '1', hour = '0', minute = '0', second = '0', half } = groups;
  const monthIndex =
    month === undefined
      ? Number(monthNumber ?? 1) - 1
      : MONTHS.findIndex((name) => name.slice(0, month.length).toLowerCase() === month.toLowerCase());
  const short = Number(shortYear);
  const fullYear =
    year === undefined ? (shortYear === undefined ? 0 : short + (short >= 69 ? 1900 : 2000)) : Number(year);
  let hours = Number(hour);
  if (half !== undefined) hours = (hours % 12) + (half.toLowerCase() === 'pm' ? 12 : 0);
  const date = new Date(0);
  date.setUTCFullYear(fullYear, monthIndex, Number(day));
  date.setUTCHours(hours, Number(minute), Number(second));
  if (monthIndex < 0 || date.getUTCDate() !== Number(day) || hours > 23 || Number(minute) > 59) return undefined;
  const fraction = BigInt((groups.fraction ?? '.0').slice(1).slice(0, 9).padEnd(9, '0'));
  const local = BigInt(date.getTime()) * 1_000_000n + fraction;
  const { offset } = groups;
  if (offset !== undefined) {
    if (offset === 'Z') return new GoTime(local);
    const fixed = `${offset.slice(0, 3)}:${offset.slice(3).replace(':', '') || '00'}`;
    return new GoTime(local - BigInt(offsetMinutes(fixed, 0n)) * 60_000_000_000n, fixed);
  }
  // The offset is that of the instant, not of what its clock shows: near a change the first guess is beyond it.
  const minuteNs = 60_000_000_000n;
  const guess = local - BigInt(offsetMinutes(zone, local)) * minuteNs;
  return new GoTime(local - BigInt(offsetMinutes(zone, guess)) * minuteNs, zone);
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
