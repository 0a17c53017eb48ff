import type { MetricType } from '@signalbox/api-contract';

/** Names by the number that `series.type` has, and the tables of their points. */
export const metricTypes = ['gauge', 'sum', 'histogram', 'exponential_histogram', 'summary'] as const;

export function metricTypeName(number: number): MetricType {
  return metricTypes[number - 1] ?? 'gauge';
}

export function metricTypeNumber(type: MetricType): number {
  return metricTypes.indexOf(type) + 1;
}

export const pointTables: Readonly<Record<MetricType, string>> = {
  gauge: 'number_points',
  sum: 'number_points',
  histogram: 'histogram_points',
  exponential_histogram: 'exponential_histogram_points',
  summary: 'summary_points',
};
