import { MetricType } from '@signalbox/records';

/** Kinds of metrics as Prometheus calls them. */
export type PrometheusType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';

/** What kind of metric a stored one is in Prometheus. */
export function prometheusType(type: MetricType, isMonotonic: boolean): PrometheusType {
  switch (type) {
    case MetricType.Gauge:
      return 'gauge';
    case MetricType.Sum:
      return isMonotonic ? 'counter' : 'gauge';
    case MetricType.Histogram:
    case MetricType.ExponentialHistogram:
      return 'histogram';
    case MetricType.Summary:
      return 'summary';
    default:
      return 'unknown';
  }
}
