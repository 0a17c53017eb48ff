import type { MetricAggregation, MetricDescription, MetricFunction, MetricType } from '@signalbox/api-contract';

/** What can be asked of a metric's kind, the default first. */
export function functionsFor({
  type,
  monotonic,
}: Pick<MetricDescription, 'type' | 'monotonic'>): readonly MetricFunction[] {
  switch (type) {
    case 'histogram':
    case 'exponential_histogram':
      return ['p95', 'p50', 'p90', 'p99', 'mean', 'rate', 'increase'];
    case 'summary':
      return ['mean', 'rate', 'increase'];
    case 'sum':
      return monotonic ? ['rate', 'increase'] : ['value'];
    default:
      return ['value'];
  }
}

function isQuantile(fn: MetricFunction): boolean {
  return /^p\d+$/.test(fn);
}

/** Quantiles merge buckets: there is nothing to choose. */
export function aggregationsFor(type: MetricType, fn: MetricFunction): readonly MetricAggregation[] {
  if (isQuantile(fn)) return [];
  return type === 'gauge' ? ['avg', 'sum', 'min', 'max', 'count'] : ['sum', 'avg', 'min', 'max', 'count'];
}

export const functionLabels: Record<MetricFunction, string> = {
  rate: 'Rate per second',
  increase: 'Increase per step',
  value: 'Value',
  mean: 'Mean',
  p50: 'p50',
  p90: 'p90',
  p95: 'p95',
  p99: 'p99',
};

const typeLabels: Record<MetricType, string> = {
  gauge: 'gauge',
  sum: 'sum',
  histogram: 'histogram',
  exponential_histogram: 'exp. histogram',
  summary: 'summary',
};

/** `counter` says more than “monotonic sum”. */
export function kindLabel({ type, monotonic }: Pick<MetricDescription, 'type' | 'monotonic'>): string {
  return type === 'sum' && monotonic ? 'counter' : typeLabels[type];
}

/** The text of a line: values of what was grouped by; for one line alone, the metric's name. */
export function seriesLabel(labels: Readonly<Record<string, string>>, fallback: string): string {
  const entries = Object.entries(labels);
  if (entries.length === 0) return fallback;
  if (entries.length === 1) return entries[0]?.[1] || '(none)';
  return entries.map(([key, value]) => `${key}=${value || '(none)'}`).join(' ');
}

export interface SeriesFigures {
  last: number | null;
  mean: number | null;
  max: number | null;
  min: number | null;
}

export function figuresOf(values: readonly (number | null)[]): SeriesFigures {
  let last: number | null = null;
  let max: number | null = null;
  let min: number | null = null;
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (value === null) continue;
    last = value;
    max = max === null || value > max ? value : max;
    min = min === null || value < min ? value : min;
    sum += value;
    count++;
  }
  return { last, mean: count ? sum / count : null, max, min };
}

export interface PlacedExemplar<T> {
  readonly exemplar: T;
  readonly x: number;
  readonly y: number;
}

/**
 * Exemplars that can each be seen and hit: of those closer than `apart` pixels, the one with the largest value.
 * In the order given.
 */
export function spreadExemplars<T extends { value: number }>(
  placed: readonly PlacedExemplar<T>[],
  apart: number,
): PlacedExemplar<T>[] {
  const chosen: PlacedExemplar<T>[] = [];
  for (const one of [...placed].sort((a, b) => b.exemplar.value - a.exemplar.value)) {
    if (chosen.every((other) => (other.x - one.x) ** 2 + (other.y - one.y) ** 2 >= apart ** 2)) chosen.push(one);
  }
  const kept = new Set(chosen);
  return placed.filter((one) => kept.has(one));
}

/**
 * Of many exemplars those that show most: in each of `slots` equal parts of their time the one with the highest value and the newest other.
 * The order is kept.
 */
export function thinExemplars<Exemplar extends { timeUnixNano: string; value: number }>(
  exemplars: readonly Exemplar[],
  slots: number,
): Exemplar[] {
  const times = exemplars.map(({ timeUnixNano }) => Number(timeUnixNano.slice(0, -6)));
  const first = times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
  const last = times.reduce((most, time) => Math.max(most, time), 0);
  const kept = new Set<Exemplar>();
  const highest = new Map<number, Exemplar>();
  const newest = new Map<number, Exemplar>();
  exemplars.forEach((exemplar, index) => {
    const slot = Math.min(slots - 1, Math.floor((((times[index] ?? 0) - first) / Math.max(1, last - first)) * slots));
    if (!newest.has(slot)) newest.set(slot, exemplar);
    const before = highest.get(slot);
    if (!before || exemplar.value > before.value) highest.set(slot, exemplar);
  });
  for (const exemplar of [...highest.values(), ...newest.values()]) kept.add(exemplar);
  return exemplars.filter((exemplar) => kept.has(exemplar));
}
