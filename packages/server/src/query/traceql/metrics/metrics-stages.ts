import type { traceql } from '@signalbox/query-language';
import { type Label, labelsKey, NAME, type TimeSeries } from './time-series.ts';

/** Applies what stands behind a metrics function: `| topk(5) > 10`. */
export function applyStages(
  series: readonly TimeSeries[],
  stages: readonly traceql.MetricsStage[],
): readonly TimeSeries[] {
  return stages.reduce(
    (current, stage) => (stage.kind === 'metricsFilter' ? filterSeries(current, stage) : rankSeries(current, stage)),
    series,
  );
}

function filterSeries(series: readonly TimeSeries[], { operator, value: limit }: traceql.MetricsFilter): TimeSeries[] {
  const holds = (value: number): boolean => compare(operator, value, limit);
  return series.flatMap(({ labels, values, exemplars }) => {
    const kept = values.map((value) => (holds(value) ? value : Number.NaN));
    if (kept.every(Number.isNaN)) return [];
    return [{ labels, values: kept, exemplars: exemplars.filter(({ value }) => holds(value)) }];
  });
}

/** False for NaN. */
function compare(operator: traceql.ComparisonOperator, value: number, limit: number): boolean {
  switch (operator) {
    case '=':
      return value === limit;
    case '!=':
      return value !== limit && !Number.isNaN(value);
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
  }
}

/** The first or last series of each step; of equal ones those that Tempo takes. */
function rankSeries(series: readonly TimeSeries[], { kind, limit }: traceql.RankStage): readonly TimeSeries[] {
  if (series.length <= limit) return series;
  const steps = series[0]?.values.length ?? 0;
  const ranked = series.map(({ values }) => new Float64Array(values.length).fill(Number.NaN));
  const sign = kind === 'topk' ? -1 : 1;
  for (let step = 0; step < steps; step++) {
    const present = series
      .map(({ values }, index) => ({ index, value: values[step] ?? Number.NaN }))
      .filter(({ value }) => !Number.isNaN(value))
      .sort(
        (a, b) =>
          sign * (a.value - b.value) ||
          compareLabels(series[a.index]?.labels ?? [], series[b.index]?.labels ?? [], sign),
      );
    for (const { index, value } of present.slice(0, limit)) (ranked[index] as Float64Array)[step] = value;
  }
  return series.flatMap(({ labels, exemplars }, index) => {
    const values = ranked[index] as Float64Array;
    return values.every(Number.isNaN) ? [] : [{ labels, values, exemplars }];
  });
}

/**
 * Negative: `a` is taken before `b`. Of equal series `topk` takes the first and `bottomk` the last by the texts of their labels; of
 * numbers `topk` takes the largest.
 */
function compareLabels(a: readonly Label[], b: readonly Label[], sign: number): number {
  for (const [index, [, { value }]] of a.entries()) {
    const other = b[index]?.[1].value;
    const [text, otherText] = [typeof value === 'string' ? value : '', typeof other === 'string' ? other : ''];
    if (text !== otherText) return (text < otherText ? 1 : -1) * sign;
    if (isNumber(value) && isNumber(other) && value !== other) return (value < other ? -1 : 1) * sign;
  }
  return labelsKey(a) < labelsKey(b) ? sign : -sign;
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

type Arithmetic = traceql.MetricsOperation['operator'];

export function applyArithmetic(operator: Arithmetic, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
  }
}

/**
 * Series of both sides with the same labels, calculated with each other. A side that is one series without labels goes with
 * every series of the other.
 */
export function combineSeries(
  operator: Arithmetic,
  lefts: readonly TimeSeries[],
  rights: readonly TimeSeries[],
): TimeSeries[] {
  const left = byKey(lefts);
  const right = byKey(rights);
  const leading = right.has('') ? left : right;
  return [...leading.keys()].flatMap((key) => {
    const a = left.get(key) ?? left.get('');
    const b = right.get(key) ?? right.get('');
    if (a === undefined || b === undefined) return [];
    const isOwn = (side: ReadonlyMap<string, TimeSeries>): boolean => side.has(key);
    const exemplars =
      isOwn(left) === isOwn(right) ? [...a.exemplars, ...b.exemplars] : isOwn(left) ? a.exemplars : b.exemplars;
    const values = a.values.map((value, step) => applyArithmetic(operator, value, b.values[step] ?? Number.NaN));
    return [{ labels: mergeLabels(operator, a.labels, b.labels), values, exemplars }];
  });
}

function byKey(series: readonly TimeSeries[]): ReadonlyMap<string, TimeSeries> {
  return new Map(series.map((each) => [labelsKey(each.labels.filter(([name]) => name !== NAME)), each]));
}

/** Two names become one that says what was done with them; one alone is dropped. */
function mergeLabels(operator: Arithmetic, left: readonly Label[], right: readonly Label[]): Label[] {
  const nameOf = (labels: readonly Label[]): unknown => labels.find(([name]) => name === NAME)?.[1].value;
  const names = new Set(left.map(([name]) => name));
  const others = [...left, ...right.filter(([name]) => !names.has(name))].filter(([name]) => name !== NAME);
  const [a, b] = [nameOf(left), nameOf(right)];
  if (typeof a !== 'string' || typeof b !== 'string') return others;
  return [[NAME, { type: 'string', value: `(${a} ${operator} ${b})` }], ...others];
}
