import { ProtocolDecodeError } from '../protocol-decode-error.ts';

/** `c` counter, `g` gauge, `ms` timing, `h` histogram, `d` distribution. */
export type StatsdType = 'c' | 'g' | 'ms' | 'h' | 'd';

export interface StatsdSample {
  readonly name: string;
  readonly type: StatsdType;
  readonly value: number;
  /** The value has a sign: that of a gauge is added to the one before. */
  readonly relative: boolean;
  /** Above 0 up to 1; the value stands for one over it. */
  readonly sampleRate: number;
  /** DogStatsD's `T`, seconds since 1970. */
  readonly timeSeconds: number | null;
  /** Tags and, as `container.id`, DogStatsD's container; sorted by key, of the same keys the last. */
  readonly attributes: readonly (readonly [key: string, value: string])[];
}

const TYPES: ReadonlySet<string> = new Set<StatsdType>(['c', 'g', 'ms', 'h', 'd']);
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const NOT_FINITE = /^[+-]?(?:nan|inf|infinity)$/i;
/** Beyond year 5000 nothing is told of. */
const SECONDS = /^\d{1,11}$/;
/** What a value stands for is counted, and counts are exact up to here. */
const MAX_WEIGHT = Number.MAX_SAFE_INTEGER;

/**
 * Parses `name:value|type|@rate|#tag:value,…` with what DogStatsD adds (`c:` container, `T` time), as the Collector's receiver does. Throws
 * ProtocolDecodeError; its message has nothing of the line that could be secret or long.
 *
 * @param simpleTags whether tags may have no value
 */
export function parseStatsdLine(line: string, simpleTags: boolean): StatsdSample {
  const bar = line.indexOf('|');
  if (bar < 0) throw new ProtocolDecodeError('there is no type');
  const colon = line.indexOf(':');
  if (colon < 0 || colon > bar) throw new ProtocolDecodeError('there is no value');
  const name = line.slice(0, colon);
  if (name === '') throw new ProtocolDecodeError('there is no name');
  const valueText = line.slice(colon + 1, bar);
  const [type = '', ...parts] = line.slice(bar + 1).split('|');
  if (!isType(type)) throw new ProtocolDecodeError('the type is none of c, g, ms, h, d');

  let sampleRate = 1;
  let timeSeconds: number | null = null;
  const attributes: [string, string][] = [];
  for (const part of parts) {
    // What comes after an empty part is not looked at, as in the Collector.
    if (part === '') break;
    if (part.startsWith('@')) {
      sampleRate = rateOf(part.slice(1));
    } else if (part.startsWith('#')) {
      addTags(attributes, part.slice(1), simpleTags);
    } else if (part.startsWith('c:')) {
      if (part.length > 2) attributes.push(['container.id', part.slice(2)]);
    } else if (part.startsWith('T')) {
      if (type !== 'c' && type !== 'g') throw new ProtocolDecodeError('only counters and gauges may have a time');
      if (!SECONDS.test(part.slice(1))) throw new ProtocolDecodeError('the time is not in seconds');
      timeSeconds = Number(part.slice(1)) || null;
    } else {
      throw new ProtocolDecodeError('a part is none of @rate, #tags, c:container, Ttime');
    }
  }
  const relative = valueText.startsWith('+') || valueText.startsWith('-');
  const value = NUMBER.test(valueText) ? Number(valueText) : Number.NaN;
  if (!Number.isFinite(value)) throw new ProtocolDecodeError('the value is not a number, or not finite');
  return { name, type, value, relative, sampleRate, timeSeconds, attributes: inOrder(attributes) };
}

function isType(text: string): text is StatsdType {
  return TYPES.has(text);
}

/** Rates that make no sense count as none, as in the Collector. */
function rateOf(text: string): number {
  if (NOT_FINITE.test(text)) return 1;
  const rate = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(rate)) throw new ProtocolDecodeError('the sample rate is not a number');
  if (rate <= 0 || rate >= 1) return 1;
  if (1 / rate > MAX_WEIGHT) throw new ProtocolDecodeError('the sample rate is too small');
  return rate;
}

function addTags(attributes: [string, string][], text: string, simpleTags: boolean): void {
  for (const tag of text.split(',')) {
    if (tag === '') continue;
    const colon = tag.indexOf(':');
    const key = colon < 0 ? tag : tag.slice(0, colon);
    const value = colon < 0 ? '' : tag.slice(colon + 1);
    if (key === '') throw new ProtocolDecodeError('a tag has no key');
    if (value === '' && !simpleTags) throw new ProtocolDecodeError('a tag has no value (see enable_simple_tags)');
    attributes.push([key, value]);
  }
}

function inOrder(attributes: [string, string][]): readonly [string, string][] {
  if (attributes.length < 2) return attributes;
  return [...new Map(attributes)].sort(([a], [b]) => (a < b ? -1 : 1));
}
