import { parsePromqlDuration } from '../promql/duration.ts';

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

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;

/** Nanoseconds of a duration as Prometheus (`1d12h`) or Go (`1.5h`, `10us`) writes it; undefined: none, or beyond 292 years. */
export function parseTraceqlDuration(text: string): bigint | undefined {
  const milliseconds = parsePromqlDuration(text);
  if (milliseconds !== undefined) return BigInt(milliseconds) * 1_000_000n;
  let nanoseconds = 0n;
  let end = 0;
  for (const [part, number = '', unit = ''] of text.matchAll(PART)) {
    const size = NANOSECONDS[unit] as number;
    const [whole = '', fraction = ''] = number.split('.');
    nanoseconds +=
      BigInt(whole === '' ? 0 : whole) * BigInt(size) + BigInt(Math.floor(Number(`0.${fraction}0`) * size));
    end += part.length;
  }
  return end > 0 && end === text.length && nanoseconds < 2n ** 63n ? nanoseconds : undefined;
}

/** Nanoseconds as Go writes a duration: `1h30m0s`, `1.5ms`. */
export function formatGoDuration(nanoseconds: number | bigint): string {
  let rest = BigInt(nanoseconds);
  if (rest === 0n) return '0s';
  const sign = rest < 0n ? '-' : '';
  if (rest < 0n) rest = -rest;
  if (rest < 1_000n) return `${sign}${rest}ns`;
  if (rest < 1_000_000n) return `${sign}${decimal(rest, 3)}µs`;
  if (rest < 1_000_000_000n) return `${sign}${decimal(rest, 6)}ms`;
  const minute = 60_000_000_000n;
  const hours = rest / (60n * minute);
  const minutes = (rest / minute) % 60n;
  const seconds = `${decimal(rest % minute, 9)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

function decimal(value: bigint, digits: number): string {
  const unit = 10n ** BigInt(digits);
  const fraction = String(value % unit)
    .padStart(digits, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(value / unit) : `${value / unit}.${fraction}`;
}
