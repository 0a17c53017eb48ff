import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { lookbackMs, type MetricPlan } from './metric-query-request.ts';
import { pointTables } from './metric-types.ts';
import { noRecordedValue, planIncreases, planSeries, planSteps, pointCondition } from './plan-increases.ts';

/**
 * Statement for all functions but quantiles. A row per group: labels, `(step, value)` pairs, and how many groups there are;
 * the largest by mean first.
 */
export function planMetricSeries(plan: MetricPlan): Statement {
  const parameters = new SqlParameters();
  const perSeries = plan.function === 'value' ? planValues(plan, parameters) : planPerSeries(plan, parameters);
  // The mean of a group of histograms is that of all their observations, not a sum of means.
  const aggregate =
    plan.function === 'mean' && plan.aggregation === 'sum' ? 'sum(sums) / sum(counts)' : `${plan.aggregation}(value)`;
  return parameters.statement(
    `SELECT labels, arraySort(groupArray((step, toFloat64(together)))) AS points, count() OVER () AS total
FROM (
  SELECT labels, step, ${aggregate} AS together
  FROM (
  ${perSeries}
  )
  GROUP BY labels, step
)
GROUP BY labels
ORDER BY avgIf(together, isFinite(together)) DESC NULLS LAST, labels
LIMIT ${parameters.uint32(plan.limit)}`,
  );
}

/** A row per series and step with `value`; for `mean` also `sums` and `counts`. */
function planPerSeries(plan: MetricPlan, parameters: SqlParameters): string {
  const steps = planSteps(plan, parameters, planIncreases(plan, parameters));
  const grown = 'sum(increases[1] * share)';
  if (plan.function === 'mean') {
    return `SELECT series_id, labels, step, ${grown} AS counts, sum(increases[2] * share) AS sums, sums / counts AS value
  FROM (
  ${steps}
  )
  GROUP BY series_id, labels, step
  HAVING counts > 0`;
  }
  const stepNanos = parameters.int64(BigInt(plan.steps.stepMs) * 1_000_000n);
  const value = plan.function === 'rate' ? `${grown} * 1e9 / if(sum(covered) > 0, sum(covered), ${stepNanos})` : grown;
  return `SELECT series_id, labels, step, ${value} AS value
  FROM (
  ${steps}
  )
  GROUP BY series_id, labels, step`;
}

/**
 * A row per series and step with the last value at or before the step's end, at most the lookback old: series that report at
 * different moments must not make their sum jump.
 */
function planValues(plan: MetricPlan, parameters: SqlParameters): string {
  const { stepMs, firstMs, count } = plan.steps;
  const first = parameters.int64(BigInt(firstMs) * 1_000_000n);
  const length = parameters.int64(BigInt(stepMs) * 1_000_000n);
  const carry = parameters.int64(BigInt(Math.max(lookbackMs, stepMs)) * 1_000_000n);
  const lastStep = parameters.int64(Math.min(count - 1, Math.floor((plan.horizonMs - 1 - firstMs) / stepMs)));
  return `SELECT series_id, labels, step, value
  FROM (
    SELECT series_id, labels, at, value, missing, leadInFrame(at) OVER w AS next,
      greatest(0, intDiv(at - ${first}, ${length})) AS low,
      least(${lastStep}, if(next = 0, ${lastStep}, intDiv(next - ${first}, ${length}) - 1), intDiv(at + ${carry} - ${first}, ${length})) AS high
    FROM (
      SELECT series_id, labels, toUnixTimestamp64Nano(time) AS at, value, ${noRecordedValue} AS missing
      FROM ${pointTables[plan.type]} AS points
      INNER JOIN (
    ${planSeries(plan, parameters)}
      ) AS matching USING series_id
      WHERE ${pointCondition(plan, parameters)}
      LIMIT 1 BY series_id, at
    )
    WINDOW w AS (PARTITION BY series_id ORDER BY at ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)
  )
  ARRAY JOIN range(toUInt64(low), toUInt64(greatest(high + 1, low))) AS step
  WHERE NOT missing AND at + ${carry} >= ${first} AND (next = 0 OR next > ${first})`;
}
