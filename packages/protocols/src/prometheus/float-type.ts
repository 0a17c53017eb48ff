import { MetricType } from '@signalbox/records';

/**
 * What a float is stored as so that Prometheus's rules for OTLP give it back its name: a sum where that ends in `_total`, otherwise a gauge. A
 * `total` further in front, as of `go_gc_cycles_total_gc_cycles_total`, would be taken out of the name of a sum.
 */
export function floatType(name: string): MetricType {
  return name.endsWith('_total') && !/(?:^|_)total_/.test(name) ? MetricType.Sum : MetricType.Gauge;
}
