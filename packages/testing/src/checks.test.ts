import { expect as jestExpect } from 'expect';
import { describe, expect, test } from 'vitest';
import {
  assertAtMostSpans,
  assertChildOf,
  assertLogInSpan,
  assertMetricCount,
  assertMetricValue,
  assertNoRepeatedQueries,
  assertSameTrace,
  assertSpanAttribute,
  assertSpanCount,
  assertSpanKind,
  assertSpanStatus,
  assertTakesAtMost,
  assertTraceStructure,
  assertTraceText,
  mustHaveSpan,
} from './assertions.ts';
import type { RecordedMetric } from './recorded-metric.ts';
import { Recording } from './recording.ts';
import { stableTrace } from './stable-trace.ts';
import { span } from './testing/span.ts';
import { traceText } from './trace-text.ts';
import './vitest.ts';

const query = (name: string, from: number, text: string) =>
  span({
    name,
    spanId: `${name}${from}`,
    parentSpanId: 'handler',
    kind: 'client',
    from,
    attributes: { 'db.system.name': 'postgresql', 'db.query.text': text },
  });

const request = span({
  name: 'GET /users/:id',
  spanId: 'request',
  kind: 'server',
  to: 50,
  status: { code: 'error', message: 'boom' },
  attributes: { 'http.route': '/users/:id', 'http.response.status_code': 500, 'server.port': 40123 },
  events: [
    {
      name: 'exception',
      time: 0n,
      attributes: { 'exception.message': 'boom', 'exception.stacktrace': 'Error: boom\n    at /home/me/app.js:1:1' },
    },
  ],
});
const handler = span({ name: 'handler', parentSpanId: 'request', from: 1, to: 49 });
const other = span({ name: 'other', traceId: 'b'.repeat(32) });
const jobs: RecordedMetric = {
  name: 'jobs',
  description: '',
  unit: '{job}',
  type: 'sum',
  temporality: 'cumulative',
  monotonic: true,
  series: ['ok', 'error'].map((result, index) => ({
    attributes: { result },
    resource: {},
    scope: { name: 'test', version: '' },
    value: index + 1,
    count: undefined,
    sum: undefined,
    bounds: [],
    bucketCounts: [],
    exemplars: [],
  })),
};
const recording = new Recording(
  [
    query('SELECT users', 10, "SELECT * FROM users WHERE name = 'ann'"),
    query('SELECT posts', 20, 'SELECT * FROM posts WHERE id = 1'),
    query('SELECT posts', 22, 'SELECT * FROM posts  WHERE id = 2'),
    query('SELECT posts', 24, 'SELECT * FROM posts WHERE id = 3'),
    handler,
    request,
    other,
  ],
  [
    {
      time: 0n,
      severityNumber: 17,
      severityText: 'ERROR',
      eventName: '',
      body: 'it broke',
      attributes: { user: 7 },
      traceId: request.traceId,
      spanId: 'request',
      scope: { name: 'test', version: '' },
      resource: {},
    },
  ],
  [jobs],
);
const [trace] = recording.traces;
if (trace === undefined) throw new Error('the recording has no trace');

