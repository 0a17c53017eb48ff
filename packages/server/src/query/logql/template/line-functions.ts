import { parseByteSize, parseGoDuration } from '@signalbox/query-language';
import { RE2JS } from 're2js';
import { builtinFunctions, queryEscape } from '../../../go-template/builtin-functions.ts';
import type { TemplateFunction } from '../../../go-template/execute.ts';
import { GoMap, type GoValue, goTypeName, isTrue } from '../../../go-template/go-values.ts';
import { ArgumentCountError, TemplateError } from '../../../go-template/template-error.ts';
import { describeBadDuration, describeBadSize } from '../pipeline/filter-stages.ts';
import { GoTime, knownZone, parseGoTime } from './go-time.ts';
import { asDecimal, toFloat, toInt } from './numbers.ts';

type Functions = Record<string, TemplateFunction<GoValue>>;

/** What `repeat`, `indent` and padding may make at most. */
const MAX_TEXT = 1 << 20;

/** A function of so many arguments; fewer or more are an error. */
function of(name: string, count: number, run: (...args: GoValue[]) => GoValue): TemplateFunction<GoValue> {
  return (...args) => {
    if (args.length !== count) throw new ArgumentCountError(name, count, args.length);
    return run(...args);
  };
}

/** A function of so many arguments at least. */
function atLeast(name: string, count: number, run: (...args: GoValue[]) => GoValue): TemplateFunction<GoValue> {
  return (...args) => {
    if (args.length < count) throw new ArgumentCountError(name, `at least ${count}`, args.length);
    return run(...args);
  };
}

/** A function over texts. */
function texts(name: string, count: number, run: (...args: string[]) => GoValue): TemplateFunction<GoValue> {
  return of(name, count, (...args) => run(...args.map(textOf)));
}

function textOf(value: GoValue): string {
  if (typeof value === 'string') return value;
  if (value === undefined) throw new TemplateError('invalid value; expected string');
  throw new TemplateError(`wrong type for value; expected string; got ${goTypeName(value)}`);
}

function timeOf(value: GoValue): GoTime {
  if (value instanceof GoTime) return value;
  throw new TemplateError(`wrong type for value; expected time.Time; got ${goTypeName(value)}`);
}

function compiled(expression: string): RE2JS {
  try {
    return RE2JS.compile(expression);
  } catch (error) {
    throw new TemplateError(error instanceof Error ? error.message : String(error));
  }
}

function bounded(text: string): string {
  if (text.length > MAX_TEXT) throw new TemplateError(`longer than ${MAX_TEXT} characters`);
  return text;
}

function spaces(count: GoValue): string {
  return ' '.repeat(Math.min(Math.max(Number(toInt(count)), 0), MAX_TEXT));
}

