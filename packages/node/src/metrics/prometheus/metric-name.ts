/** How OpenTelemetry's names are shown to Prometheus, by the names that Prometheus's own configuration has for it. */
export type TranslationStrategy =
  | 'UnderscoreEscapingWithSuffixes'
  | 'UnderscoreEscapingWithoutSuffixes'
  | 'NoUTF8EscapingWithSuffixes'
  | 'NoTranslation';

export interface NameParts {
  readonly name: string;
  /** UCUM, as OpenTelemetry's instruments have it. */
  readonly unit: string;
  readonly isCounter: boolean;
  readonly isGauge: boolean;
}

const units: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tebibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '%': 'percent',
};
const perUnits: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

/** https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-metadata-1 */
export function metricName(parts: NameParts, strategy: TranslationStrategy): string {
  const escapes = strategy.startsWith('Underscore');
  if (strategy === 'NoTranslation') return parts.name;
  if (strategy === 'UnderscoreEscapingWithoutSuffixes') return escapeName(parts.name);
  const base = escapes ? escapeName(parts.name).replace(/^_+|_+$/g, '') : parts.name;
  const suffixes = unitSuffixes(parts.unit, escapes).filter((suffix) => !wordsOf(base).includes(suffix));
  let name = [base, ...suffixes].join('_');
  if (parts.isCounter) name = `${name.replace(/_total$/, '')}_total`;
  else if (parts.isGauge && parts.unit === '1' && !wordsOf(base).includes('ratio')) name += '_ratio';
  return escapes && /^\d/.test(name) ? `_${name}` : name;
}

export function labelName(name: string, strategy: TranslationStrategy): string {
  if (!strategy.startsWith('Underscore')) return name;
  const escaped = name.replaceAll(/[^a-zA-Z0-9_]/g, '_').replaceAll(/_{2,}/g, '_');
  if (/^\d/.test(escaped)) return `key_${escaped}`;
  return escaped;
}

/** What a scraper that knows no UTF-8 gets instead of a name that needs it. */
export function escapeName(name: string): string {
  const escaped = name.replaceAll(/[^a-zA-Z0-9_:]/g, '_').replaceAll(/_{2,}/g, '_');
  return /^\d/.test(escaped) ? `_${escaped}` : escaped;
}

function wordsOf(name: string): string[] {
  return name.split(/[^a-zA-Z0-9]+/);
}

/** `By/s` → `bytes`, `per_second`; annotations like `{request}` say nothing that a name should. */
function unitSuffixes(unit: string, escapes: boolean): string[] {
  const [main = '', per] = unit.replaceAll(/\{[^}]*\}/g, '').split('/', 2);
  const words: string[] = [];
  const clean = (text: string): string => (escapes ? escapeName(text).replace(/^_+|_+$/g, '') : text);
  if (main !== '' && main !== '1') words.push(Object.hasOwn(units, main) ? (units[main] as string) : clean(main));
  if (per !== undefined && per !== '')
    words.push(`per_${Object.hasOwn(perUnits, per) ? (perUnits[per] as string) : clean(per)}`);
  return words.filter((word) => word !== '');
}