describe('assertions pass on what is there, and say what is there when it is not what was expected', () => {
  const cases: readonly [name: string, passes: () => void, fails: () => void, message: RegExp][] = [
    [
      'span count',
      () => assertSpanCount(recording, 7),
      () => assertSpanCount(recording, 6),
      /expected 6 spans, recorded 7; there are .*"SELECT posts" ×3/,
    ],
    [
      'span count by name',
      () => assertSpanCount(recording, 3, 'SELECT posts'),
      () => assertSpanCount(recording, 1, 'SELECT posts'),
      /expected 1 spans named "SELECT posts", recorded 3/,
    ],
    [
      'must have span',
      () => void mustHaveSpan(recording, 'handler'),
      () => void mustHaveSpan(recording, 'GET unmatched'),
      /expected a span named "GET unmatched"; there are .*"GET \/users\/:id"/,
    ],
    [
      'kind',
      () => assertSpanKind(request, 'server'),
      () => assertSpanKind(request, 'client'),
      /"GET \/users\/:id" to be of kind client, it is server/,
    ],
    [
      'status',
      () => assertSpanStatus(request, 'error', 'boom'),
      () => assertSpanStatus(request, 'unset'),
      /to have the status unset, it has error \('boom'\)/,
    ],
    [
      'status message',
      () => assertSpanStatus(request, 'error', /^bo/),
      () => assertSpanStatus(request, 'error', 'bang'),
      /to have the status error \('bang'\), it has error \('boom'\)/,
    ],
    [
      'string attribute',
      () => assertSpanAttribute(request, 'http.route', '/users/:id'),
      () => assertSpanAttribute(request, 'http.route', '/users'),
      /http.route = '\/users'; it is '\/users\/:id'/,
    ],
    [
      'number attribute, not its text',
      () => assertSpanAttribute(request, 'http.response.status_code', 500),
      () => assertSpanAttribute(request, 'http.response.status_code', '500'),
      /http.response.status_code = '500'; it is 500/,
    ],
    [
      'attribute that is there',
      () => assertSpanAttribute(request, 'server.port'),
      () => assertSpanAttribute(request, 'user.id'),
      /the attribute user.id; there are .*'http.route'/s,
    ],
    [
      'same trace',
      () => assertSameTrace(request, handler),
      () => assertSameTrace(request, other),
      /expected one trace: .*"other" in bbbb/,
    ],
    ['same trace of nothing', () => assertSameTrace(request), () => assertSameTrace(), /got no span/],
    [
      'child',
      () => assertChildOf(handler, request),
      () => assertChildOf(request, handler),
      /"GET \/users\/:id" to be a child of "handler" \(handler\), its parent is none/,
    ],
    [
      'metric value over all series',
      () => assertMetricValue(recording, 'jobs', 3),
      () => assertMetricValue(recording, 'jobs', 2),
      /"jobs" to have the value 2; it is 3: { result: 'ok' } = 1; { result: 'error' } = 2/,
    ],
    [
      'metric value of one series',
      () => assertMetricValue(recording, 'jobs', 2, { result: 'error' }),
      () => assertMetricValue(recording, 'jobs', 2, { result: 'nack' }),
      /its series are { result: 'ok' } = 1/,
    ],
    [
      'unknown metric',
      () => assertMetricValue(recording, 'jobs', 3),
      () => assertMetricValue(recording, 'job', 3),
      /there is no such metric among "jobs"/,
    ],
    [
      'count of what has none',
      () => assertMetricValue(recording, 'jobs', 3),
      () => assertMetricCount(recording, 'jobs', 3),
      /it is a sum: ask for its value/,
    ],
    [
      'log in span',
      () => assertLogInSpan(recording, request, { body: 'it broke', severityText: 'ERROR', attributes: { user: 7 } }),
      () => assertLogInSpan(recording, request, { body: 'it works' }),
      /a log record { body: 'it works' } in the span "GET \/users\/:id"; in it are ERROR 'it broke'/,
    ],
    [
      'log in another span',
      () => assertLogInSpan(recording, request, {}),
      () => assertLogInSpan(recording, handler, {}),
      /none of 1 log records is in it/,
    ],
    [
      'spans of a kind',
      () => assertAtMostSpans(trace, 4, { kind: 'client' }),
      () => assertAtMostSpans(trace, 3, { kind: 'client' }),
      /expected at most 3 client spans, recorded 4/,
    ],
    ['spans', () => assertAtMostSpans(trace, 6), () => assertAtMostSpans(trace, 5), /at most 5 spans, recorded 6/],
    [
      'duration',
      () => assertTakesAtMost(trace, 50),
      () => assertTakesAtMost(trace, 49),
      /at most 49 ms, it took 50.0 ms/,
    ],
    [
      'repeated queries, whatever their values and spaces',
      () => assertNoRepeatedQueries(trace, 3),
      () => assertNoRepeatedQueries(trace),
      /3 times "SELECT \* FROM posts WHERE id = \?" by "handler"/,
    ],
  ];
  for (const [name, passes, fails, message] of cases) {
    test(name, () => {
      passes();
      expect(fails).toThrow(message);
    });
  }
});

