import { logObjects, metricPointObjects, spanObjects } from '@signalbox/records';
import { describe, expect, it } from 'vitest';
import { OttlError } from '../ottl/ottl-error.ts';
import { gaugesOf, logsOf, spansOf } from '../testing/requests.ts';
import type { StatementGroup } from './statement-group.ts';
import { transformLogs, transformMetrics, transformSpans } from './transform-processor.ts';

const noWarning = (message: string) => {
  throw new Error(`unexpected: ${message}`);
};
const group = (statements: string[], rest: Partial<StatementGroup> = {}): StatementGroup => ({
  context: null,
  conditions: [],
  errorMode: 'propagate',
  ...rest,
  statements,
});

// The example of the Collector's transform processor (README, "Basic Config").
describe('statements whose paths name their context', () => {
  it('change spans, their resources and events', () => {
    const batch = spansOf({
      name: 'a',
      attributes: { 'process.command_line': 'run password=secret now', long: 'x'.repeat(20), other: 1 },
      resource: { 'service.name': 'shop', 'host.name': 'h', secret: 's' },
      events: [{ name: 'e', attributes: { k: 'v' } }],
    });
    transformSpans(
      [
        group([
          'keep_keys(resource.attributes, ["service.name"])',
          'replace_pattern(span.attributes["process.command_line"], "password\\\\=[^\\\\s]*(\\\\s?)", "password=*** ")',
          'truncate_all(span.attributes, 10) where span.attributes["long"] != nil',
          'set(spanevent.attributes["of"], span.name)',
        ]),
      ],
      noWarning,
    )(batch);
    const [span] = spanObjects(batch);
    expect(span?.resource.attributes).toEqual([['service.name', 'shop']]);
    expect(Object.fromEntries(span?.attributes ?? [])).toEqual({
      'process.command_line': 'run passwo',
      long: 'x'.repeat(10),
      other: 1n,
    });
    expect(span?.events[0]?.attributes).toEqual([
      ['k', 'v'],
      ['of', 'a'],
    ]);
  });

  it('change metrics and points', () => {
    const batch = gaugesOf({ name: 'cpu.time', points: [{ value: 1, attributes: { a: 'x', b: 'y' } }, { value: 2 }] });
    transformMetrics(
      [
        group([
          'set(metric.description, "CPU") where metric.type == METRIC_DATA_TYPE_GAUGE',
          'replace_pattern(metric.name, "\\\\.", "_")',
          'limit(datapoint.attributes, 1, ["b"])',
          'convert_gauge_to_sum("cumulative", true)',
        ]),
      ],
      noWarning,
    )(batch);
    const points = metricPointObjects(batch);
    expect(points[0]).toMatchObject({
      metric: { name: 'cpu_time', description: 'CPU', temporality: 2, monotonic: true },
      attributes: [['b', 'y']],
    });
  });

  it('change log records', () => {
    const batch = logsOf({ body: 'request failed', attributes: { 'http.route': '/user/1/list/2' } });
    transformLogs(
      [
        group([
          'set(log.severity_text, "FAIL") where log.body == "request failed"',
          'replace_all_matches(log.attributes, "/user/*/list/*", "/user/{userId}/list/{listId}")',
          'set(log.body, log.attributes["http.route"])',
        ]),
      ],
      noWarning,
    )(batch);
    expect(logObjects(batch)[0]).toMatchObject({ severityText: 'FAIL', body: '/user/{userId}/list/{listId}' });
  });

  it('are refused where a path names none', () => {
    expect(() => transformSpans([group(['set(name, "x")'])], noWarning)).toThrow(OttlError);
    expect(() => transformLogs([group(['set(span.name, "x")'])], noWarning)).toThrow('a path without its context');
  });
});

describe('groups', () => {
  it('with a context read paths without one', () => {
    const batch = spansOf({ name: 'a' });
    transformSpans([group(['set(name, "b")', 'set(attributes["n"], name)'], { context: 'span' })], noWarning)(batch);
    expect(spanObjects(batch)[0]).toMatchObject({ name: 'b', attributes: [['n', 'b']] });
  });

  it('run where one of their conditions holds', () => {
    const batch = logsOf({ body: 'a' }, { body: 'b' }, { body: 'c' });
    const conditions = ['log.body == "a"', 'log.body == "b"'];
    transformLogs([group(['set(log.severity_text, "X")'], { conditions })], noWarning)(batch);
    expect(logObjects(batch).map(({ severityText }) => severityText)).toEqual(['X', 'X', '']);
  });

  it('remember in their cache what belongs to one record', () => {
    const batch = logsOf({ body: { level: 'warn' } }, { body: { other: 1 } });
    transformLogs(
      [
        group([
          'set(log.cache["level"], log.body["level"])',
          'set(log.severity_text, log.cache["level"])',
          'set(resource.attributes["seen"], true)',
        ]),
      ],
      noWarning,
    )(batch);
    expect(logObjects(batch).map(({ severityText, resource }) => [severityText, resource.attributes.length])).toEqual([
      ['warn', 2],
      ['', 2],
    ]);
  });

  it('go on after a statement that failed, unless they are told to propagate', () => {
    const warnings: string[] = [];
    const statements = [
      'set(span.name, ToLowerCase(span.attributes["absent"]))',
      'set(span.attributes["after"], true)',
    ];
    const batch = spansOf({});
    transformSpans([group(statements, { errorMode: 'ignore' })], (message) => warnings.push(message))(batch);
    expect(spanObjects(batch)[0]?.attributes).toEqual([['after', true]]);
    expect(warnings).toEqual([expect.stringContaining('ToLowerCase: target is nil, not a string')]);
    expect(() => transformSpans([group(statements)], noWarning)(spansOf({}))).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });
});
