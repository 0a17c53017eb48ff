import type { MetricPointObject } from '@signalbox/records';
import { type RecordedAttributes, recordedAttributes } from './recorded-value.ts';

export const METRIC_TYPES = ['none', 'gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const;
export type RecordedMetricType = (typeof METRIC_TYPES)[number];

export const TEMPORALITIES = ['unspecified', 'delta', 'cumulative'] as const;
export type RecordedTemporality = (typeof TEMPORALITIES)[number];

export interface RecordedExemplar {
  readonly value: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: RecordedAttributes;
}

/** One series as it stands: the last point that arrived, or with delta temporality the sum of all that arrived. */
export interface RecordedSeries {
  readonly attributes: RecordedAttributes;
  readonly resource: RecordedAttributes;
  readonly scope: { readonly name: string; readonly version: string };
  /** Of gauges and sums; undefined for the other types. */
  readonly value: number | undefined;
  /** Of histograms and summaries: how many values were recorded, and their sum; undefined for the other types. */
  readonly count: number | undefined;
  readonly sum: number | undefined;
  /** Of histograms with explicit bounds, per bucket and not cumulative; empty for the other types. */
  readonly bounds: readonly number[];
  readonly bucketCounts: readonly number[];
  /** Of the last point. */
  readonly exemplars: readonly RecordedExemplar[];
}

export interface RecordedMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly type: RecordedMetricType;
  readonly temporality: RecordedTemporality;
  readonly monotonic: boolean;
  readonly series: readonly RecordedSeries[];
}

/**
 * The metrics of many points, in the order in which they first arrived. What two resources or scopes call by one name is
 * one metric here with a series for each; a second type or unit under the same name is a metric of its own.
 */
export function recordedMetrics(points: readonly MetricPointObject[]): RecordedMetric[] {
  const metrics = new Map<string, { metric: Omit<RecordedMetric, 'series'>; series: Map<string, RecordedSeries> }>();
  for (const point of points) {
    const { name, description, unit, monotonic } = point.metric;
    const type = METRIC_TYPES[point.metric.type] ?? 'none';
    const temporality = TEMPORALITIES[point.metric.temporality] ?? 'unspecified';
    const identity = JSON.stringify([name, unit, type, monotonic, temporality]);
    let found = metrics.get(identity);
    if (found === undefined) {
      found = { metric: { name, description, unit, type, temporality, monotonic }, series: new Map() };
      metrics.set(identity, found);
    }
    const series = recordedSeries(point);
    const key = seriesKey(series);
    const earlier = found.series.get(key);
    found.series.set(key, earlier !== undefined && temporality === 'delta' ? added(earlier, series) : series);
  }
  return Array.from(metrics.values(), ({ metric, series }) => ({ ...metric, series: [...series.values()] }));
}

function recordedSeries(point: MetricPointObject): RecordedSeries {
  const bucketCounts: readonly bigint[] = 'bucketCounts' in point ? point.bucketCounts : [];
  const exemplars = 'exemplars' in point ? point.exemplars : [];
  return {
    attributes: recordedAttributes(point.attributes),
    resource: recordedAttributes(point.resource.attributes),
    scope: { name: point.scope.name, version: point.scope.version },
    value: 'value' in point && point.value !== null ? Number(point.value) : undefined,
    count: 'count' in point ? Number(point.count) : undefined,
    sum: 'sum' in point ? (point.sum ?? undefined) : undefined,
    bounds: 'explicitBounds' in point ? point.explicitBounds : [],
    bucketCounts: bucketCounts.map(Number),
    exemplars: exemplars.map(({ value, traceId, spanId, attributes }) => ({
      value: Number(value),
      traceId,
      spanId,
      attributes: recordedAttributes(attributes),
    })),
  };
}

function added(earlier: RecordedSeries, later: RecordedSeries): RecordedSeries {
  const sum = (a: number | undefined, b: number | undefined) => (a === undefined || b === undefined ? b : a + b);
  return {
    ...later,
    value: sum(earlier.value, later.value),
    count: sum(earlier.count, later.count),
    sum: sum(earlier.sum, later.sum),
    bucketCounts: later.bucketCounts.map((count, bucket) => count + (earlier.bucketCounts[bucket] ?? 0)),
  };
}

/** Attributes have no order, so they are sorted by name. */
function seriesKey({ attributes, resource, scope }: RecordedSeries): string {
  const sorted = (values: RecordedAttributes) =>
    Object.entries(values)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => [name, typeof value === 'bigint' ? `${value}` : value]);
  return JSON.stringify([scope.name, scope.version, sorted(attributes), sorted(resource)]);
}
