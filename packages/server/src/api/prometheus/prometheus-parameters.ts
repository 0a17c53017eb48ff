import { formatGoDuration, parsePromqlDuration, quoteGo } from '@signalbox/query-language';
import type { ParameterDescription } from './describe-route.ts';
import { invalidParameter, PrometheusError } from './prometheus-error.ts';

/** Milliseconds since 1970 that stand for "no beginning" and "no end": those that Prometheus takes, as they lie in a double. */
export const minTimeMs = -9_223_309_901_257_974_000;
export const maxTimeMs = 9_223_309_901_257_974_000;

/** How clients write these two (Go's `time.Time` of them as RFC 3339). */
const boundaries: Readonly<Record<string, number>> = {
  '-292273086-05-16T16:47:06Z': minTimeMs,
  '292277025-08-18T07:12:54.999999999Z': maxTimeMs,
};

/** As long as Go's durations can be, 64-bit numbers of nanoseconds. */
const maxDurationMs = 9_223_372_036_854;

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** What Go reads as a number, though it is too large for any time. */
const beyondDecimal = /^[+-]?(?:inf|infinity)$|^nan$/i;
const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** Milliseconds since 1970 of seconds (`1609746000.5`) or RFC 3339; undefined when it is neither. */
export function readTime(text: string): number | undefined {
  if (decimal.test(text)) {
    const seconds = Number(text);
    const whole = Math.trunc(seconds);
    return whole * 1000 + Math.round((seconds - whole) * 1000);
  }
  const match = rfc3339.exec(text);
  if (match === null) return boundaries[text];
  const [, second, fraction = '', zone] = match;
  const milliseconds = Date.parse(`${second}${zone}`);
  const written = Date.parse(`${second}Z`);
  // JavaScript takes the 30th of February for the 1st of March.
  if (Number.isNaN(milliseconds) || !new Date(written).toISOString().startsWith(second ?? '')) return undefined;
  return milliseconds + Math.floor(Number(fraction.padEnd(9, '0')) / 1e6);
}

/** Milliseconds of seconds (`15`, `0.5`) or a duration (`1h30m`). */
export function readDuration(text: string): number | undefined {
  if (!decimal.test(text)) return parsePromqlDuration(text);
  const milliseconds = Math.trunc(Number(text) * 1000);
  return Math.abs(milliseconds) > maxDurationMs ? undefined : milliseconds;
}

/** A whole number, or what Go's function of this name says of a text that is none. `ParseInt` is asked for 32 bits. */
export function readWhole(text: string, reader: 'Atoi' | 'ParseInt', describe: (problem: string) => Error): number {
  const isNumber = /^[+-]?\d+$/.test(text);
  const value = Number(text);
  if (isNumber && (reader === 'Atoi' ? Number.isSafeInteger(value) : value === (value | 0))) return value;
  throw describe(`strconv.${reader}: parsing ${quoteGo(text)}: ${isNumber ? 'value out of range' : 'invalid syntax'}`);
}

/** What Go takes for true and false, or what it says of a text that is neither. */
export function readBoolean(text: string, describe: (problem: string) => Error): boolean {
  if (['0', 'f', 'F', 'false', 'False', 'FALSE'].includes(text)) return false;
  if (['1', 't', 'T', 'true', 'True', 'TRUE'].includes(text)) return true;
  throw describe(`strconv.ParseBool: parsing ${quoteGo(text)}: invalid syntax`);
}

/** Parameters of a request to Prometheus's API. As there, unknown ones are ignored, and of several values the first counts. */
export class PrometheusParameters {
  readonly #values: URLSearchParams;
  readonly #names: ReadonlySet<string>;

  /** @param described of the route, which can read no others: what is said of it is true */
  constructor(values: URLSearchParams, described: readonly ParameterDescription[] = []) {
    this.#values = values;
    this.#names = new Set(described.map(({ name }) => name));
  }

  /** '' when it is absent. */
  text(name: string): string {
    return this.list(name)[0] ?? '';
  }

  list(name: string): string[] {
    if (!this.#names.has(name)) throw new TypeError(`a route reads the parameter ${name}, which it does not describe`);
    return this.#values.getAll(name);
  }

  /** Milliseconds since 1970. */
  time(name: string, whenAbsent: number): number {
    const text = this.text(name);
    if (text === '') return whenAbsent;
    const time = readTime(text);
    if (time === undefined) {
      throw invalidParameter(
        name,
        `invalid time value for '${name}': cannot parse ${quoteGo(text)} to a valid timestamp`,
      );
    }
    return time;
  }

  requiredTime(name: string): number {
    const text = this.text(name);
    const time = readTime(text);
    if (time === undefined) throw invalidParameter(name, `cannot parse ${quoteGo(text)} to a valid timestamp`);
    return time;
  }

  requiredDuration(name: string): number {
    const duration = this.duration(name);
    if (duration === undefined) throw invalidParameter(name, `cannot parse "" to a valid duration`);
    return duration;
  }

  /** Milliseconds; undefined when it is absent. */
  duration(name: string, describe = (problem: string): Error => invalidParameter(name, problem)): number | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    const duration = readDuration(text);
    if (duration === undefined) {
      const isNumber = decimal.test(text) || beyondDecimal.test(text);
      throw describe(`cannot parse ${quoteGo(text)} to a valid duration${isNumber ? '. It overflows int64' : ''}`);
    }
    return duration;
  }

  /** Milliseconds that a query may take; undefined when it is absent. */
  timeout(): number | undefined {
    const timeout = this.duration('timeout');
    if (timeout === undefined || timeout > 0) return timeout;
    throw invalidParameter('timeout', `timeout must be positive, got ${formatGoDuration(timeout * 1e6)}`);
  }

  /** 0: no limit. */
  limit(): number {
    const text = this.text('limit');
    if (text === '') return 0;
    const limit = readWhole(text, 'Atoi', (problem) => invalidParameter('limit', problem));
    if (limit < 0) throw invalidParameter('limit', 'limit must be non-negative');
    return limit;
  }

  /** A whole number that is -1 when it is absent: then there is no limit. */
  count(name: string): number {
    const text = this.text(name);
    if (text === '') return -1;
    if (!/^[+-]?\d{1,15}$/.test(text)) throw new PrometheusError('bad_data', `${name} must be a number`);
    return Number(text);
  }

  /** `start` and `end`, open on both sides when they are absent. */
  range(): { fromMs: number; toMs: number } {
    return { fromMs: this.time('start', minTimeMs), toMs: this.time('end', maxTimeMs) };
  }
}
