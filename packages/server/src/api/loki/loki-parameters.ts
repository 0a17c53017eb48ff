import { type LabelMatcher, parseLogql, parseLogqlMatchers, parsePromqlDuration } from '@signalbox/query-language';
import type { Direction } from '../../query/logql/log-source.ts';
import type { TimeRange } from '../../query/time-range.ts';
import { LokiError } from './loki-error.ts';

const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;
const hourNs = 3_600_000_000_000n;
const defaultLimit = 100;
/** Loki's own default. */
const maxEntries = 5_000;

/** Parameters of a request to Loki's API. As there, unknown ones are ignored, and of several values the first counts. */
export class LokiParameters {
  readonly #values: URLSearchParams;
  readonly #nowNs: bigint;

  constructor(values: URLSearchParams, nowMs: number) {
    this.#values = values;
    this.#nowNs = BigInt(nowMs) * 1_000_000n;
  }

  /** '' when it is absent. */
  text(name: string): string {
    return this.#values.get(name) ?? '';
  }

  list(name: string): string[] {
    return this.#values.getAll(name).filter((value) => value !== '');
  }

  /** A whole number that is greater than zero. */
  count(name: string, whenAbsent: number): number {
    const text = this.text(name);
    if (text === '') return whenAbsent;
    if (!/^[+-]?\d{1,15}$/.test(text)) {
      throw new LokiError(400, `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
    }
    const count = Number(text);
    if (count <= 0) throw new LokiError(400, `${name} must be a positive value`);
    return count;
  }

  /** Lines of an answer, or lines that are looked at for one. */
  limit(name = 'limit'): number {
    const limit = this.count(name, defaultLimit);
    if (limit > maxEntries) {
      throw new LokiError(
        400,
        `max entries limit per query exceeded, limit > max_entries_limit_per_query (${limit} > ${maxEntries})`,
      );
    }
    return limit;
  }

  direction(): Direction {
    const text = this.text('direction').toLowerCase();
    if (text === '' || text === 'backward') return 'backward';
    if (text === 'forward') return 'forward';
    throw new LokiError(400, `invalid direction '${this.text('direction')}'`);
  }

  /** Nanoseconds since 1970; now when it is absent. */
  time(name: string): bigint {
    return this.#time(name) ?? this.#nowNs;
  }

  #time(name: string): bigint | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    const time = readLokiTime(text);
    if (time === undefined)
      throw new LokiError(
        400,
        `could not parse '${name}' parameter: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
      );
    return time;
  }

  /** `start` and `end`, or `since` before the end. @param whenAbsentNs how long before the end it begins */
  range(whenAbsentNs = hourNs): { readonly startNs: bigint; readonly endNs: bigint } {
    const end = this.#time('end');
    const latest = end === undefined || end > this.#nowNs ? this.#nowNs : end;
    const since = this.text('since');
    let before = whenAbsentNs;
    if (since !== '') {
      const duration = parsePromqlDuration(since);
      if (duration === undefined)
        throw new LokiError(
          400,
          `could not parse 'since' parameter: not a valid duration string: ${JSON.stringify(since)}`,
        );
      before = BigInt(duration) * 1_000_000n;
    }
    const startNs = this.#time('start') ?? latest - before;
    const endNs = end ?? this.#nowNs;
    if (endNs < startNs) throw new LokiError(400, 'end timestamp must not be before or equal to start time');
    return { startNs, endNs };
  }

  /** The same as a time that lists look at: six hours unless it is said. */
  listRange(): TimeRange {
    const { startNs, endNs } = this.range(6n * hourNs);
    return { from: startNs, to: endNs + 1n };
  }

  /** Nanoseconds between evaluations. */
  step({ startNs, endNs }: { readonly startNs: bigint; readonly endNs: bigint }): bigint {
    const text = this.text('step');
    if (text === '') {
      const seconds = (endNs - startNs) / 250n / 1_000_000_000n;
      return (seconds < 1n ? 1n : seconds) * 1_000_000_000n;
    }
    const nanoseconds = nanosecondsOf(text);
    if (nanoseconds <= 0n) {
      throw new LokiError(
        400,
        'zero or negative query resolution step widths are not accepted. Try a positive integer',
      );
    }
    return nanoseconds;
  }

  /** Nanoseconds that lie at least between two lines of an answer. */
  interval(): bigint {
    const text = this.text('interval');
    const interval = text === '' ? 0n : nanosecondsOf(text);
    if (interval < 0n) throw new LokiError(400, 'interval must be >= 0');
    return interval;
  }

  /** The matchers of a selector; none when it is absent. Also of a whole query, whose stages do not matter then. */
  matchers(name: string): readonly LabelMatcher[] {
    const text = this.text(name).trim();
    return text === '' || text === '{}' ? [] : selectorOf(text);
  }
}

/** Of seconds, or of a duration such as `5m`. */
function nanosecondsOf(text: string): bigint {
  const milliseconds = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : parsePromqlDuration(text);
  const nanoseconds = milliseconds === undefined ? Number.NaN : Math.round(milliseconds * 1e6);
  if (!Number.isFinite(nanoseconds))
    throw new LokiError(400, `cannot parse ${JSON.stringify(text)} to a valid duration`);
  return BigInt(nanoseconds);
}

/** The matchers of a selector, or of a query of logs. Throws LogqlParseError. */
export function selectorOf(text: string): readonly LabelMatcher[] {
  if (/^\{[^}]*\}$/.test(text)) return parseLogqlMatchers(text);
  const expr = parseLogql(text);
  if (expr.kind !== 'log') throw new LokiError(400, 'only log selector is supported');
  return expr.matchers;
}

/** Nanoseconds since 1970 of a time as Loki reads it: nanoseconds, seconds when short or with a fraction, or RFC 3339. */
export function readLokiTime(text: string): bigint | undefined {
  if (/^\d+\.\d*$/.test(text)) {
    const [whole = '0', fraction = ''] = text.split('.');
    return BigInt(whole) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  }
  if (/^-?\d{1,19}$/.test(text)) return text.length <= 10 ? BigInt(text) * 1_000_000_000n : BigInt(text);
  const match = rfc3339.exec(text);
  if (!match) return undefined;
  const [, second, fraction = '', zone] = match;
  const milliseconds = Date.parse(`${second}${zone}`);
  return Number.isNaN(milliseconds) ? undefined : BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
