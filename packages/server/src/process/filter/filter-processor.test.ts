import { logObjects, metricPointObjects, spanObjects } from '@signalbox/records';
import { expect, it } from 'vitest';
import { anyCondition } from '../ottl/conditions.ts';
import { DATAPOINT_DIALECT, LOG_DIALECT, METRIC_DIALECT, SPAN_DIALECT, SPAN_EVENT_DIALECT } from '../ottl/dialects.ts';
import type { ErrorMode } from '../ottl/error-mode.ts';
import { gaugesOf, logsOf, spansOf } from '../testing/requests.ts';
import { filterLogs, filterMetrics, filterSpans } from './filter-processor.ts';

const noWarning = (message: string) => {
  throw new Error(`unexpected: ${message}`);
};
const spanCondition = (...conditions: string[]) => anyCondition(SPAN_DIALECT, conditions, 'propagate', noWarning);

it('drops the spans for which a condition holds, and keeps the others as they are', () => {
  const batch = spansOf(
    { name: 'GET /health' },
    { name: 'GET /cart', attributes: { a: 1 } },
    { name: 'GET /x', kind: 1 },
  );
  const filter = filterSpans({
    span: spanCondition('name == "GET /health"', 'kind == SPAN_KIND_INTERNAL'),
    event: null,
  });
  const kept = spanObjects(filter(batch));
  expect(kept).toEqual([spanObjects(batch)[1]]);
});

it('gives the very batch when nothing is dropped', () => {
  const batch = spansOf({ name: 'a' });
  expect(filterSpans({ span: spanCondition('name == "b"'), event: null })(batch)).toBe(batch);
  const logs = logsOf({});
  expect(filterLogs(() => false)(logs)).toBe(logs);
  const metrics = gaugesOf({ name: 'a', points: [{ value: 1 }] });
  expect(filterMetrics({ metric: () => false, point: () => false })(metrics)).toBe(metrics);
});

it('drops events and keeps their spans', () => {
  const events = [{ name: 'grpc.timer', attributes: { a: 1 } }, { name: 'exception' }, { name: 'grpc.timer' }];
  const batch = spansOf({ name: 'a', events }, { name: 'b', events: [{ name: 'grpc.timer' }] });
  const event = anyCondition(SPAN_EVENT_DIALECT, ['name == "grpc.timer" and span.name != "b"'], 'propagate', noWarning);
  const kept = spanObjects(filterSpans({ span: null, event })(batch));
  expect(kept.map((span) => span.events.map(({ name }) => name))).toEqual([['exception'], ['grpc.timer']]);
});

it('drops log records', () => {
  const drop = anyCondition(
    LOG_DIALECT,
    ['IsMatch(body, ".*password.*")', 'severity_number < SEVERITY_NUMBER_WARN'],
    'propagate',
    noWarning,
  );
  const batch = logsOf(
    { body: 'my password', severityNumber: 17 },
    { body: 'x', severityNumber: 9 },
    { body: 'y', severityNumber: 13 },
  );
  expect(logObjects(filterLogs(drop)(batch)).map(({ body }) => body)).toEqual(['y']);
});

it('drops metrics and points', () => {
  const batch = gaugesOf(
    {
      name: 'cpu',
      points: [
        { value: 1, attributes: { core: 0 } },
        { value: 2, attributes: { core: 1 } },
      ],
    },
    { name: 'debug', points: [{ value: 3 }] },
    { name: 'empty', points: [{ value: 4, attributes: { core: 1 } }] },
  );
  const kept = filterMetrics({
    metric: anyCondition(METRIC_DIALECT, ['name == "debug"'], 'propagate', noWarning),
    point: anyCondition(DATAPOINT_DIALECT, ['attributes["core"] == 1'], 'propagate', noWarning),
  })(batch);
  expect(metricPointObjects(kept)).toEqual([
    expect.objectContaining({ metric: expect.objectContaining({ name: 'cpu' }), value: 1 }),
  ]);
  // A metric that lost its last point is gone, with its resource.
  expect([kept.metrics.rowCount, kept.resources.rowCount]).toEqual([1, 1]);
});

it('treats a value that a condition cannot work with as the error mode says', () => {
  const warnings: string[] = [];
  const run = (mode: ErrorMode) =>
    filterSpans({
      span: anyCondition(SPAN_DIALECT, ['ToLowerCase(attributes["absent"]) == "x"', 'name == "a"'], mode, (message) =>
        warnings.push(message),
      ),
      event: null,
    })(spansOf({ name: 'a' }, { name: 'b' }));
  expect(run('silent').rowCount).toBe(1);
  expect(warnings).toEqual([]);
  expect(run('ignore').rowCount).toBe(1);
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toContain('ToLowerCase');
  expect(() => run('propagate')).toThrow(expect.objectContaining({ code: 'invalid_argument', retryable: false }));
});
