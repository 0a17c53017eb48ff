import { type QueryContext, select } from '../query-context.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { explicitQuantile, exponentialQuantile, mergeExplicit } from './histogram-quantile.ts';
import type { MetricPlan } from './metric-query-request.ts';
import { pointTables } from './metric-types.ts';
import {
  type ExtraCounter,
  notRecorded,
  planIncreases,
  planSeries,
  planSteps,
  pointCondition,
} from './plan-increases.ts';

/** Rows of one answer: groups × steps × different bucket layouts. */
const maxRows = 200_000;

/** Quantiles per group and step; buckets of a group's series are added up first. */
export type GroupedValues = Map<string, { labels: readonly string[]; values: (number | null)[] }>;

export async function metricQuantiles(context: QueryContext, plan: MetricPlan, q: number): Promise<GroupedValues> {
  return plan.type === 'histogram' ? explicitQuantiles(context, plan, q) : exponentialQuantiles(context, plan, q);
}

async function explicitQuantiles(context: QueryContext, plan: MetricPlan, q: number): Promise<GroupedValues> {
  type Row = [labels: string[], step: string, bounds: number[], increases: number[]];
  const layouts = new Map<
    string,
    { labels: string[]; step: number; parts: { bounds: number[]; counts: number[] }[] }
  >();
  for (const [labels, step, bounds, increases] of await select<Row>(context, planExplicitBuckets(plan), maxRows)) {
    const key = JSON.stringify([labels, step]);
    const layout = layouts.get(key) ?? { labels, step: Number(step), parts: [] };
    layouts.set(key, layout);
    // The first two are the count and the sum.
    layout.parts.push({ bounds, counts: increases.slice(2) });
  }
  const groups: GroupedValues = new Map();
  for (const { labels, step, parts } of layouts.values()) {
    setValue(groups, plan, labels, step, explicitQuantile(mergeExplicit(parts), q));
  }
  return groups;
}

export function planExplicitBuckets(plan: MetricPlan): Statement {
  const parameters = new SqlParameters();
  return parameters.statement(
    `SELECT labels, step, shape, sumForEach(arrayMap(x -> x * share, increases))
FROM (
${planSteps(plan, parameters, planIncreases(plan, parameters))}
)
GROUP BY labels, step, shape
ORDER BY labels, step, shape`,
  );
}

type IndexCounts = Readonly<Record<string, number>>;

async function exponentialQuantiles(context: QueryContext, plan: MetricPlan, q: number): Promise<GroupedValues> {
  type Row = [string[], string, number, number, number[], IndexCounts, IndexCounts];
  const groups: GroupedValues = new Map();
  const rows = await select<Row>(context, planExponentialBuckets(plan), maxRows);
  for (const [labels, step, scale, zeroThreshold, increases, positive, negative] of rows) {
    const histogram = {
      scale,
      zeroThreshold,
      zeroCount: increases[2] ?? 0,
      positive: toIndexCounts(positive),
      negative: toIndexCounts(negative),
    };
    setValue(groups, plan, labels, Number(step), exponentialQuantile(histogram, q));
  }
  return groups;
}

function toIndexCounts(counts: IndexCounts): Map<number, number> {
  return new Map(Object.entries(counts).map(([index, count]) => [Number(index), count]));
}

/** All points are brought to the coarsest scale among them: finer buckets nest in coarser ones without loss. */
export function planExponentialBuckets(plan: MetricPlan): Statement {
  const parameters = new SqlParameters();
  const table = pointTables[plan.type];
  const matching = `${pointCondition(plan, parameters)} AND ${notRecorded} AND series_id IN (SELECT series_id FROM (${planSeries(plan, parameters)}))`;
  const coarse = (sign: 'positive' | 'negative'): ExtraCounter => ({
    name: sign,
    subtract: (now, before) => `mapSubtract(${now}, ${before})`,
    sql: `CAST(arrayMap((i, c) -> (i, c),
            (arrayReduce('sumMap', [arrayMap(i -> toInt32(bitShiftRight(toInt64(${sign}_offset) + toInt64(i) - 1, scale - coarsest)), arrayEnumerate(${sign}_counts))], [arrayMap(c -> toFloat64(c), ${sign}_counts)]) AS ${sign}_summed).1, ${sign}_summed.2), 'Map(Int32, Float64)')`,
  });
  const intervals = planIncreases(plan, parameters, [coarse('positive'), coarse('negative')]);
  return parameters.statement(
    `WITH (SELECT min(scale) FROM ${table} WHERE ${matching}) AS coarsest, (SELECT max(zero_threshold) FROM ${table} WHERE ${matching}) AS zero_width
SELECT labels, step, coarsest, zero_width, sumForEach(arrayMap(x -> x * share, increases)),
  sumMap(mapApply((index, count) -> (index, count * share), grown_positive)), sumMap(mapApply((index, count) -> (index, count * share), grown_negative))
FROM (
${planSteps(plan, parameters, intervals)}
)
GROUP BY labels, step
ORDER BY labels, step`,
  );
}

function setValue(
  groups: GroupedValues,
  plan: MetricPlan,
  labels: readonly string[],
  step: number,
  value: number | null,
): void {
  const key = JSON.stringify(labels);
  const group = groups.get(key) ?? { labels, values: new Array<number | null>(plan.steps.count).fill(null) };
  groups.set(key, group);
  group.values[step] = value;
}
