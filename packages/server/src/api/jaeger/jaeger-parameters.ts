import { parseTraceqlDuration } from '@signalbox/query-language';
import type { JaegerSearch } from '../../query/jaeger/find-traces.ts';
import { QueryInputError } from '../../query/query-input-error.ts';
import { nanosPerMilli } from '../../query/time-range.ts';

const maxValueLength = 8_192;
const maxTraces = 1_500;
const lookbacks: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

export function invalid(parameter: string, reason: string): QueryInputError {
  return new QueryInputError(`malformed parameter ${parameter}: ${reason}`, { parameter });
}

export function required(parameter: string): QueryInputError {
  return new QueryInputError(`parameter '${parameter}' is required`, { parameter });
}

function unreadable(parameter: string, parser: string, text: string): QueryInputError {
  const reason = `strconv.${parser}: parsing ${JSON.stringify(text)}: invalid syntax`;
  return new QueryInputError(`unable to parse param '${parameter}': ${reason}`, { parameter });
}

/** undefined: neither true nor false. */
function readFlag(text: string): boolean | undefined {
  if (!/^(?:|[01tf]|true|false|True|False|TRUE|FALSE|T|F)$/.test(text)) return undefined;
  return /^[1tT]/.test(text);
}

/** Parameters of a request to Jaeger's APIs; of several names for the same, the first that is given counts. */
export class JaegerParameters {
  readonly #values: URLSearchParams;
  readonly #nowMs: number;

  constructor(values: URLSearchParams, nowMs: number) {
    this.#values = values;
    this.#nowMs = nowMs;
  }

  /** '' when none is given. */
  text(...names: readonly string[]): string {
    return this.#named(names).text;
  }

  /** The parameter under the name that it has in the request, which mistakes are told with. */
  #named(names: readonly string[]): { name: string; text: string } {
    const name = names.find((candidate) => (this.#values.get(candidate) ?? '') !== '') ?? names[0] ?? '';
    const text = this.#values.get(name) ?? '';
    if (text.length > maxValueLength) throw invalid(name, `longer than ${maxValueLength} characters`);
    return { name, text };
  }

  list(name: string): string[] {
    return this.#values.getAll(name);
  }

  /** false when it is not given. */
  flag(...names: readonly string[]): boolean {
    const { name, text } = this.#named(names);
    const flag = readFlag(text);
    if (flag === undefined) throw invalid(name, 'neither true nor false');
    return flag;
  }

  /** The same of the v1 API, in its words. */
  flagV1(name: string): boolean {
    const text = this.text(name);
    const flag = readFlag(text);
    if (flag === undefined) throw unreadable(name, 'ParseBool', text);
    return flag;
  }

  /** Of the v1 API, in its words. */
  integer(name: string): number | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    if (!/^-?\d{1,17}$/.test(text)) throw unreadable(name, 'ParseInt', text);
    return Number(text);
  }

  /** Nanoseconds. */
  duration(...names: readonly string[]): bigint | undefined {
    const { name, text } = this.#named(names);
    if (text === '') return undefined;
    const duration = parseTraceqlDuration(text);
    if (duration === undefined) throw invalid(name, `${JSON.stringify(text)} is no duration such as 1.5ms`);
    return duration;
  }

  /** Nanoseconds since 1970 of RFC 3339. */
  instant(...names: readonly string[]): bigint | undefined {
    const { name, text } = this.#named(names);
    if (text === '') return undefined;
    const [, second = '', fraction = '', zone = ''] =
      /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
    const milliseconds = Date.parse(`${second}${zone}`);
    if (second === '' || Number.isNaN(milliseconds)) throw invalid(name, 'not a time in RFC 3339');
    return BigInt(milliseconds) * nanosPerMilli + BigInt(fraction.padEnd(9, '0'));
  }

  /** Of the v1 API: times in microseconds; without them the last two days, or `lookback`. */
  searchV1(): JaegerSearch {
    const end = this.integer('end') ?? this.#nowMs * 1_000;
    const start = this.integer('start') ?? end - this.#lookback() * 1_000;
    if (start > end) throw invalid('start', 'after the end');
    return {
      service: this.text('service') || undefined,
      operation: this.text('operation') || undefined,
      tags: this.#tags(),
      // The end is inclusive, to the microsecond.
      range: { from: BigInt(start) * 1_000n, to: BigInt(end) * 1_000n + 1_000n },
      minDuration: this.duration('minDuration'),
      maxDuration: this.duration('maxDuration'),
      limit: limitOf(this.integer('limit') ?? 20),
    };
  }

