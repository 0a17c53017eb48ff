import { durationOf, timeOf } from '../field.ts';
import { OttlValueError } from '../ottl-error.ts';
import { Duration, Time, type Value } from '../value.ts';
import { type CommonFunction, ofValue } from './function.ts';
import { TimeFormat } from './time-format.ts';

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** A duration as Go writes it: `1h30m`, `-1.5s`. Throws OttlValueError. */
function parseDuration(text: string): Duration {
  const [, sign, parts] = /^([-+]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text) ?? [];
  if (parts === undefined || text.length > 100) {
    throw new OttlValueError('a duration is written as in 1h30m, 250ms or 1.5s');
  }
  let nanoseconds = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of parts.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const size = UNITS[unit] ?? 0n;
    nanoseconds += BigInt(whole === '' ? '0' : whole) * size;
    nanoseconds += BigInt(Math.trunc(Number(`0.${fraction === '' ? '0' : fraction}`) * Number(size)));
  }
  return new Duration(sign === '-' ? -nanoseconds : nanoseconds);
}

const duration: CommonFunction = {
  parameters: ['duration'],
  compile: (args) => {
    const text = args.string('duration');
    return (cursor) => parseDuration(text(cursor));
  },
};

const now: CommonFunction = { parameters: [], compile: () => () => new Time(BigInt(Date.now()) * 1_000_000n) };

const time: CommonFunction = {
  parameters: ['time', 'format', 'location?'],
  compile: (args) => {
    const text = args.string('time');
    requireUtc(args.has('location') ? args.literal('location') : 'UTC', () => args.error('location', '"UTC"'));
    const format = args.check('format', () => new TimeFormat(args.literal('format')));
    return (cursor) => new Time(format.parse(text(cursor)));
  },
};

function requireUtc(location: string, error: () => Error): void {
  if (location !== 'UTC') {
    throw error();
  }
}

const formatTime: CommonFunction = {
  parameters: ['time', 'format'],
  compile: (args) => {
    const value = args.value('time');
    const format = args.check('format', () => new TimeFormat(args.literal('format')));
    return (cursor) => format.print(timeOf(value(cursor)));
  },
};

const truncateTime: CommonFunction = {
  parameters: ['time', 'duration'],
  compile: (args) => {
    const value = args.value('time');
    const step = args.value('duration');
    return (cursor) => {
      const nanoseconds = timeOf(value(cursor));
      const size = durationOf(step(cursor));
      return new Time(size <= 0n ? nanoseconds : nanoseconds - (nanoseconds % size));
    };
  },
};

function toUnix(unit: bigint): CommonFunction {
  return ofValue((value) => BigInt.asIntN(64, timeOf(value) / unit));
}

const unix: CommonFunction = {
  parameters: ['seconds', 'nanoseconds?'],
  compile: (args) => {
    const seconds = args.int('seconds');
    const nanoseconds = args.has('nanoseconds') ? args.int('nanoseconds') : () => 0n;
    return (cursor) => new Time(seconds(cursor) * 1_000_000_000n + nanoseconds(cursor));
  },
};

/** A duration as a number of units: of hours to seconds a double, of less an int. */
function durationIn(unit: bigint, asInt: boolean): CommonFunction {
  return ofValue((value): Value => {
    const nanoseconds = durationOf(value);
    return asInt ? nanoseconds / unit : Number(nanoseconds) / Number(unit);
  });
}

/** A part of a time in UTC. */
function timePart(part: (date: Date) => number): CommonFunction {
  return ofValue((value) => BigInt(part(new Date(Number(timeOf(value) / 1_000_000n)))));
}

export const TIME_CONVERTERS: readonly (readonly [string, CommonFunction])[] = [
  ['Now', now],
  ['Time', time],
  ['FormatTime', formatTime],
  ['Duration', duration],
  ['TruncateTime', truncateTime],
  ['Unix', unix],
  ['UnixSeconds', toUnix(1_000_000_000n)],
  ['UnixMilli', toUnix(1_000_000n)],
  ['UnixMicro', toUnix(1_000n)],
  ['UnixNano', toUnix(1n)],
  ['Hours', durationIn(3_600_000_000_000n, false)],
  ['Minutes', durationIn(60_000_000_000n, false)],
  ['Seconds', durationIn(1_000_000_000n, false)],
  ['Milliseconds', durationIn(1_000_000n, true)],
  ['Microseconds', durationIn(1_000n, true)],
  ['Nanoseconds', durationIn(1n, true)],
  ['Year', timePart((date) => date.getUTCFullYear())],
  ['Month', timePart((date) => date.getUTCMonth() + 1)],
  ['Day', timePart((date) => date.getUTCDate())],
  ['Hour', timePart((date) => date.getUTCHours())],
  ['Minute', timePart((date) => date.getUTCMinutes())],
  ['Second', timePart((date) => date.getUTCSeconds())],
  ['Weekday', timePart((date) => date.getUTCDay())],
];
