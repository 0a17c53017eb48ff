import { prometheusMetricName } from '@signalbox/otlp';
import { MetricType } from '@signalbox/records';
import { expect, test } from 'vitest';
import { floatType } from './float-type.ts';

test.each([
  'http_requests_total',
  'go_gc_cycles_total_gc_cycles_total',
  'total_requests_total',
  'subtotal_requests_total',
  'up',
  'total',
  'requests_total_ratio',
])('%s keeps its name in PromQL', (name) => {
  const type = floatType(name);
  const metric = { name, unit: '', type, isMonotonic: type === MetricType.Sum };
  expect(prometheusMetricName(metric, 'UnderscoreEscapingWithSuffixes')).toBe(name);
});

test('what only ends in _total is a sum', () => {
  expect(floatType('http_requests_total')).toBe(MetricType.Sum);
  expect(floatType('subtotal_requests_total')).toBe(MetricType.Sum);
});