const textFunctions: Functions = {
  ToLower: texts('ToLower', 1, (text = '') => text.toLowerCase()),
  ToUpper: texts('ToUpper', 1, (text = '') => text.toUpperCase()),
  Replace: of('Replace', 4, (text, from, to, count) =>
    replaceSome(textOf(text), textOf(from), textOf(to), Number(toInt(count))),
  ),
  Trim: texts('Trim', 2, (text = '', cutset = '') => trimStart(trimEnd(text, cutset), cutset)),
  TrimLeft: texts('TrimLeft', 2, (text = '', cutset = '') => trimStart(text, cutset)),
  TrimRight: texts('TrimRight', 2, (text = '', cutset = '') => trimEnd(text, cutset)),
  TrimPrefix: texts('TrimPrefix', 2, (text = '', prefix = '') => withoutPrefix(text, prefix)),
  TrimSuffix: texts('TrimSuffix', 2, (text = '', suffix = '') => withoutSuffix(text, suffix)),
  TrimSpace: texts('TrimSpace', 1, (text = '') => text.trim()),
  lower: texts('lower', 1, (text = '') => text.toLowerCase()),
  upper: texts('upper', 1, (text = '') => text.toUpperCase()),
  title: texts('title', 1, (text = '') =>
    text.replace(/(^|[^\p{L}\p{Nd}_'])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toUpperCase()),
  ),
  trunc: of('trunc', 2, (count, text) => {
    const characters = [...textOf(text)];
    const length = Number(toInt(count));
    return (
      length < 0
        ? characters.length + length > 0
          ? characters.slice(length)
          : characters
        : characters.slice(0, length)
    ).join('');
  }),
  substr: of('substr', 3, (start, end, text) => substring(Number(toInt(start)), Number(toInt(end)), textOf(text))),
  contains: texts('contains', 2, (part = '', text = '') => text.includes(part)),
  hasPrefix: texts('hasPrefix', 2, (prefix = '', text = '') => text.startsWith(prefix)),
  hasSuffix: texts('hasSuffix', 2, (suffix = '', text = '') => text.endsWith(suffix)),
  indent: of('indent', 2, (count, text) => indent(count, textOf(text))),
  nindent: of('nindent', 2, (count, text) => `\n${indent(count, textOf(text))}`),
  replace: texts('replace', 3, (from = '', to = '', text = '') => bounded(text.replaceAll(from, () => to))),
  repeat: of('repeat', 2, (count, text) => {
    const times = Math.max(Number(toInt(count)), 0);
    if (times * textOf(text).length > MAX_TEXT) throw new TemplateError(`longer than ${MAX_TEXT} characters`);
    return textOf(text).repeat(times);
  }),
  trim: texts('trim', 1, (text = '') => text.trim()),
  trimAll: texts('trimAll', 2, (cutset = '', text = '') => trimStart(trimEnd(text, cutset), cutset)),
  trimPrefix: texts('trimPrefix', 2, (prefix = '', text = '') => withoutPrefix(text, prefix)),
  trimSuffix: texts('trimSuffix', 2, (suffix = '', text = '') => withoutSuffix(text, suffix)),
  alignLeft: of('alignLeft', 2, (count, text) => align(Number(toInt(count)), textOf(text), false)),
  alignRight: of('alignRight', 2, (count, text) => align(Number(toInt(count)), textOf(text), true)),
  default: atLeast('default', 1, (fallback, given) => (isTrue(given) ? given : fallback)),
  b64enc: texts('b64enc', 1, (text = '') => Buffer.from(text).toString('base64')),
  b64dec: texts('b64dec', 1, (text = '') => decodeBase64(text)),
  urlencode: texts('urlencode', 1, (text = '') => queryEscape(text)),
  urldecode: texts('urldecode', 1, (text = '') => {
    try {
      return decodeURIComponent(text.replaceAll('+', ' '));
    } catch {
      const [wrong = ''] = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text) ?? [];
      throw new TemplateError(`invalid URL escape ${JSON.stringify(wrong)}`);
    }
  }),
  regexReplaceAll: texts('regexReplaceAll', 3, (regex = '', text = '', replacement = '') =>
    bounded(replaceByGo(compiled(regex), text, replacement)),
  ),
  regexReplaceAllLiteral: texts('regexReplaceAllLiteral', 3, (regex = '', text = '', replacement = '') =>
    bounded(
      compiled(regex)
        .matcher(text)
        .replaceAll(() => replacement),
    ),
  ),
  count: texts('count', 2, (regex = '', text = '') => BigInt([...compiled(regex).matchAll(text)].length)),
};

const numberFunctions: Functions = {
  int: of('int', 1, toInt),
  float64: of('float64', 1, toFloat),
  add: (...values) => values.map(toInt).reduce((sum, value) => sum + value, 0n),
  sub: of('sub', 2, (a, b) => toInt(a) - toInt(b)),
  mul: atLeast('mul', 1, (...values) => values.map(toInt).reduce((product, value) => product * value, 1n)),
  div: of('div', 2, (a, b) => toInt(a) / divisor(b)),
  mod: of('mod', 2, (a, b) => toInt(a) % divisor(b)),
  addf: (...values) => values.map(toFloat).reduce((sum, value) => asDecimal(sum + value), 0),
  subf: atLeast('subf', 1, (first, ...values) =>
    values.map(toFloat).reduce((rest, value) => asDecimal(rest - value), toFloat(first)),
  ),
  mulf: atLeast('mulf', 1, (first, ...values) =>
    values.map(toFloat).reduce((product, value) => asDecimal(product * value), toFloat(first)),
  ),
  divf: atLeast('divf', 1, (first, ...values) =>
    values.map(toFloat).reduce((rest, value) => {
      if (value === 0) throw new TemplateError('decimal division by 0');
      return rest / value;
    }, toFloat(first)),
  ),
  max: atLeast('max', 1, (...values) => values.map(toInt).reduce(larger)),
  min: atLeast('min', 1, (...values) => values.map(toInt).reduce(smaller)),
  maxf: atLeast('maxf', 1, (...values) => Math.max(...values.map(toFloat))),
  minf: atLeast('minf', 1, (...values) => Math.min(...values.map(toFloat))),
  ceil: of('ceil', 1, (value) => Math.ceil(toFloat(value))),
  floor: of('floor', 1, (value) => Math.floor(toFloat(value))),
  round: atLeast('round', 2, (value, places, from = 0.5) => {
    const power = 10 ** toFloat(places);
    const scaled = power * toFloat(value);
    const rest = scaled - Math.trunc(scaled);
    return (rest >= toFloat(from) ? Math.ceil(scaled) : Math.floor(scaled)) / power;
  }),
  bytes: texts('bytes', 1, (text = '') => {
    const bytes = parseByteSize(text);
    if (bytes === undefined) throw new TemplateError(describeBadSize(text));
    return bytes;
  }),
  duration: texts('duration', 1, seconds),
  duration_seconds: texts('duration_seconds', 1, seconds),
};

const timeFunctions: Functions = {
  now: of('now', 0, () => new GoTime(BigInt(Date.now()) * 1_000_000n)),
  date: of('date', 2, (layout, time) => dateOf(time).format(textOf(layout))),
  toDate: texts('toDate', 2, (layout = '', text = '') => parseGoTime(layout, text, 'UTC') ?? new GoTime(ZERO_TIME)),
  toDateInZone: texts(
    'toDateInZone',
    3,
    (layout = '', zone = '', text = '') => parseGoTime(layout, text, knownZone(zone) ?? 'UTC') ?? new GoTime(ZERO_TIME),
  ),
  unixEpoch: of('unixEpoch', 1, (time) => String(timeOf(time).nanoseconds / 1_000_000_000n)),
  unixEpochMillis: of('unixEpochMillis', 1, (time) => String(timeOf(time).nanoseconds / 1_000_000n)),
  unixEpochNanos: of('unixEpochNanos', 1, (time) => String(timeOf(time).nanoseconds)),
  unixToTime: texts('unixToTime', 1, (text = '') => {
    const factor = EPOCH_UNITS.get(text.length);
    if (factor === undefined || !/^[+-]?\d+$/.test(text)) throw new TemplateError(`unable to parse time '${text}'`);
    return new GoTime(BigInt(text) * factor);
  }),
};

/** Go's zero time: the beginning of the year 1. */
const ZERO_TIME = -62_135_596_800_000_000_000n;

/** Nanoseconds of the unit that a number of so many digits counts. */
const EPOCH_UNITS: ReadonlyMap<number, bigint> = new Map([
  [5, 86_400_000_000_000n],
  [10, 1_000_000_000n],
  [13, 1_000_000n],
  [16, 1000n],
  [19, 1n],
]);

/** All that the templates of `line_format` and `label_format` may call, besides the line and its time. */
export const lineFunctions: Functions = {
  ...(builtinFunctions as Functions),
  ...textFunctions,
  ...numberFunctions,
  ...timeFunctions,
  fromJson: texts('fromJson', 1, (text = '') => {
    try {
      return goValueOf(JSON.parse(text) as unknown);
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }),
};

function goValueOf(value: unknown): GoValue {
  if (Array.isArray(value)) return value.map(goValueOf);
  if (typeof value !== 'object' || value === null) return value ?? undefined;
  return new GoMap(
    Object.entries(value).map(([key, member]) => [key, goValueOf(member)] as const),
    undefined,
  );
}

function larger(a: bigint, b: bigint): bigint {
  return b > a ? b : a;
}

function smaller(a: bigint, b: bigint): bigint {
  return b < a ? b : a;
}

function divisor(value: GoValue): bigint {
  const by = toInt(value);
  if (by === 0n) throw new TemplateError('runtime error: integer divide by zero');
  return by;
}

function seconds(text = ''): number {
  const nanoseconds = parseGoDuration(text);
  if (nanoseconds === undefined) throw new TemplateError(describeBadDuration(text));
  return nanoseconds / 1e9;
}

function dateOf(value: GoValue): GoTime {
  if (value instanceof GoTime) return value;
  return new GoTime(typeof value === 'bigint' ? value * 1_000_000_000n : BigInt(Date.now()) * 1_000_000n);
}

function replaceSome(text: string, from: string, to: string, count: number): string {
  if (count < 0) return bounded(text.replaceAll(from, () => to));
  let left = count;
  return text.replaceAll(from, (match) => (left-- > 0 ? to : match));
}

function trimStart(text: string, cutset: string): string {
  let at = 0;
  while (at < text.length && cutset.includes(text[at] as string)) at++;
  return text.slice(at);
}

function trimEnd(text: string, cutset: string): string {
  let end = text.length;
  while (end > 0 && cutset.includes(text[end - 1] as string)) end--;
  return text.slice(0, end);
}

function withoutPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}

function withoutSuffix(text: string, suffix: string): string {
  return suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
}

function substring(start: number, end: number, text: string): string {
  const characters = [...text];
  if (start < 0) return characters.slice(0, Math.max(end, 0)).join('');
  return (end < 0 || end > characters.length ? characters.slice(start) : characters.slice(start, end)).join('');
}

function indent(count: GoValue, text: string): string {
  const padding = spaces(count);
  return bounded(padding + text.replaceAll('\n', `\n${padding}`));
}

function align(count: number, text: string, isRight: boolean): string {
  const characters = [...text];
  if (count < 0 || count === characters.length) return text;
  const missing = count - characters.length;
  if (missing > MAX_TEXT) throw new TemplateError(`longer than ${MAX_TEXT} characters`);
  if (missing > 0) return isRight ? ' '.repeat(missing) + text : text + ' '.repeat(missing);
  return (isRight ? characters.slice(-count || characters.length) : characters.slice(0, count)).join('');
}

function decodeBase64(text: string): string {
  const rest = text.length % 4;
  const padded = rest > 1 ? text + '='.repeat(4 - rest) : text;
  const wrong = /[^A-Za-z0-9+/=]|=(?!=?$)/.exec(padded);
  if (wrong) return `illegal base64 data at input byte ${wrong.index}`;
  if (padded.length % 4 !== 0) return `illegal base64 data at input byte ${padded.length - (padded.length % 4)}`;
  return Buffer.from(padded, 'base64').toString();
}

/** Go's `Regexp.ReplaceAllString`: `$name` and `${name}` stand for groups, `$$` for a dollar. */
function replaceByGo(expression: RE2JS, text: string, replacement: string): string {
  const names = expression.namedGroups();
  return expression.matcher(text).replaceAll((...found: unknown[]) =>
    replacement.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (_, braced?: string, plain?: string) => {
      const group = braced ?? plain;
      if (group === undefined) return '$';
      const index = /^\d+$/.test(group) ? Number(group) : names[group];
      return index === undefined || index > expression.groupCount() ? '' : String(found[index] ?? '');
    }),
  );
}