describe('structure', () => {
  test('children match in any order, each once, and further ones do not matter', () => {
    assertTraceStructure(trace, {
      name: 'GET /users/:id',
      kind: 'server',
      status: 'error',
      children: [{ name: 'handler', children: [{ name: /posts/ }, { name: 'SELECT users', kind: 'client' }] }],
    });
  });

  test('a general expectation does not take the span that a special one needs', () => {
    assertTraceStructure(trace, {
      children: [
        { children: [{ name: /^SELECT/ }, { name: /^SELECT/ }, { name: /^SELECT/ }, { name: 'SELECT users' }] },
      ],
    });
  });

  test('what is missing is named with the trace', () => {
    const fails = () =>
      assertTraceStructure(trace, { children: [{ name: 'handler', children: [{ name: 'GET key' }] }] });
    expect(fails).toThrow(/"handler" lacks a child { name: 'GET key' }/);
    expect(fails).toThrow(/ {4}SELECT posts \(client\) ×3/);
  });

  test('more children than exist are missing', () => {
    const child = { name: 'SELECT users' };
    expect(() => assertTraceStructure(trace, { children: [{ children: [child, child] }] })).toThrow('fewer times');
  });

  test('exactly means no others', () => {
    const fails = () =>
      assertTraceStructure(trace, { children: [{ exactly: true, children: [{ name: 'SELECT users' }] }] });
    expect(fails).toThrow('"handler" has 4 children and not exactly 1');
  });

  test('the whole trace reads as text', () => {
    assertTraceText(
      trace,
      `
        GET /users/:id (server, error)
          handler (internal)
            SELECT users (client)
            SELECT posts (client) ×3
      `,
    );
    expect(() => assertTraceText(trace, 'GET /users/:id (server)')).toThrow(
      /recorded was\nGET \/users\/:id \(server, error/,
    );
  });

  test('siblings that overlap stand by name, others by time', () => {
    const child = (name: string, from: number, to: number) => span({ name, parentSpanId: 'root', from, to });
    const root = span({ name: 'root', to: 100 });
    const concurrent = [child('b', 1, 10), child('a', 5, 20), child('Z', 30, 31), child('A', 31, 32)];
    expect(traceText(new Recording([root, ...concurrent], [], []).traces[0] as never)).toBe(
      ['root (internal)', '  a (internal)', '  b (internal)', '  Z (internal)', '  A (internal)'].join('\n'),
    );
  });

  test('spans whose parent is missing and cycles of parents are roots', () => {
    const spans = [
      span({ name: 'orphan', parentSpanId: 'elsewhere' }),
      span({ name: 'x', parentSpanId: 'y', from: 2 }),
      span({ name: 'y', parentSpanId: 'x', from: 3 }),
    ];
    expect(traceText(new Recording(spans, [], []).traces[0] as never)).toBe(
      ['orphan (internal)', 'x (internal)', '  y (internal)'].join('\n'),
    );
  });
});

test('a stable trace has nothing of this run in it', () => {
  expect(stableTrace(trace, { changing: ['db.query.text'] })[0]).toMatchObject({
    name: 'GET /users/:id',
    kind: 'server',
    status: 'error',
    attributes: { 'http.response.status_code': 500, 'server.port': '<server.port>' },
    events: [{ name: 'exception', attributes: { 'exception.stacktrace': 'Error: boom' } }],
    children: [{ name: 'handler', children: [{ attributes: { 'db.query.text': '<db.query.text>' } }, {}, {}, {}] }],
  });
  expect(JSON.stringify(stableTrace(trace))).not.toMatch(/spanId|traceId|Time|duration|40123|home/);
});

describe('matchers', () => {
  test('of vitest', () => {
    expect(recording).toHaveSpanNamed('handler');
    expect(recording).toHaveSpanCount(3, 'SELECT posts');
    expect(recording).not.toHaveSpanNamed('GET unmatched');
    expect(recording).toHaveMetricValue('jobs', 1, { result: 'ok' });
    expect(recording).toHaveLogInSpan(request, { body: expect.stringContaining('broke') });
    expect(request).toHaveKind('server');
    expect(request).toHaveStatus('error');
    expect(request).toHaveSpanAttribute('http.response.status_code', expect.any(Number));
    expect(request).not.toHaveSpanAttribute('user.id');
    expect(handler).toBeChildOf(request);
    expect([request, handler]).toBeInOneTrace();
    expect([request, other]).not.toBeInOneTrace();
    expect(trace).toHaveStructure({ name: 'GET /users/:id' });
    expect(trace).toHaveAtMostSpans(4, { kind: 'client' });
    expect(trace).toTakeAtMost(50);
    expect(trace).not.toHaveNoRepeatedQueries();
    expect(() => expect(recording).toHaveSpanNamed('x')).toThrow('expected a span named "x"');
    expect(() => expect(recording).not.toHaveSpanNamed('handler')).toThrow('expected no span named "handler"');
  });

  test('a matcher for something else throws, negated too', () => {
    expect(() => expect(trace).not.toHaveSpanNamed('x')).toThrow('this matcher is for a Recording');
    expect(() => expect(recording).not.toHaveKind('server')).toThrow('this matcher is for a recorded span');
    expect(() => expect(request).not.toTakeAtMost(1)).toThrow('this matcher is for a RecordedTrace');
  });

  test('of jest', async () => {
    const scope = globalThis as { expect?: unknown };
    scope.expect = jestExpect;
    try {
      await import('./jest.ts');
    } finally {
      delete scope.expect;
    }
    const extended = jestExpect as unknown as typeof expect;
    extended(recording).toHaveSpanNamed('handler');
    extended(request).toHaveSpanAttribute('server.port', jestExpect.any(Number) as never);
    expect(() => extended(recording).toHaveSpanCount(1)).toThrow('expected 1 spans, recorded 7');
  });
});
