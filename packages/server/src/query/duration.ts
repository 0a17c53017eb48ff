import { QueryInputError } from './query-input-error.ts';

const unitNanos: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3_600e9,
};

/** `250ms`, `1.5s`, `2m` in whole nanoseconds; undefined when it is no duration or over 292 years. */
export function readDuration(text: string): bigint | undefined {
  const match = /^(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)$/.exec(text.trim());
  if (match === null) return undefined;
  const nanos = Math.round(Number(match[1]) * (unitNanos[match[2] as string] as number));
  return nanos < 2 ** 63 ? BigInt(nanos) : undefined;
}

/** As `readDuration`, but says which parameter is wrong. */
export function parseDuration(parameter: string, text: string): bigint {
  const nanos = readDuration(text);
  if (nanos === undefined) {
    throw new QueryInputError(`${parameter} is no duration`, {
      parameter,
      position: { start: 0, end: text.length },
      hint: 'A number with a unit: 250ms, 1.5s, 2m (ns, us, ms, s, m, h).',
    });
  }
  return nanos;
}
