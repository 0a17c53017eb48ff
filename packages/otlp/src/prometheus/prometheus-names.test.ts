import { MetricType } from '@signalbox/records';
import { describe, expect, it } from 'vitest';
import { prometheusLabelName } from './prometheus-label-name.ts';
import { prometheusMetricName } from './prometheus-metric-name.ts';
import { prometheusUnit } from './prometheus-unit.ts';
import type { TranslationStrategy } from './translation-strategy.ts';

// Expectations follow the specification ("Metric Metadata" of the compatibility with Prometheus) and Prometheus's own translator.

const withSuffixes: TranslationStrategy = 'UnderscoreEscapingWithSuffixes';
const unescapedWithSuffixes: TranslationStrategy = 'NoUTF8EscapingWithSuffixes';

describe('names of metrics', () => {
  const gauge = (name: string, unit = '') => ({ name, unit, type: MetricType.Gauge, isMonotonic: false });
  const counter = (name: string, unit = '') => ({ name, unit, type: MetricType.Sum, isMonotonic: true });
  const upDown = (name: string, unit = '') => ({ name, unit, type: MetricType.Sum, isMonotonic: false });
  const histogram = (name: string, unit = '') => ({ name, unit, type: MetricType.Histogram, isMonotonic: false });

  it.each([
    [counter('http.server.requests'), 'http_server_requests_total'],
    [counter('requests.total'), 'requests_total'],
    [counter('total.requests'), 'requests_total'],
    [counter('sent', 'By'), 'sent_bytes_total'],
    [counter('sent.bytes', 'By'), 'sent_bytes_total'],
    [counter('jobs', '1'), 'jobs_total'],
    [upDown('queue.length', '{item}'), 'queue_length'],
    [gauge('cpu.utilization', '1'), 'cpu_utilization_ratio'],
    [gauge('ratio', '1'), 'ratio'],
    [gauge('speed', 'm/s'), 'speed_meters_per_second'],
    [gauge('traffic', 'By/s'), 'traffic_bytes_per_second'],
    [gauge('rate', '{request}/s'), 'rate_per_second'],
    [gauge('disk', 'MiBy'), 'disk_mebibytes'],
    [gauge('load', 'custom_unit'), 'load_custom_unit'],
    [gauge('a..b--c__d'), 'a_b_c_d'],
    [gauge('3xx'), '_3xx'],
    [gauge('temp', '°C'), 'temp_C'],
    [histogram('http.server.request.duration', 's'), 'http_server_request_duration_seconds'],
    [gauge('constructor', 'constructor'), 'constructor'],
    [gauge('ns:name'), 'ns:name'],
    [gauge('äöü'), undefined],
    [gauge(''), undefined],
  ])('%o with suffixes: %s', (metric, expected) => {
    expect(prometheusMetricName(metric, withSuffixes)).toBe(expected);
  });

  it.each([
    [counter('http.server.requests', 's'), 'http_server_requests'],
    [gauge('a__b.c'), 'a__b_c'],
    [gauge('3xx'), '_3xx'],
  ])('%o without suffixes: %s', (metric, expected) => {
    expect(prometheusMetricName(metric, 'UnderscoreEscapingWithoutSuffixes')).toBe(expected);
  });

  it.each([
    [counter('http.server.requests'), 'http.server.requests_total'],
    [counter('requests_total', 'By'), 'requests_bytes_total'],
    [gauge('traffic', 'By/s'), 'traffic_bytes_per_second'],
    [gauge('cpu.utilization', '1'), 'cpu.utilization_ratio'],
    [histogram('http.server.request.duration', 's'), 'http.server.request.duration_seconds'],
    [gauge('temp', '°C'), 'temp_°C'],
  ])('%o unescaped with suffixes: %s', (metric, expected) => {
    expect(prometheusMetricName(metric, unescapedWithSuffixes)).toBe(expected);
  });

  it('leaves them alone', () => {
    expect(prometheusMetricName(counter('http.server.requests', 's'), 'NoTranslation')).toBe('http.server.requests');
  });
});

it.each([
  ['http.method', 'http_method'],
  ['a..b', 'a__b'],
  ['_private', 'key_private'],
  ['__name', '__name'],
  ['3xx', 'key_3xx'],
  ['größe', 'gr__e'],
  ['😀x', 'key_x'],
  ['___', undefined],
  ['', undefined],
])('label %s: %s', (key, expected) => {
  expect(prometheusLabelName(key, withSuffixes)).toBe(expected);
});

it('keeps the names of labels when nothing is escaped', () => {
  expect(prometheusLabelName('http.method', 'NoTranslation')).toBe('http.method');
  expect(prometheusLabelName('_', 'NoTranslation')).toBeUndefined();
});

it.each([
  ['s', 'seconds'],
  ['By/s', 'bytes_per_second'],
  ['{request}/s', 'per_second'],
  ['1', ''],
  ['', ''],
])('unit %s: %s', (unit, expected) => {
  expect(prometheusUnit(unit)).toBe(expected);
});
