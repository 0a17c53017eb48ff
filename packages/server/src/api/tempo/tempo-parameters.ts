import { parseTraceql, parseTraceqlDuration, TraceqlError, type traceql } from '@signalbox/query-language';
import { QueryInputError } from '../../query/query-input-error.ts';
import { nanosPerMilli, nanosPerSecond, type TimeRange } from '../../query/time-range.ts';

const maxValueLength = 1 << 17;
/** Beyond every retention, and 64 bits of nanoseconds with room behind it. */
const latest = BigInt(Date.UTC(2200, 0, 1)) * nanosPerMilli;

/** Parameters of a request to Tempo's API. As there, unknown ones are ignored, and of several values the first counts. */
export class TempoParameters {
  readonly #values: URLSearchParams;
  readonly #nowMs: number;

  constructor(values: URLSearchParams, nowMs: number) {
    this.#values = values;
    this.#nowMs = nowMs;
  }

  /** '' when it is absent. */
  text(name: string): string {
    const text = this.#values.get(name) ?? '';
    if (text.length > maxValueLength) throw invalid(name, `${name} has more than ${maxValueLength} characters`);
    return text;
  }

  /** A whole number; beyond `most` it is cut. */
  integer(name: string, whenAbsent: number, most: number): number {
    const text = this.text(name);
    if (text === '') return whenAbsent;
    if (!/^\d{1,15}$/.test(text)) throw invalid(name, `invalid ${name}: must be a positive number`);
    return Math.min(Number(text), most);
  }

  query(name: string, whenEmpty: string): traceql.TraceqlQuery {
    return readQuery(name, this.text(name).trim() || whenEmpty);
  }

  /** Nanoseconds of a duration (`15s`) or of seconds (`0.5`); undefined when it is absent. */
  duration(name: string): bigint | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
    const nanoseconds = seconds === undefined ? parseTraceqlDuration(text) : BigInt(Math.round(seconds * 1e6)) * 1_000n;
    if (nanoseconds === undefined) throw invalid(name, `invalid ${name}: ${JSON.stringify(text)} is no duration`);
    return nanoseconds;
  }

  /** `start` and `end`; undefined when neither is given. The end alone is that of an hour (of `aloneNanos`), the start that of the time until now. */
  range(aloneNanos = hour): TimeRange | undefined {
    const start = this.#instant('start');
    const end = this.#instant('end');
    if (start === undefined && end === undefined) return undefined;
    const to = end ?? BigInt(this.#nowMs) * nanosPerMilli;
    const from = start ?? (to > aloneNanos ? to - aloneNanos : 0n);
    if (from > to) throw invalid('start', 'http parameter start must be before end');
    return { from, to };
  }

  /** The range; `since`, by default of that length, is how long before its end or now it begins where it does not say so. */
  rangeOr(lengthNanos: bigint): TimeRange {
    const since = this.duration('since') ?? lengthNanos;
    const now = BigInt(this.#nowMs) * nanosPerMilli;
    return this.range(since) ?? { from: now > since ? now - since : 0n, to: now };
  }

  /** Seconds, milli- or nanoseconds since 1970 by their size, with a fraction or without; or RFC 3339. */
  #instant(name: 'start' | 'end'): bigint | undefined {
    const text = this.text(name);
    if (text === '' || text === '0') return undefined;
    const [, whole = '', fraction = ''] = /^(\d{1,19})(?:\.(\d{1,9})\d*)?$/.exec(text) ?? [];
    let nanoseconds: bigint | undefined;
    if (whole !== '') {
      const number = BigInt(whole);
      if (number > 10n ** 15n) nanoseconds = number;
      else if (number > 10n ** 11n) nanoseconds = number * nanosPerMilli;
      else nanoseconds = number * nanosPerSecond + BigInt(fraction.padEnd(9, '0') || '0');
    } else {
      const milliseconds = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
      if (!Number.isNaN(milliseconds)) nanoseconds = BigInt(milliseconds) * nanosPerMilli;
    }
    if (nanoseconds === undefined || nanoseconds < 0n) {
      throw invalid(name, `invalid ${name}: must be a time in seconds or nanoseconds since 1970, or RFC 3339`);
    }
    return nanoseconds > latest ? latest : nanoseconds;
  }
}

const hour = 3_600n * nanosPerSecond;

export function invalid(parameter: string, message: string): QueryInputError {
  return new QueryInputError(message, { parameter });
}

/** A mistake of the query becomes an error that says where it stands. */
export function readQuery(parameter: string, text: string): traceql.TraceqlQuery {
  try {
    return parseTraceql(text);
  } catch (error) {
    if (!(error instanceof TraceqlError)) throw error;
    throw new QueryInputError(`invalid TraceQL query: ${error.message}`, { parameter, position: error.range });
  }
}

/** 32 hex digits of an id that may lack leading zeros, as Tempo shows them. */
export function readTraceId(text: string): string {
  if (!/^[0-9a-fA-F]{1,32}$/.test(text)) {
    throw invalid('traceID', 'trace IDs can only contain hex characters, and are no longer than 128 bits');
  }
  return text.toLowerCase().padStart(32, '0');
}
