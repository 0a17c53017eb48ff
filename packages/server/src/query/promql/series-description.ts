import { type ParserOptions, parsePromqlDuration } from '@signalbox/query-language';
import { CUSTOM_BUCKETS_SCHEMA } from './histogram/bucket-bounds.ts';
import { type CounterResetHint, FloatHistogram } from './histogram/float-histogram.ts';
import { Labels, METRIC_NAME } from './labels.ts';

/** A value of a series in a test's notation. */
export type DescribedValue =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'histogram'; readonly value: FloatHistogram; readonly hasResetHint: boolean }
  | { readonly kind: 'stale' }
  | { readonly kind: 'gap' };

/** How many values one item may stand for. */
const MAX_REPETITIONS = 100_000;

const HINTS: ReadonlySet<string> = new Set<CounterResetHint>(['unknown', 'reset', 'not_reset', 'gauge']);

/** What of names needs no quotes. */
type NameOptions = Pick<ParserOptions, 'unquotedUtf8Names'>;

/**
 * Reads `metric{label="value"} 1 2+3x4 _ stale {{count:5}}`: the notation of Prometheus's tests
 * (https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series). Throws for what is none.
 */
export function parseSeriesDescription(
  text: string,
  names: NameOptions = {},
): { labels: Labels; values: DescribedValue[] } {
  const { labels, end } = parseMetric(text, names);
  return { labels, values: parseValues(text.slice(end)) };
}

/** Reads the labels of a series: `metric{label="value"}`, `{"metric.name", "label.name"="value"}`, or `{}`. */
export function parseMetricLabels(text: string, names: NameOptions = {}): Labels {
  const { labels, end } = parseMetric(text, names);
  if (text.slice(end).trim() !== '') throw new Error(`unexpected text after the metric: ${text.slice(end).trim()}`);
  return labels;
}

const NAME = /^\s*([A-Za-z_:][A-Za-z0-9_:]*)?\s*/;
const LABEL = /^\s*(?:([A-Za-z_][A-Za-z0-9_]*)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`))\s*/;
/** The same where letters of all scripts, and dots that do not begin a name, need no quotes. */
const UTF8_NAME = /^\s*([\p{L}_:][\p{L}0-9_:.]*)?\s*/u;
const UTF8_LABEL = /^\s*(?:([\p{L}_][\p{L}0-9_.]*)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`))\s*/u;
const VALUE = /^=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)\s*/;

function parseMetric(text: string, { unquotedUtf8Names = false }: NameOptions): { labels: Labels; end: number } {
  const [whole, name] = (unquotedUtf8Names ? UTF8_NAME : NAME).exec(text) as RegExpExecArray;
  const labels = new Map<string, string>();
  if (name !== undefined) labels.set(METRIC_NAME, name);
  let at = whole.length;
  if (text[at] !== '{' || text.startsWith('{{', at)) {
    if (name === undefined && at < text.length) throw new Error(`expected a metric: ${text}`);
    return { labels: Labels.from(labels), end: at };
  }
  at++;
  for (;;) {
    const close = /^\s*\}/.exec(text.slice(at));
    if (close) return { labels: Labels.from(labels), end: at + close[0].length };
    const label = (unquotedUtf8Names ? UTF8_LABEL : LABEL).exec(text.slice(at));
    if (!label) throw new Error(`unexpected text in label set, expected identifier or "}": ${text.slice(at)}`);
    at += label[0].length;
    const value = VALUE.exec(text.slice(at));
    if (value) {
      labels.set(label[1] ?? unquote(label[2]), unquote(value[1]));
      at += value[0].length;
    } else if (label[2] !== undefined) labels.set(METRIC_NAME, unquote(label[2]));
    else throw new Error(`unexpected text in label set, expected "=": ${text.slice(at)}`);
    if (text[at] === ',') at++;
    else if (text[at] !== '}') throw new Error(`unexpected text in label set, expected "," or "}": ${text.slice(at)}`);
  }
}

function unquote(literal: string): string {
  const body = literal.slice(1, -1);
  if (literal[0] === '`') return body;
  return body.replace(
    /\\(?:u([\da-fA-F]{4})|x([\da-fA-F]{2})|(.))/gs,
    (_, unicode?: string, byte?: string, simple?: string) => {
      if (simple === undefined) return String.fromCodePoint(Number.parseInt(unicode ?? (byte as string), 16));
      return { n: '\n', t: '\t', r: '\r' }[simple] ?? simple;
    },
  );
}

const NUMBER_TEXT = '(?:[0-9]+(?:_[0-9]+)*\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[iI]nf|INF|[nN]a[nN]|NAN';
const GAP = /^_(?:x(\d+))?$/;
const STALE = /^stale(?:x(\d+))?$/;
const FLOATS = new RegExp(`^([+-]?(?:${NUMBER_TEXT}))(?:([+-](?:${NUMBER_TEXT})))?(?:x(\\d+))?$`);

/** Reads values that spaces separate, each of which may stand for many. */
export function parseValues(text: string): DescribedValue[] {
  const values: DescribedValue[] = [];
  for (const item of splitItems(text)) {
    if (values.length > MAX_REPETITIONS) throw new Error(`more than ${MAX_REPETITIONS} values`);
    const gap = GAP.exec(item);
    if (gap) {
      values.push(...repeat<DescribedValue>({ kind: 'gap' }, gap[1] === undefined ? 1 : repetitions(gap[1])));
      continue;
    }
    const stale = STALE.exec(item);
    if (stale) {
      values.push(...repeat<DescribedValue>({ kind: 'stale' }, stale[1] === undefined ? 1 : repetitions(stale[1]) + 1));
      continue;
    }
    if (item.startsWith('{{')) values.push(...histogramValues(item));
    else values.push(...floatValues(item));
  }
  return values;
}

