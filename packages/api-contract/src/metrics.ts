import type { KeyValue } from './attributes.ts';
import type { FilterText } from './filter.ts';
import type { TimeRangeParameters, UnixNano } from './time.ts';

export type MetricType = 'gauge' | 'sum' | 'histogram' | 'exponential_histogram' | 'summary';

export interface MetricDescription {
  name: string;
  type: MetricType;
  unit: string;
  description: string;
  /** Sums and histograms. */
  temporality: 'cumulative' | 'delta' | null;
  monotonic: boolean;
  /** Services that sent it in the range. */
  services: string[];
}

/** `GET /api/signalbox/metrics?start&end&search` — by name. A name sent with two types is listed twice. */
export interface MetricsResponse {
  metrics: MetricDescription[];
}

/** `GET /api/signalbox/metrics/labels?name&start&end` — attribute keys of the metric's points, and `service.name`. */
export interface MetricLabelsResponse {
  labels: string[];
}

/** `GET /api/signalbox/metrics/label-values?name&label&start&end` */
export interface MetricLabelValuesResponse {
  values: string[];
}

/** How the points of one step are made into one value. */
export type MetricFunction =
  | 'rate' // per second: monotonic sums; histograms: observations per second
  | 'increase' // over the step
  | 'value' // gauges and non-monotonic sums: the last value in the step
  | 'mean' // histograms and summaries: sum / count of the step
  | 'p50'
  | 'p90'
  | 'p95'
  | 'p99'; // histograms

/** How series are put together. */
export type MetricAggregation = 'sum' | 'avg' | 'min' | 'max' | 'count';

/** `GET /api/signalbox/metrics/query?…` */
export interface MetricQueryParameters extends TimeRangeParameters {
  name: string;
  type?: MetricType;
  /** Default by type: `rate` for monotonic sums, `value` for gauges and other sums, `p95` for histograms, `mean` for summaries. */
  function?: MetricFunction;
  /** Default `sum`, for gauges `avg`. Quantiles merge buckets and know no other. */
  aggregation?: MetricAggregation;
  /** Repeatable: attribute keys; none: one series. `service.name` is always a key. */
  groupBy?: string[];
  filter?: FilterText[];
  stepMs?: number;
  /** At most this many series, the largest by mean (default 50, at most 500). */
  limit?: number;
}

export interface MetricQueryResponse {
  times: number[];
  stepMs: number;
  unit: string;
  type: MetricType;
  function: MetricFunction;
  aggregation: MetricAggregation;
  series: { labels: Record<string, string>; values: (number | null)[] }[];
  /** How many series there are before `limit`. */
  total: number;
}

/** `GET /api/signalbox/metrics/exemplars?name&filter&start&end&limit` — newest first, at most 500; of more, slices of the range take turns, each with its largest value. */
export interface ExemplarsResponse {
  exemplars: {
    timeUnixNano: UnixNano;
    value: number;
    traceId: string;
    spanId: string;
    labels: Record<string, string>;
    filteredAttributes: KeyValue[];
  }[];
}
