import type { MetricFunction } from '@signalbox/api-contract';
import { formatBytes, formatCompact, formatDuration, formatRatio } from './format.ts';

export type Formatter = (value: number | null | undefined) => string;

const milliseconds: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1e3,
  min: 60e3,
  h: 3600e3,
  d: 86_400e3,
};
const bytes: Record<string, number> = {
  By: 1,
  KiBy: 1024,
  MiBy: 1024 ** 2,
  GiBy: 1024 ** 3,
  kBy: 1e3,
  MBy: 1e6,
  GBy: 1e9,
};

/** How values of a UCUM unit (as OpenTelemetry writes them: `ms`, `By`, `1`, `{request}`) are written. */
export function unitFormatter(unit: string): Formatter {
  const [base = '', per] = unit.split('/');
  const suffix = per ? `/${annotation(per) || per}` : '';
  const toMs = milliseconds[base];
  if (toMs !== undefined) return (value) => withSuffix(formatDuration(isNumber(value) ? value * toMs : null), suffix);
  const toBytes = bytes[base];
  if (toBytes !== undefined)
    return (value) => withSuffix(formatBytes(isNumber(value) ? value * toBytes : null), suffix);
  if (base === '%') return (value) => withSuffix(formatRatio(isNumber(value) ? value / 100 : null), suffix);
  if (base === '1' || base === '') return (value) => withSuffix(formatCompact(value), suffix);
  const word = annotation(base);
  // `{request}` counts things: the axis title says which, the numbers stay bare.
  if (word) return (value) => withSuffix(formatCompact(value), suffix);
  return (value) => withSuffix(`${formatCompact(value)} ${base}`, suffix, isNumber(value));
}

/** The formatter of what a function makes of a metric: a rate of bytes is bytes per second, a rate of anything counted is per second. */
export function functionFormatter(unit: string, type: string, fn: MetricFunction): Formatter {
  const countsObservations = type === 'histogram' || type === 'exponential_histogram' || type === 'summary';
  if (fn === 'rate') {
    if (countsObservations || milliseconds[unit] === undefined) {
      if (!countsObservations && bytes[unit] !== undefined) return unitFormatter(`${unit}/s`);
      // One unit for a whole chart and its table, unlike formatRate.
      return (value) => withSuffix(formatCompact(value), '/s');
    }
    return unitFormatter(`${unit}/s`);
  }
  if (fn === 'increase' && countsObservations) return formatCompact;
  return unitFormatter(unit);
}

/** What the axis shows, in words: `requests per second`, `ms`, empty when the numbers say it all. */
export function axisTitle(unit: string, type: string, fn: MetricFunction): string {
  const word = annotation(unit);
  const countsObservations = type === 'histogram' || type === 'exponential_histogram' || type === 'summary';
  const thing = countsObservations && (fn === 'rate' || fn === 'increase') ? 'observations' : word;
  if (fn === 'rate') return thing ? `${thing} per second` : 'per second';
  return thing;
}

function annotation(unit: string): string {
  return /^\{(.*)\}$/.exec(unit)?.[1] ?? '';
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function withSuffix(text: string, suffix: string, present = text !== '–'): string {
  return present ? `${text}${suffix}` : '–';
}

/** Step sizes that make round labels for a unit: an axis of seconds or bytes reads badly in plain tens. */
export function axisSteps(unit: string): number[] | null {
  const toBytes = bytes[unit.split('/')[0] ?? ''];
  if (toBytes === undefined) return null;
  const steps: number[] = [];
  for (let exponent = 0; exponent < 50; exponent++) steps.push(2 ** exponent / toBytes);
  return steps;
}
