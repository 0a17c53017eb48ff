import { expect, test } from 'vitest';
import { RecordedWarnings } from '../testing/recorded-warnings.ts';
import { CollectorHealth } from './collector-health.ts';

test('signals with addresses of their own at one collector share its health', () => {
  const warnings = new RecordedWarnings();
  const health = new CollectorHealth(warnings);
  const [traces, logs, elsewhere] = ['http://a:4318/v1/traces', 'http://a:4318/v1/logs', 'http://b:4318/v1/logs'];
  health.succeeded(logs);
  health.failed(traces, 'it answered 503', 'Wait.');
  health.dropped(logs, 7);
  health.failed(logs, 'it answered 503', 'Wait.');
  health.succeeded(elsewhere);
  expect(warnings.said).toEqual(['cannot send telemetry to http://a:4318/v1/traces: it answered 503. Wait.']);
  health.succeeded(logs);
  expect(warnings.said[1]).toMatch(/^http:\/\/a:4318 takes telemetry again .*; 7 records were dropped meanwhile$/);
  expect(warnings.said).toHaveLength(2);
});
