import { isIP } from 'node:net';
import { parsePromqlDuration } from '@signalbox/query-language';
import { RE2JS } from 're2js';
import { queryEscape } from '../../go-template/builtin-functions.ts';
import type { TemplateFunction } from '../../go-template/execute.ts';
import { formatGeneral } from '../../go-template/format-float.ts';
import { GoMap, GoStruct, type GoValue, goTypeName } from '../../go-template/go-values.ts';
import { TemplateError } from '../../go-template/template-error.ts';
import { humanize, humanize1024, humanizeDuration, humanizeTimestamp } from './humanize.ts';
import { TemplateDuration, TemplateTime } from './time-values.ts';

/** One element of what `query` gives a template. */
export interface TemplateSample {
  readonly labels: Iterable<readonly [string, string]>;
  /** A number, or a native histogram, of which a template sees only its text. */
  readonly value: number | { toString(): string };
}

export interface TemplateEnvironment {
  /** Time of the evaluation, in milliseconds since 1970. */
  readonly timeMs: number;
  /** Base address under which people reach the program, for links. */
  readonly externalUrl: URL;
  /** Evaluates an instant query at the time of the evaluation. */
  query(expression: string): Promise<readonly TemplateSample[]>;
}

class SampleValue extends GoStruct {
  readonly typeName = '*template.sample';
  readonly fields: ReadonlyMap<string, GoValue>;

  constructor({ labels, value }: TemplateSample) {
    super();
    this.fields = new Map<string, GoValue>([
      ['Labels', new GoMap(labels, '')],
      ['Value', value],
    ]);
  }

  label(name: string): string {
    return (this.fields.get('Labels') as GoMap).get(name) as string;
  }
}

/**
 * The functions that Prometheus adds to its templates
 * (https://prometheus.io/docs/prometheus/latest/configuration/template_reference/).
 */
export function prometheusFunctions(environment: TemplateEnvironment): Readonly<Record<string, TemplateFunction>> {
  const { timeMs, externalUrl } = environment;
  return {
    query: async (expression) => (await environment.query(text(expression))).map((sample) => new SampleValue(sample)),
    first: (result) => {
      const [sample] = samples(result);
      if (!sample) throw new TemplateError('first() called on vector with no elements');
      return sample;
    },
    label: (name, value) => sample(value).label(text(name)),
    value: (value) => sample(value).fields.get('Value'),
    strvalue: (value) => sample(value).label('__value__'),
    sortByLabel: (name, result) => {
      const key = text(name);
      return samples(result).toSorted((a, b) =>
        a.label(key) < b.label(key) ? -1 : a.label(key) > b.label(key) ? 1 : 0,
      );
    },
    args: (...values) =>
      new GoMap(
        values.map((value, index) => [`arg${index}`, value] as const),
        undefined,
      ),
    reReplaceAll: (pattern, replacement, subject) =>
      replaceAll(compile(text(pattern)), text(replacement), text(subject)),
    match: (pattern, subject) => compile(text(pattern)).matcher(text(subject)).find(),
    safeHtml: (value) => text(value),
    title: (value) =>
      text(value).replace(/[\p{L}\p{N}_'’]+/gu, (word) => word.slice(0, 1).toUpperCase() + word.slice(1)),
    toUpper: (value) => text(value).toUpperCase(),
    toLower: (value) => text(value).toLowerCase(),
    graphLink: (expression) => `/graph?g0.expr=${queryEscape(text(expression))}&g0.tab=0`,
    tableLink: (expression) => `/graph?g0.expr=${queryEscape(text(expression))}&g0.tab=1`,
    stripPort: (value) => splitHostPort(text(value))?.host ?? text(value),
    stripDomain: (value) => stripDomain(text(value)),
    humanize: (value) => humanize(float(value)),
    humanize1024: (value) => humanize1024(float(value)),
    humanizeDuration: (value) => humanizeDuration(float(value)),
    humanizePercentage: (value) => `${formatGeneral(float(value) * 100, 4)}%`,
    humanizeTimestamp: (value) => humanizeTimestamp(float(value)),
    toTime: (value) => {
      const seconds = float(value);
      if (!Number.isFinite(seconds)) throw new TemplateError('value is NaN or Inf');
      return new TemplateTime(Math.trunc(seconds * 1000));
    },
    toDuration: (value) => new TemplateDuration(float(value)),
    now: () => timeMs / 1000,
    pathPrefix: () => externalUrl.pathname.replace(/\/$/, ''),
    externalURL: () => externalUrl.href.replace(/\/$/, ''),
    parseDuration: (value) => {
      const given = text(value);
      const isNegative = given.startsWith('-');
      const milliseconds = parsePromqlDuration(isNegative ? given.slice(1) : given);
      if (milliseconds === undefined) throw new TemplateError(`not a valid duration string: ${JSON.stringify(given)}`);
      return ((isNegative ? -1 : 1) * milliseconds) / 1000;
    },
    urlQueryEscape: (value) => queryEscape(text(value)),
  };
}

function text(value: GoValue): string {
  if (typeof value === 'string') return value;
  throw new TemplateError(`wrong type for value; expected string; got ${goTypeName(value)}`);
}

function sample(value: GoValue): SampleValue {
  if (value instanceof SampleValue) return value;
  throw new TemplateError(`wrong type for value; expected *template.sample; got ${goTypeName(value)}`);
}

function samples(value: GoValue): readonly SampleValue[] {
  if (Array.isArray(value) && value.every((element) => element instanceof SampleValue)) return value;
  throw new TemplateError(`wrong type for value; expected template.queryResult; got ${goTypeName(value)}`);
}

/** What Prometheus's functions take for a number: numbers, texts of one, durations (in seconds). */
function float(value: GoValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof TemplateDuration) return value.seconds;
  if (typeof value === 'string') {
    const special = /^([+-]?)(inf|infinity|nan)$/i.exec(value);
    if (special) return special[2]?.toLowerCase() === 'nan' ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
    if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) return Number(value);
    throw new TemplateError(`strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`);
  }
  throw new TemplateError(`can't convert ${goTypeName(value)} to float`);
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    throw new TemplateError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Go's replacement syntax: `$1`, `${1}`, `$name`, `${name}`; the name is as long as it can be; `$$` is a dollar. */
function replaceAll(expression: RE2JS, replacement: string, subject: string): string {
  const matcher = expression.matcher(subject);
  let result = '';
  let at = 0;
  while (matcher.find()) {
    result += matcher.substring(at, matcher.start());
    result += replacement.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (_, braced?: string, plain?: string) => {
      const name = braced ?? plain;
      if (name === undefined) return '$';
      const group = /^\d+$/.test(name) ? Number(name) : name;
      const exists = typeof group === 'number' ? group <= matcher.groupCount() : group in matcher.getNamedGroups();
      return exists ? (matcher.group(group) ?? '') : '';
    });
    at = matcher.end();
  }
  return result + subject.slice(at);
}

/** Go's `net.SplitHostPort`; undefined: not of the form host:port. */
function splitHostPort(hostPort: string): { host: string; port: string } | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^[\]]*)\]|([^[\]:]*)):([^[\]:]*)$/.exec(hostPort) ?? [];
  return port === undefined ? undefined : { host: bracketed ?? plain ?? '', port };
}

function stripDomain(hostPort: string): string {
  const split = splitHostPort(hostPort);
  const host = split?.host ?? hostPort;
  if (isIP(host) !== 0) return hostPort;
  const name = host.split('.')[0] as string;
  return split && split.port !== '' ? `${name}:${split.port}` : name;
}
