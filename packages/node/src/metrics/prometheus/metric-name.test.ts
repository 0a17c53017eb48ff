import { expect, test } from 'vitest';
import { labelName, metricName, type TranslationStrategy } from './metric-name.ts';

const parts = (name: string, unit = '', kind: 'counter' | 'gauge' | 'histogram' = 'histogram') => ({
  name,
  unit,
  isCounter: kind === 'counter',
  isGauge: kind === 'gauge',
});

// The table of https://prometheus.io/docs/guides/opentelemetry/ and the specification's own examples.
test.each<[string, string, 'counter' | 'gauge' | 'histogram', string]>([
  ['http.server.request.duration', 's', 'histogram', 'http_server_request_duration_seconds'],
  ['http.server.active_requests', '{request}', 'gauge', 'http_server_active_requests'],
  ['jobs', '1', 'counter', 'jobs_total'],
  ['jobs.total', '', 'counter', 'jobs_total'],
  ['system.cpu.utilization', '1', 'gauge', 'system_cpu_utilization_ratio'],
  ['disk.io', 'By', 'counter', 'disk_io_bytes_total'],
  ['disk.rate', 'By/s', 'gauge', 'disk_rate_bytes_per_second'],
  ['wait.seconds', 's', 'histogram', 'wait_seconds'],
  ['room.temperature', 'Cel', 'gauge', 'room_temperature_celsius'],
  ['0weird--name', '{thing}', 'gauge', '_0weird_name'],
])('%s in %s, a %s, is %s', (name, unit, kind, expected) => {
  expect(metricName(parts(name, unit, kind), 'UnderscoreEscapingWithSuffixes')).toBe(expected);
});

test.each<[TranslationStrategy, string, string]>([
  ['UnderscoreEscapingWithSuffixes', 'http_requests_seconds_total', 'http_route'],
  ['UnderscoreEscapingWithoutSuffixes', 'http_requests', 'http_route'],
  ['NoUTF8EscapingWithSuffixes', 'http.requests_seconds_total', 'http.route'],
  ['NoTranslation', 'http.requests', 'http.route'],
])('%s', (strategy, metric, label) => {
  expect(metricName(parts('http.requests', 's', 'counter'), strategy)).toBe(metric);
  expect(labelName('http.route', strategy)).toBe(label);
});

test('labels begin with no digit', () => {
  expect(labelName('1st', 'UnderscoreEscapingWithSuffixes')).toBe('key_1st');
});
