import { RecordedHistogram } from '@signalbox/records';
import type { SqlParameters } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import type { MetricPlan } from './metric-query-request.ts';
import { pointRange } from './metric-query-request.ts';
import { metricTypeNumber, pointTables } from './metric-types.ts';
import { labelText, seriesCondition } from './series-condition.ts';

/** `SELECT` of the matching series: id, temporality, labels in the order of `groupBy`. */
export function planSeries(plan: MetricPlan, parameters: SqlParameters): string {
  const labels = plan.groupBy.map((key) => labelText(parameters, key));
  const type = metricTypeNumber(plan.type);
  return `SELECT series_id, temporality, ${labels.length === 0 ? "CAST([], 'Array(String)')" : `[${labels.join(', ')}]`} AS labels
    FROM series
    WHERE ${seriesCondition({ name: plan.name, type, filters: plan.filters, range: pointRange(plan) }, parameters)}
    LIMIT 1 BY series_id`;
}

/** Condition on points: of the metric, and in the time that the steps need. */
export function pointCondition(plan: MetricPlan, parameters: SqlParameters): string {
  return `metric_name = ${parameters.string(plan.name)} AND ${isInTime(pointRange(plan), parameters, 'quarter')}`;
}

/** Points that say "nothing was recorded" (OTLP's flag 1). */
export const noRecordedValue = 'bitAnd(flags, 1) = 1';

/** Points of exponential histograms that came from outside, whose counts are whole. */
export const notRecorded = `bitAnd(presence, ${RecordedHistogram.FloatCounts}) = 0`;

/**
 * What the points of a type count up, as an array of `Float64` whose first element only falls when the counting starts anew,
 * and the shape that two points must share to be subtracted.
 */
const countersByTable: Readonly<Record<string, { counters: string; shape: string; only?: string }>> = {
  number_points: { counters: '[value]', shape: "CAST([], 'Array(Float64)')" },
  histogram_points: {
    counters: 'arrayConcat([toFloat64(count), sum], arrayMap(x -> toFloat64(x), bucket_counts))',
    shape: 'explicit_bounds',
  },
  exponential_histogram_points: {
    counters: '[toFloat64(count), sum, toFloat64(zero_count)]',
    shape: "CAST([], 'Array(Float64)')",
    // What rules recorded is nearly always a rate, which does not count up: PromQL shows it.
    only: ` AND ${notRecorded}`,
  },
  summary_points: { counters: '[toFloat64(count), sum]', shape: "CAST([], 'Array(Float64)')" },
};

/** Further columns of points that are counted up: name, SQL, and how to subtract and to scale them. */
export interface ExtraCounter {
  readonly name: string;
  readonly sql: string;
  subtract(now: string, before: string): string;
}

/**
 * `SELECT` of intervals `began` to `ended` (nanoseconds) with `increases`: what the counters grew in that time.
 *
 * - Delta points cover the time from their start (without one: from the point before) with what they say.
 * - Cumulative points cover the time from the point before with the difference. When counting started anew since, by a later
 *   start time or by a fall, they cover the time from that start with what they say (opentelemetry-proto, metrics data
 *   model, "Resets and Gaps").
 * - The first cumulative point counts whole when its start lies in the time that is read: a new process. Otherwise, and when
 *   start and time are equal (an unknown start), what it counted is not known to be of this time.
 */
export function planIncreases(
  plan: MetricPlan,
  parameters: SqlParameters,
  extra: readonly ExtraCounter[] = [],
): string {
  const table = pointTables[plan.type];
  const counted = countersByTable[table];
  if (counted === undefined) throw new Error(`${table} counts nothing`);
  const readFrom = parameters.int64(pointRange(plan).from);
  const sameOr = (subtract: string, whole: string): string => `if(delta OR anew OR first, ${whole}, ${subtract})`;
  const carried = extra.map(({ name }) => `, ${name}`).join('');
  const before = extra.map(({ name }) => `, lagInFrame(${name}) OVER w AS before_${name}`).join('');
  const grown = extra
    .map(({ name, subtract }) => `, ${sameOr(subtract(name, `before_${name}`), name)} AS grown_${name}`)
    .join('');
  return `SELECT series_id, labels, shape, ended,
    multiIf(delta, if(started > 0 AND started < ended, started, if(first, ended, before_ended)), first, started, anew, greatest(started, before_ended), before_ended) AS began,
    ${sameOr('arrayMap((now, past) -> now - past, counters, before_counters)', 'counters')} AS increases${grown}
  FROM (
    SELECT *, temporality = 1 AS delta, before_ended = 0 AS first,
      NOT first AND (counters[1] < before_counters[1] OR shape != before_shape OR (started > before_started AND started >= before_ended)) AS anew
    FROM (
      SELECT series_id, labels, temporality, ended, started, counters, shape${carried},
        lagInFrame(ended) OVER w AS before_ended, lagInFrame(started) OVER w AS before_started,
        lagInFrame(counters) OVER w AS before_counters, lagInFrame(shape) OVER w AS before_shape${before}
      FROM (
        SELECT series_id, labels, temporality, toUnixTimestamp64Nano(time) AS ended, toUnixTimestamp64Nano(start_time) AS started,
          ${counted.counters} AS counters, ${counted.shape} AS shape${extra.map(({ name, sql }) => `, ${sql} AS ${name}`).join('')}
        FROM ${table} AS points
        INNER JOIN (
    ${planSeries(plan, parameters)}
        ) AS matching USING series_id
        WHERE ${pointCondition(plan, parameters)} AND NOT ${noRecordedValue}${counted.only ?? ''}
        LIMIT 1 BY series_id, ended
      )
      WINDOW w AS (PARTITION BY series_id ORDER BY ended ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    )
  )
  WHERE delta OR (NOT first AND NOT anew) OR (started > 0 AND started < ended AND started >= ${readFrom}) OR (anew AND started <= before_ended)`;
}

/**
 * `SELECT` of the same cut into steps: `step` is a step's number, `share` the part of the interval that lies in it,
 * `covered` that part's length in nanoseconds. Counting is taken to be even within an interval, so that the increases of all
 * steps add up to those of the points, however points and steps lie.
 */
export function planSteps(plan: MetricPlan, parameters: SqlParameters, intervals: string): string {
  const first = parameters.int64(BigInt(plan.steps.firstMs) * 1_000_000n);
  const length = parameters.int64(BigInt(plan.steps.stepMs) * 1_000_000n);
  const end = parameters.int64(BigInt(plan.steps.firstMs + plan.steps.count * plan.steps.stepMs) * 1_000_000n);
  return `SELECT *, step,
    greatest(0, least(ended, ${first} + (step + 1) * ${length}) - greatest(began, ${first} + step * ${length})) AS covered,
    if(ended > began, covered / (ended - began), 1) AS share
  FROM (
    SELECT * FROM (
  ${intervals}
    ) WHERE ended > ${first} AND began < ${end}
  )
  ARRAY JOIN range(toUInt64(intDiv(greatest(began, ${first}) - ${first}, ${length})), toUInt64(intDiv(least(greatest(ended - 1, began), ${end} - 1) - ${first}, ${length}) + 1)) AS step`;
}
