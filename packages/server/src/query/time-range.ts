import { QueryInputError } from './query-input-error.ts';

/** Nanoseconds since 1970, `from` inclusive, `to` exclusive. */
export interface TimeRange {
  readonly from: bigint;
  readonly to: bigint;
}

export const nanosPerMilli = 1_000_000n;
export const nanosPerSecond = 1_000_000_000n;

/** Length of the parts that tables are made of: what is noted once per part carries the part's start as its time. */
export const partitionNanos = 6n * 3_600n * nanosPerSecond;

/** Reads `start` and `end` (see `TimeRangeParameters`). Without them the last hour. */
export function parseTimeRange(start: string | undefined, end: string | undefined, nowMs: number): TimeRange {
  const to = end === undefined ? BigInt(nowMs) * nanosPerMilli : parseInstant('end', end, nowMs);
  const from = start === undefined ? to - 3_600n * nanosPerSecond : parseInstant('start', start, nowMs);
  if (from >= to) {
    throw new QueryInputError('start must lie before end', { parameter: start === undefined ? 'end' : 'start' });
  }
  return { from, to };
}

const unitSeconds: Readonly<Record<string, bigint>> = { s: 1n, m: 60n, h: 3_600n, d: 86_400n, w: 604_800n };
const rfc3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;

function parseInstant(parameter: 'start' | 'end', text: string, nowMs: number): bigint {
  const instant = readInstant(text.trim(), nowMs);
  if (instant === undefined) {
    throw new QueryInputError(`${parameter} is no time`, {
      parameter,
      position: { start: 0, end: text.length },
      hint: 'Unix milliseconds (1764000000000), RFC 3339 (2026-11-21T09:00:00Z), or relative: now, now-15m (units s, m, h, d, w).',
    });
  }
  if (instant < 0n || instant > latest) {
    throw new QueryInputError(`${parameter} lies outside of the years 1970 to 2199`, {
      parameter,
      position: { start: 0, end: text.length },
    });
  }
  return instant;
}

/** Nanoseconds of 64 bits end in 2262; the longest step and lookback must fit behind it. */
const latest = BigInt(Date.UTC(2200, 0, 1)) * nanosPerMilli;

function readInstant(text: string, nowMs: number): bigint | undefined {
  if (/^\d{1,15}$/.test(text)) return BigInt(text) * nanosPerMilli;
  const relative = /^now(?:([+-])(\d{1,9})([smhdw]))?$/.exec(text);
  if (relative !== null) {
    const [, sign, amount = '0', unit = 's'] = relative;
    const shift = BigInt(amount) * (unitSeconds[unit] ?? 0n) * nanosPerSecond;
    const now = BigInt(nowMs) * nanosPerMilli;
    return sign === '-' ? now - shift : now + shift;
  }
  const absolute = rfc3339.exec(text);
  if (absolute === null) return undefined;
  const [, date, time, fraction = '', zone] = absolute;
  const seconds = Date.parse(`${date}T${time}${zone?.toUpperCase()}`);
  return Number.isNaN(seconds) ? undefined : BigInt(seconds) * nanosPerMilli + BigInt(fraction.padEnd(9, '0'));
}

/** Steps that people read easily, in ms. */
const niceStepsMs = [
  1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000,
  7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000,
];

/** Steps of equal length that cover a range; `times` are their starts, multiples of the step since 1970, in ms. */
export interface Steps {
  readonly stepMs: number;
  readonly firstMs: number;
  readonly count: number;
}

export interface StepOptions {
  /** About so many steps when the request names none. */
  readonly wanted: number;
  /** Shortest step in ms; steps are multiples of it. */
  readonly finest: number;
  /** As the request has it. */
  readonly stepMs?: number | undefined;
}

export const maxSteps = 2_000;

/** Covers the range with aligned steps. A step that the request names is rounded up to a multiple of the finest. */
export function chooseSteps(range: TimeRange, options: StepOptions): Steps {
  const fromMs = Number(range.from / nanosPerMilli);
  const toMs = Number((range.to + nanosPerMilli - 1n) / nanosPerMilli);
  const stepMs =
    options.stepMs === undefined
      ? niceStep((toMs - fromMs) / options.wanted, options.finest)
      : Math.ceil(options.stepMs / options.finest) * options.finest;
  const firstMs = Math.floor(fromMs / stepMs) * stepMs;
  const count = Math.ceil((toMs - firstMs) / stepMs);
  if (count > maxSteps) {
    throw new QueryInputError(`That are ${count} steps, and at most ${maxSteps} are given`, {
      parameter: 'stepMs',
      hint: `Use a step of at least ${Math.ceil((toMs - fromMs) / maxSteps)} ms, or a shorter range.`,
    });
  }
  return { stepMs, firstMs, count };
}

/** A little shorter than asked for is better than much longer. */
function niceStep(atLeastMs: number, finest: number): number {
  for (const step of niceStepsMs) if (step >= atLeastMs * 0.8 && step >= finest && step % finest === 0) return step;
  const week = 604_800_000;
  return Math.ceil(atLeastMs / week) * week;
}

export function stepTimes(steps: Steps): number[] {
  return Array.from({ length: steps.count }, (_, index) => steps.firstMs + index * steps.stepMs);
}
