import { formatFixed, formatShortest } from '../../go-template/format-float.ts';
import { GoStruct, type GoValue } from '../../go-template/go-values.ts';
import { TemplateError } from '../../go-template/template-error.ts';
import { goTime } from './humanize.ts';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** What `toTime` gives: Go's `time.Time` in UTC, with the methods that read it. */
export class TemplateTime extends GoStruct {
  readonly typeName = '*time.Time';
  readonly fields: ReadonlyMap<string, GoValue> = new Map();
  override readonly methods: ReadonlyMap<string, (...args: GoValue[]) => GoValue>;
  readonly #timeMs: number;

  constructor(timeMs: number) {
    super();
    this.#timeMs = timeMs;
    const date = new Date(timeMs);
    if (Number.isNaN(date.getTime())) throw new TemplateError('value cannot be represented as a time');
    this.methods = new Map<string, (...args: GoValue[]) => GoValue>([
      ['UTC', () => this],
      [
        'Add',
        (duration) => {
          if (!(duration instanceof TemplateDuration)) throw new TemplateError('Add takes a duration: use toDuration');
          return new TemplateTime(timeMs + duration.seconds * 1000);
        },
      ],
      ['Unix', () => BigInt(Math.floor(timeMs / 1000))],
      ['UnixMilli', () => BigInt(timeMs)],
      ['Year', () => BigInt(date.getUTCFullYear())],
      ['Month', () => MONTHS[date.getUTCMonth()]],
      ['Day', () => BigInt(date.getUTCDate())],
      ['Hour', () => BigInt(date.getUTCHours())],
      ['Minute', () => BigInt(date.getUTCMinutes())],
      ['Second', () => BigInt(date.getUTCSeconds())],
      ['Weekday', () => DAYS[date.getUTCDay()]],
      ['Format', (layout) => formatTime(date, String(layout))],
      ['String', () => String(this)],
    ]);
  }

  override toString(): string {
    return goTime(this.#timeMs);
  }
}

/** What `toDuration` gives: Go's `time.Duration`. */
export class TemplateDuration extends GoStruct {
  readonly typeName = '*time.Duration';
  readonly fields: ReadonlyMap<string, GoValue> = new Map();
  override readonly methods: ReadonlyMap<string, (...args: GoValue[]) => GoValue>;
  readonly seconds: number;

  constructor(seconds: number) {
    super();
    this.seconds = seconds;
    this.methods = new Map<string, (...args: GoValue[]) => GoValue>([
      ['Seconds', () => seconds],
      ['Minutes', () => seconds / 60],
      ['Hours', () => seconds / 3600],
      ['Milliseconds', () => BigInt(Math.trunc(seconds * 1000))],
      ['String', () => String(this)],
    ]);
  }

  /** `1h2m3.5s`, `1.5ms`. */
  override toString(): string {
    const magnitude = Math.abs(this.seconds);
    const sign = this.seconds < 0 ? '-' : '';
    if (magnitude === 0) return '0s';
    if (magnitude < 1e-6) return `${sign}${formatShortest(Math.trunc(magnitude * 1e9))}ns`;
    if (magnitude < 1e-3) return `${sign}${formatShortest(Math.trunc(magnitude * 1e9) / 1e3)}µs`;
    if (magnitude < 1) return `${sign}${formatShortest(Math.trunc(magnitude * 1e9) / 1e6)}ms`;
    const minutes = Math.floor(magnitude / 60);
    const rest = formatFixed(magnitude - minutes * 60, 9).replace(/\.?0+$/, '') || '0';
    const hours = Math.floor(minutes / 60);
    return `${sign}${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes % 60}m` : ''}${rest}s`;
  }
}

/** Go's layouts name the moment Mon Jan 2 15:04:05 MST 2006 in the form that is wanted. */
function formatTime(date: Date, layout: string): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const hour12 = date.getUTCHours() % 12 || 12;
  const month = MONTHS[date.getUTCMonth()] as string;
  const day = DAYS[date.getUTCDay()] as string;
  const parts: Readonly<Record<string, string>> = {
    '2006': String(date.getUTCFullYear()).padStart(4, '0'),
    '06': two(date.getUTCFullYear() % 100),
    January: month,
    Jan: month.slice(0, 3),
    '01': two(date.getUTCMonth() + 1),
    '1': String(date.getUTCMonth() + 1),
    Monday: day,
    Mon: day.slice(0, 3),
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
    PM: date.getUTCHours() < 12 ? 'AM' : 'PM',
    pm: date.getUTCHours() < 12 ? 'am' : 'pm',
    MST: 'UTC',
    'Z07:00': 'Z',
    Z0700: 'Z',
    '-07:00': '+00:00',
    '-0700': '+0000',
    '-07': '+00',
  };
  return layout.replace(
    /2006|January|Jan|Monday|Mon|MST|Z07:00|Z0700|-07:00|-0700|-07|[.,]0+(?!\d)|[.,]9+(?!\d)|01|02|03|04|05|06|15|_2|PM|pm|[1-5]/g,
    (part) => parts[part] ?? fractionOf(date, part),
  );
}

function fractionOf(date: Date, part: string): string {
  const digits = String(date.getUTCMilliseconds())
    .padStart(3, '0')
    .padEnd(9, '0')
    .slice(0, part.length - 1);
  if (part[1] === '0') return part[0] + digits;
  const short = digits.replace(/0+$/, '');
  return short === '' ? '' : `${part[0]}${short}`;
}
