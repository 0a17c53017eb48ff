const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/** Nanoseconds of a duration as Go's `time.ParseDuration` reads it (`1h15m30.9s`, `-5s`, `0`); undefined: not one. */
export function parseGoDuration(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = /^[+-]/.test(text) ? text.slice(1) : text;
  if (body === '0') return 0;
  let sum = 0;
  for (let at = 0; at < body.length || at === 0; ) {
    PART.lastIndex = at;
    const match = PART.exec(body);
    if (!match) return undefined;
    sum += Number(match[1]) * (NANOSECONDS[match[2] as string] as number);
    at += match[0].length;
  }
  return sum < 2 ** 63 ? sign * Math.trunc(sum) : undefined;
}
