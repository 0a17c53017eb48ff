import type { MetricFunction, MetricQueryResponse } from '@signalbox/api-contract';
import { checkPatterns } from '../filter/check-patterns.ts';
import { type QueryContext, select } from '../query-context.ts';
import { chooseSteps, stepTimes } from '../time-range.ts';
import { metricQuantiles } from './metric-quantiles.ts';
import { type MetricPlan, type MetricQueryRequest, planMetricQuery } from './metric-query-request.ts';
import { planMetricSeries } from './plan-metric-series.ts';

const wantedSteps = 120;
const quantiles: Readonly<Partial<Record<MetricFunction, number>>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 };

/**
 * A metric over time. Steps are aligned and whole: the first may begin before the range.
 *
 * `rate`, `increase`, `mean` and quantiles are of what was counted in the step, whatever the temporality; a step that no two
 * points cover is null. `value` is the last value at the step's end, up to five minutes old.
 */
export async function queryMetric(context: QueryContext, request: MetricQueryRequest): Promise<MetricQueryResponse> {
  const steps = chooseSteps(request.range, { wanted: wantedSteps, finest: 1_000, stepMs: request.stepMs });
  await checkPatterns(context, request.filters);
  const plan = await planMetricQuery(context, request, steps);
  const q = quantiles[plan.function];
  const { series, total } = q === undefined ? await aggregated(context, plan) : await quantile(context, plan, q);
  return {
    times: stepTimes(steps),
    stepMs: steps.stepMs,
    unit: plan.unit,
    type: plan.type,
    function: plan.function,
    aggregation: plan.aggregation,
    series,
    total,
  };
}

type SeriesAnswer = Pick<MetricQueryResponse, 'series' | 'total'>;

async function aggregated(context: QueryContext, plan: MetricPlan): Promise<SeriesAnswer> {
  type Row = [labels: string[], points: [step: string, value: number | string][], total: string];
  const rows = await select<Row>(context, planMetricSeries(plan));
  const series = rows.map(([labels, points]) => {
    const values = new Array<number | null>(plan.steps.count).fill(null);
    // NaN and infinities come as text, and JSON has no word for them.
    for (const [step, value] of points) values[Number(step)] = typeof value === 'number' ? value : null;
    return { labels: namedLabels(plan, labels), values };
  });
  return { series, total: Number(rows[0]?.[2] ?? 0) };
}

async function quantile(context: QueryContext, plan: MetricPlan, q: number): Promise<SeriesAnswer> {
  const groups = [...(await metricQuantiles(context, plan, q)).entries()].map(([key, group]) => ({
    key,
    mean: mean(group.values),
    ...group,
  }));
  groups.sort((a, b) => b.mean - a.mean || (a.key < b.key ? -1 : 1));
  return {
    series: groups.slice(0, plan.limit).map(({ labels, values }) => ({ labels: namedLabels(plan, labels), values })),
    total: groups.length,
  };
}

function mean(values: readonly (number | null)[]): number {
  const present = values.filter((value) => value !== null);
  return present.length === 0
    ? Number.NEGATIVE_INFINITY
    : present.reduce((sum, value) => sum + value, 0) / present.length;
}

function namedLabels(plan: MetricPlan, labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(plan.groupBy.map((key, index) => [key, labels[index] ?? '']));
}
