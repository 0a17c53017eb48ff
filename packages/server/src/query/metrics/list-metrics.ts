import type { MetricLabelsResponse, MetricLabelValuesResponse, MetricsResponse } from '@signalbox/api-contract';
import { attributeKeys } from '../../store/clickhouse/attributes.ts';
import { type QueryContext, select } from '../query-context.ts';
import { shownService } from '../service-name.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import type { TimeRange } from '../time-range.ts';
import { metricTypeName } from './metric-types.ts';
import { labelText, seriesCondition, seriesInRange, serviceLabel } from './series-condition.ts';

const maxMetrics = 5_000;
const maxLabelValues = 1_000;
const temporalities = [null, 'delta', 'cumulative'] as const;

/** Metrics by name, one entry per name and type, of the 6 hours that the range touches. @param search part of the name, any case. */
export async function listMetrics(context: QueryContext, range: TimeRange, search: string): Promise<MetricsResponse> {
  type Row = [string, number, string, string, number, number, string[]];
  const rows = await select<Row>(context, planMetrics(range, search));
  return {
    metrics: rows.map(([name, type, unit, description, temporality, monotonic, services]) => ({
      name,
      type: metricTypeName(type),
      unit,
      description,
      temporality: temporalities[temporality] ?? null,
      monotonic: monotonic === 1,
      services,
    })),
  };
}

export function planMetrics(range: TimeRange, search: string): Statement {
  const parameters = new SqlParameters();
  const named = search === '' ? '' : ` AND positionCaseInsensitiveUTF8(metric_name, ${parameters.string(search)}) > 0`;
  return parameters.statement(
    `SELECT metric_name, type, argMax(unit, time), argMax(description, time), argMax(temporality, time), argMax(monotonic, time), arraySort(groupUniqArray(toString(${shownService()})))
FROM series
WHERE ${seriesInRange(parameters, range)}${named}
GROUP BY metric_name, type
ORDER BY metric_name, type
LIMIT ${maxMetrics}`,
  );
}

/** Keys of the attributes of a metric's points, and `service.name`. */
export async function listMetricLabels(
  context: QueryContext,
  name: string,
  range: TimeRange,
): Promise<MetricLabelsResponse> {
  const rows = await select<[string]>(context, planMetricLabels(name, range));
  return { labels: [serviceLabel, ...rows.map(([key]) => key).filter((key) => key !== serviceLabel)] };
}

export function planMetricLabels(name: string, range: TimeRange): Statement {
  const parameters = new SqlParameters();
  return parameters.statement(
    `SELECT DISTINCT arrayJoin(${attributeKeys('attributes')}) AS key
FROM series
WHERE ${seriesCondition({ name, filters: [], range }, parameters)}
ORDER BY key
LIMIT ${maxLabelValues}`,
  );
}

/** Values of one label of a metric. */
export async function listMetricLabelValues(
  context: QueryContext,
  name: string,
  label: string,
  range: TimeRange,
): Promise<MetricLabelValuesResponse> {
  const rows = await select<[string]>(context, planMetricLabelValues(name, label, range));
  return { values: rows.map(([value]) => value) };
}

export function planMetricLabelValues(name: string, label: string, range: TimeRange): Statement {
  const parameters = new SqlParameters();
  return parameters.statement(
    `SELECT DISTINCT ${labelText(parameters, label)} AS value
FROM series
WHERE ${seriesCondition({ name, filters: [], range }, parameters)} AND value != ''
ORDER BY value
LIMIT ${maxLabelValues}`,
  );
}