/** Items end at spaces outside of `{{ }}`. */
function splitItems(text: string): string[] {
  return text.match(/(?:\{\{.*?\}\}|[^\s{])+/g) ?? [];
}

function floatValues(item: string): DescribedValue[] {
  const match = FLOATS.exec(item);
  if (!match || (match[2] !== undefined && match[3] === undefined)) {
    throw new Error(`unexpected ${JSON.stringify(item)} in series values, expected number or "stale"`);
  }
  let value = parseNumber(match[1]);
  const step = match[2] === undefined ? undefined : parseNumber(match[2]);
  const count = match[3] === undefined ? 1 : repetitions(match[3]) + 1;
  const values: DescribedValue[] = [];
  for (let i = 0; i < count; i++) {
    values.push({ kind: 'float', value });
    if (step !== undefined) value += step;
  }
  return values;
}

function histogramValues(item: string): DescribedValue[] {
  const match = /^\{\{(.*?)\}\}(?:([+-])\{\{(.*?)\}\})?(?:x(\d+))?$/s.exec(item);
  if (!match) throw new Error(`unexpected ${JSON.stringify(item)} in series values`);
  const [, first, sign, second, times] = match;
  let { histogram, hasResetHint } = parseHistogram(first);
  const change = second === undefined ? undefined : parseHistogram(second);
  if (change) hasResetHint = change.hasResetHint;
  if (change && times === undefined) throw new Error(`a histogram that grows needs a number of repetitions: ${item}`);
  const count = times === undefined ? 1 : repetitions(times) + 1;
  const values: DescribedValue[] = [];
  for (let i = 0; i < count; i++) {
    values.push({ kind: 'histogram', value: histogram, hasResetHint });
    if (!change) continue;
    if (histogram.schema > change.histogram.schema) {
      throw new Error(
        `error combining histograms: cannot merge from schema ${change.histogram.schema} to ${histogram.schema}`,
      );
    }
    histogram = histogram.copy();
    if (sign === '+') histogram.add(change.histogram);
    else histogram.subtract(change.histogram);
  }
  return values;
}

/** Reads the inside of `{{schema:1 sum:2 count:3 buckets:[1 2]}}`. */
function parseHistogram(text: string): { histogram: FloatHistogram; hasResetHint: boolean } {
  const spaced = /^\s+\S|\[\s/.exec(text);
  if (spaced) throw new Error(`unexpected space in a histogram: {{${text}}}`);
  const histogram = new FloatHistogram();
  let hasResetHint = false;
  const seen = new Set<string>();
  let [offset, negativeOffset] = [0, 0];
  let positive: number[] = [];
  let negative: number[] = [];
  for (const [whole, key, list, scalar] of text.matchAll(/(\w+):(?:\[([^\]]*)\]|([^\s[\]]+))|\S+/g)) {
    if (key === undefined) throw new Error(`bad histogram descriptor found: ${JSON.stringify(whole)}`);
    if (seen.has(key)) throw new Error(`duplicate key "${key}" in histogram`);
    seen.add(key);
    const numbers = () => (list ?? '').trim().split(/\s+/).filter(Boolean).map(parseNumber);
    const number = () => parseNumber(scalar ?? '');
    switch (key) {
      case 'schema':
        histogram.schema = number();
        break;
      case 'sum':
        histogram.sum = number();
        break;
      case 'count':
        histogram.count = number();
        break;
      case 'z_bucket':
        histogram.zeroCount = number();
        break;
      case 'z_bucket_w':
        histogram.zeroThreshold = number();
        break;
      case 'custom_values':
        histogram.customBounds = numbers();
        break;
      case 'buckets':
        positive = numbers();
        break;
      case 'offset':
        offset = number();
        break;
      case 'n_buckets':
        negative = numbers();
        break;
      case 'n_offset':
        negativeOffset = number();
        break;
      case 'counter_reset_hint':
        if (scalar === undefined || !HINTS.has(scalar)) throw new Error(`bad counter_reset_hint: ${scalar}`);
        histogram.resetHint = scalar as CounterResetHint;
        hasResetHint = true;
        break;
      default:
        throw new Error(`bad histogram descriptor found: ${JSON.stringify(key)}`);
    }
  }
  if (histogram.schema !== CUSTOM_BUCKETS_SCHEMA && (histogram.schema < -4 || histogram.schema > 8)) {
    throw new Error(`invalid histogram schema ${histogram.schema}`);
  }
  histogram.positive = { indexes: positive.map((_, i) => offset + i), counts: positive };
  histogram.negative = { indexes: negative.map((_, i) => negativeOffset + i), counts: negative };
  return { histogram, hasResetHint };
}

export function parseNumber(text: string): number {
  const special = /^([+-]?)(inf|nan)$/i.exec(text);
  if (special) {
    if (special[2].toLowerCase() === 'nan') return Number.NaN;
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const plain = text.replaceAll('_', '');
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(plain)) return Number(plain);
  const hex = /^([+-]?)(0[xX][\da-fA-F]+)$/.exec(plain);
  if (hex) return Number(hex[2]) * (hex[1] === '-' ? -1 : 1);
  const duration = parsePromqlDuration(text.replace(/^[+-]/, ''));
  if (duration !== undefined) return ((text.startsWith('-') ? -1 : 1) * duration) / 1000;
  throw new Error(`not a number: ${JSON.stringify(text)}`);
}

function repetitions(text: string): number {
  const count = Number(text);
  if (count > MAX_REPETITIONS) throw new Error(`more than ${MAX_REPETITIONS} repetitions: ${text}`);
  return count;
}

function repeat<Value>(value: Value, count: number): Value[] {
  return new Array<Value>(count).fill(value);
}
