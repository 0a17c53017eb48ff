const FACTORS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ...['k', 'm', 'g', 't', 'p', 'e'].flatMap((prefix, index): [string, number][] => [
    [prefix, 1000 ** (index + 1)],
    [`${prefix}b`, 1000 ** (index + 1)],
    [`${prefix}i`, 1024 ** (index + 1)],
    [`${prefix}ib`, 1024 ** (index + 1)],
  ]),
]);

/** Bytes of `5kB`, `1.5 MiB`, `2,048`; undefined: not a size. Units with `i` are powers of 1024, others of 1000, in any case. */
export function parseByteSize(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^([\d.,]*)(.*)$/s.exec(text) ?? [];
  const number = digits.replaceAll(',', '');
  const factor = FACTORS.get(unit.trim().toLowerCase());
  if (!/^(\d+\.?\d*|\.\d+)$/.test(number) || factor === undefined) return undefined;
  const value = Number(number) * factor;
  return value < 2 ** 64 ? Math.trunc(value) : undefined;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** In the largest unit that leaves a digit before the point, with one decimal below ten: `2.5MB`, `512B`. */
export function formatByteSize(bytes: number): string {
  if (bytes < 10) return `${bytes}B`;
  const exponent = Math.min(Math.floor(Math.log10(bytes) / 3 + 1e-12), UNITS.length - 1);
  const value = Math.floor((bytes / 1000 ** exponent) * 10 + 0.5) / 10;
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)}${UNITS[exponent]}`;
}