  #lookback(): number {
    const [, count = '', unit = ''] = /^(\d{1,6})([mhdw])$/.exec(this.text('lookback')) ?? [];
    return count === '' ? 2 * 86_400_000 : Number(count) * (lookbacks[unit] ?? 0);
  }

  /** `tags={"a":"b"}` and `tag=a:b`. */
  #tags(): ReadonlyMap<string, string> {
    const tags = new Map<string, string>();
    for (const text of this.list('tags')) if (text !== '') addTags(tags, 'tags', text);
    for (const pair of this.list('tag')) {
      const at = pair.indexOf(':');
      if (at < 1) throw invalid('tag', 'expecting key:value');
      tags.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return tags;
  }

  /** Of api_v3. */
  searchV3(): JaegerSearch {
    if (this.text('query.filter') !== '')
      throw invalid('query.filter', 'filters are not supported here: use query.attributes');
    this.flag('query.rawTraces', 'query.raw_traces');
    const tags = new Map<string, string>();
    const attributes = this.text('query.attributes');
    if (attributes !== '') addTags(tags, 'query.attributes', attributes);
    const { name, text: depth } = this.#named(['query.searchDepth', 'query.search_depth', 'query.num_traces']);
    if (!/^\d{0,9}$/.test(depth)) throw invalid(name, 'not a whole number');
    return searchOfV3({
      service: this.text('query.serviceName', 'query.service_name'),
      operation: this.text('query.operationName', 'query.operation_name'),
      tags,
      from: this.instant('query.startTimeMin', 'query.start_time_min'),
      to: this.instant('query.startTimeMax', 'query.start_time_max'),
      minDuration: this.duration('query.durationMin', 'query.duration_min'),
      maxDuration: this.duration('query.durationMax', 'query.duration_max'),
      depth: depth === '' ? undefined : Number(depth),
    });
  }
}

/** `TraceQueryParameters` of api_v3, as HTTP and gRPC have it; undefined and '': not given. */
export interface V3Query {
  readonly service: string;
  readonly operation: string;
  readonly tags: ReadonlyMap<string, string>;
  readonly from: bigint | undefined;
  readonly to: bigint | undefined;
  readonly minDuration: bigint | undefined;
  readonly maxDuration: bigint | undefined;
  readonly depth: number | undefined;
}

/** The times are required. */
export function searchOfV3({ service, operation, from, to, depth = 100, ...query }: V3Query): JaegerSearch {
  const parameter = 'query.startTimeMin';
  if (from === undefined || to === undefined)
    throw new QueryInputError('query.startTimeMin and query.startTimeMax are required', { parameter });
  if (from >= to) throw new QueryInputError('query.startTimeMin must be before query.startTimeMax', { parameter });
  return {
    ...query,
    service: service || undefined,
    operation: operation || undefined,
    range: { from, to: to + 1n },
    limit: limitOf(depth),
  };
}

/** Milliseconds since 1970 of api_v3's range of dependencies, which is required. @param from nanoseconds since 1970 */
export function dependencyRange(from: bigint | undefined, to: bigint | undefined): [fromMs: number, toMs: number] {
  const parameter = 'startTime';
  if (from === undefined || to === undefined)
    throw new QueryInputError('startTime and endTime are required', { parameter });
  if (from > to) throw new QueryInputError('startTime must not be after endTime', { parameter });
  return [Number(from / nanosPerMilli), Number(to / nanosPerMilli)];
}

function limitOf(limit: number): number {
  if (limit < 1) throw invalid('limit', 'must be greater than 0');
  return Math.min(limit, maxTraces);
}

function addTags(tags: Map<string, string>, parameter: string, text: string): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw invalid(parameter, 'not a JSON object of texts');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw invalid(parameter, 'not a JSON object of texts');
  for (const [key, value] of Object.entries(parsed)) {
    if (typeof value === 'object') throw invalid(parameter, `the value of ${JSON.stringify(key)} is no text`);
    tags.set(key, String(value));
  }
}

/** 32 hex digits of a trace id in hex, leading zeros or not, or base64 of 16 or 8 bytes. */
export function readTraceId(text: string, parameter: string): string {
  if (/^[0-9a-fA-F]{1,32}$/.test(text)) return text.toLowerCase().padStart(32, '0');
  const isBase64 = /^(?:[A-Za-z0-9+/_-]{22}(?:==)?|[A-Za-z0-9+/_-]{11}=?)$/.test(text);
  if (!isBase64) throw invalid(parameter, 'not a trace id in hex or base64');
  return Buffer.from(text, 'base64').toString('hex').padStart(32, '0');
}
