/** UCUM's units as Prometheus spells them out. */
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
  TiBy: 'tibibytes',
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
  '1': '',
  '%': 'percent',
};

/** Units behind a slash, in the singular. */
const perUnits: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

export interface UnitSuffixes {
  /** `bytes`; '' for none. */
  readonly main: string;
  /** `per_second`; '' for none. */
  readonly per: string;
}

/** The two halves of a unit (`By/s`) as suffixes of a metric's name. Annotations (`{request}`) are no units. */
export function unitSuffixes(unit: string): UnitSuffixes {
  const slash = unit.indexOf('/');
  const main = spell(slash < 0 ? unit : unit.slice(0, slash), units);
  const per = slash < 0 ? '' : spell(unit.slice(slash + 1), perUnits);
  return { main, per: per === '' ? '' : `per_${per}` };
}

/** The unit of a metric in Prometheus's metadata (`bytes_per_second`); '' for none. */
export function prometheusUnit(unit: string): string {
  const { main, per } = unitSuffixes(unit);
  return [cleanSuffix(main), cleanSuffix(per)]
    .filter((part) => part !== '')
    .join('_')
    .replace(/^_|_$/g, '');
}

/** A suffix with nothing but what a metric's name may have. */
export function cleanSuffix(suffix: string): string {
  return Array.from(suffix, (character) => (/[a-zA-Z0-9:]/.test(character) ? character : '_'))
    .join('')
    .replace(/__+/g, '_')
    .replace(/^_/, '');
}

function spell(unit: string, words: Readonly<Record<string, string>>): string {
  const trimmed = unit.trim();
  if (/[{}]/.test(trimmed)) return '';
  return Object.hasOwn(words, trimmed) ? (words[trimmed] as string) : trimmed;
}
