/** Parsers of what a user writes: each returns the value or throws an Error that says what is accepted. */

const durationUnits: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `90s`, `12h`, `7d`, `1d12h`, `250us` → milliseconds. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) {
    throw new Error(`"${text}" is not a duration; write a number and a unit of ms, s, m, h, d, w, such as 7d or 36h`);
  }
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (durationUnits[unit ?? ''] ?? Number.NaN), 0);
}

const sizeUnits: Record<string, number> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

/** `50GB`, `512MiB`, `1000` → bytes. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text);
  const unit = sizeUnits[match?.[2]?.toLowerCase() ?? '?'];
  if (!match || unit === undefined)
    throw new Error(`"${text}" is not a size; write bytes or a unit such as 512MiB or 50GB`);
  return Math.round(Number(match[1]) * unit);
}

/** The parser with a smallest and a largest value, given as a user would write them. */
export function within(parse: (text: string) => number, least: string, most: string): (text: string) => number {
  return (text) => {
    const value = parse(text);
    if (value < parse(least) || value > parse(most)) {
      throw new Error(`"${text}" is out of range; write ${least} to ${most}`);
    }
    return value;
  };
}

/** A TCP port; 0 lets the system choose. */
export function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new Error(`"${text}" is not a port; write a number from 0 to 65535`);
  return Number(text);
}

/** A port, or `off`. */
export function parsePortOrOff(text: string): number | 'off' {
  return text.toLowerCase() === 'off' ? 'off' : parsePort(text);
}

export interface Endpoint {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** `0.0.0.0:4317`, `tempo:4317`, `[::1]:4317`; `:4317` is every address of this machine. */
export function parseEndpoint(text: string): Endpoint {
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:/[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null) throw new Error(`"${text}" is not an address; write host:port, such as localhost:4317`);
  return { host: match[1] ?? match[2] ?? '', port: parsePort(match[3] ?? '') };
}

export function parseText(text: string): string {
  if (text === '') throw new Error('it is empty');
  return text;
}

/** One of `choices`, in any case. */
export function parseChoice<Choice extends string>(...choices: readonly Choice[]): (text: string) => Choice {
  return (text) => {
    const found = choices.find((choice) => choice.toLowerCase() === text.toLowerCase());
    if (found === undefined) throw new Error(`"${text}" is not one of ${choices.join(', ')}`);
    return found;
  };
}

/** A comma-separated list of `choices`. */
export function parseChoices<Choice extends string>(...choices: readonly Choice[]): (text: string) => Choice[] {
  const parse = parseChoice(...choices);
  return (text) => parseList(text).map(parse);
}

/** A whole number above 0: how many of something there may be. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new Error(`"${text}" is not a number of things; write a whole number above 0`);
  return Number(text);
}

/** A comma-separated list; spaces around items are dropped. */
export function parseList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** A comma-separated list of http:// and https:// addresses. */
export function parseUrls(text: string): string[] {
  return parseList(text).map(parseUrl);
}

/** A comma-separated list of labels: `name=value`. */
export function parseLabels(text: string): string[] {
  return parseList(text).map((pair) => {
    if (/^[A-Za-z_][A-Za-z0-9_]*=/.test(pair)) return pair;
    throw new Error(`"${pair}" is not a label such as region=eu`);
  });
}

export function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Error(`"${text}" is not an http:// or https:// address`);
  }
  return text;
}
