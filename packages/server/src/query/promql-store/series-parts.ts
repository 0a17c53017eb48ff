import { MetricType } from '@signalbox/records';

/** What of a stored series one series of PromQL shows. */
export type Part = 'value' | 'bucket' | 'quantile' | 'sum' | 'count' | 'histogram';

export interface NamedPart {
  readonly part: Part;
  readonly name: string;
}

/** The names under which a metric's family appears, and what each shows. */
export function partsOf(type: MetricType, family: string): readonly NamedPart[] {
  switch (type) {
    case MetricType.Histogram:
      return [
        { part: 'bucket', name: `${family}_bucket` },
        { part: 'sum', name: `${family}_sum` },
        { part: 'count', name: `${family}_count` },
      ];
    case MetricType.Summary:
      return [
        { part: 'quantile', name: family },
        { part: 'sum', name: `${family}_sum` },
        { part: 'count', name: `${family}_count` },
      ];
    case MetricType.ExponentialHistogram:
      return [{ part: 'histogram', name: family }];
    default:
      return [{ part: 'value', name: family }];
  }
}

/** The table that has the points of a kind of metric. */
export function pointTable(type: MetricType): string {
  switch (type) {
    case MetricType.Histogram:
      return 'histogram_points';
    case MetricType.Summary:
      return 'summary_points';
    case MetricType.ExponentialHistogram:
      return 'exponential_histogram_points';
    default:
      return 'number_points';
  }
}
