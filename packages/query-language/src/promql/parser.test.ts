import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ParseError } from './parse-error.ts';
import { parsePromql } from './parser.ts';
import { prettyPrintPromql } from './pretty-print.ts';
import { printPromql } from './print.ts';

const all = {
  experimentalFunctions: true,
  durationExpressions: true,
  extendedRangeSelectors: true,
  fillModifiers: true,
};

describe('printing', () => {
  // What Prometheus's own printer gives.
  test.each([
    [
      'sum   by(job)(rate( http_requests_total{code=~"5..",job="a"}[5m]))',
      'sum by (job) (rate(http_requests_total{code=~"5..",job="a"}[5m]))',
    ],
    ['sum(a) without (x)', 'sum without (x) (a)'],
    ['a + on(b) group_left(c) d', 'a + on (b) group_left (c) d'],
    ['-a ^ 2', '-a ^ 2'],
    ['{"http.requests", "service.name"="x"}', '{"service.name"="x",__name__="http.requests"}'],
    ['a offset -90m', 'a offset -1h30m'],
    ['a[1h:] @ end()', 'a[1h:] @ end()'],
    ['a @ 1609746000.5', 'a @ 1609746000.500'],
    ["'single' ", '"single"'],
    ['1e3', '1000'],
    ['5m', '5m'],
    ['0x1F + 0755', '31 + 493'],
    ['a > bool 1 or b', 'a > bool 1 or b'],
    ['foo[step() * 2]', 'foo[step() * 2]'],
    ['a * fill(0) b', 'a * fill (0) b'],
  ])('%s', (query, printed) => {
    expect(printPromql(parsePromql(query, all))).toBe(printed);
  });

  test('breaks long expressions into lines', () => {
    const query =
      'histogram_quantile(0.99, sum by (le, service) (rate(http_server_request_duration_seconds_bucket{service="shop"}[5m])))';
    expect(prettyPrintPromql(parsePromql(query))).toBe(
      [
        'histogram_quantile(',
        '  0.99,',
        '  sum by (le, service) (rate(http_server_request_duration_seconds_bucket{service="shop"}[5m]))',
        ')',
      ].join('\n'),
    );
  });
});

describe('names of any letters, and with dots, without quotes', () => {
  const utf8 = { ...all, unquotedUtf8Names: true };

  // What Prometheus 3.16 makes of them.
  test.each([
    'http.server.requests',
    '温度{場所="東京"}',
    'sum by (service.name, équipe) (rate(_:http.server.requests[5m]))',
    'a + on (service.name) group_left (équipe) b',
    'Inf.total + +Inf',
    'foo..bar.',
    'sum.total',
    'bool.total',
    'İnf',
    'x{"😀"="1"}',
  ])('%s', (query) => {
    expect(printPromql(parsePromql(query, utf8), utf8)).toBe(query);
  });

  test.each([
    ['温度', "1:1: parse error: unexpected character: '温'"],
    ['a.b', `1:2: parse error: unexpected character: '.'`],
    ['sum by (équipe) (a)', "1:9: parse error: unexpected character: 'é'"],
  ])('%s only where it is allowed', (query, message) => {
    expect(() => parsePromql(query, all)).toThrow(message);
  });

  test.each([
    ['a😀', "1:2: parse error: unexpected character: '😀'"],
    ['sum by (a:b) (c)', '1:9: parse error: invalid label name for grouping: "a:b"'],
    ['x.y{"x.y"}', 'metric name must not be set twice: "x.y" or "x.y"'],
    ['rate.total(a)', 'unknown function with name "rate.total"'],
    ['on', 'unexpected <on>'],
  ])('not %s', (query, message) => {
    expect(() => parsePromql(query, utf8)).toThrow(message);
  });
});

describe('a mistake', () => {
  // What Prometheus 3.16 says of them.
  test.each([
    ['', 'unknown position: parse error: no expression found in input'],
    ['sum(rate(a b))', '1:12: parse error: unexpected identifier "b" in aggregation'],
    ['sum(on)', '1:5: parse error: unexpected <on> in aggregation'],
    ['clamp(a, , 1)', '1:8: parse error: trailing commas not allowed in function call args'],
    ['raet(a))', '1:1: parse error: unknown function with name "raet"'],
    [
      'a offset -x',
      '1:11: parse error: unexpected identifier "x" in offset, expected number, duration, step(), or range()',
    ],
    ['a @ start(1)', '1:11: parse error: unexpected number "1" in @, expected timestamp'],
    ['a + on (b) group_left', '1:22: parse error: unexpected end of input in grouping opts, expected "("'],
    ['a[5m', '1:5: parse error: unclosed left bracket'],
    ['a[step(', '1:8: parse error: unexpected end of input in duration expression'],
    ['a[5m x]', `1:6: parse error: unexpected character: 'x', expected ':'`],
    ['a[5m @ 1]', '1:6: parse error: unexpected <op:@> in subquery or range, expected ":" or "]"'],
    ['a[:5m]', '1:4: parse error: unexpected colon before duration in duration expression'],
    [
      'a[5m*]',
      '1:6: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
    ],
    ['a[5y1hs]', '1:3: parse error: unknown unit "hs" in duration "5y1hs"'],
    ['a[1m5h]', '1:3: parse error: not a valid duration string: "1m5h"'],
    ['127.0.0.1:9090', '1:1: parse error: bad number or duration syntax: "127.0."'],
    ['1e', '1:1: parse error: bad number or duration syntax: "1e"'],
    ['5foo', '1:1: parse error: bad number or duration syntax: "5"'],
    ['5mx', '1:1: parse error: bad number or duration syntax: "5mx"'],
    ['1e400', '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1e400": value out of range'],
  ])('is told as Prometheus tells it: %s', (query, message) => {
    expect(() => parsePromql(query, all)).toThrow(expect.objectContaining({ message }));
  });

  test('says its line and its column in bytes', () => {
    expect(() => parsePromql('sum(\n  "ä" + )')).toThrow('2:10: parse error: unexpected ")"');
  });

  test.each([
    [
      'limitk(1, a)',
      'limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions',
    ],
    ['info(a)', 'function "info" is not enabled'],
    ['a smoothed', 'smoothed modifier is experimental and not enabled'],
    ['a[step()]', 'experimental duration expression is not enabled'],
    ['a + fill(1) b', 'binop fill modifiers are experimental and not enabled'],
    ['a{b=~"("}', '1:3: parse error: error parsing regexp: missing closing ): `(`'],
    ['('.repeat(600), 'nested deeper than 500'],
    [`${'a+'.repeat(600)}a`, 'nested deeper than 500'],
  ])('%s', (query, message) => {
    expect(() => parsePromql(query)).toThrow(message);
  });
});

const words = [
  'a',
  'sum',
  'by',
  'rate',
  '(',
  ')',
  '{',
  '}',
  '[',
  ']',
  '5m',
  '1',
  '"x"',
  '=',
  '=~',
  '+',
  '^',
  'offset',
  '@',
  ',',
  ':',
  'on',
  'bool',
  '-',
  '#',
];

test('any text is parsed or refused with a ParseError, and what is parsed survives printing', () => {
  const texts = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.array(fc.constantFrom(...words), { maxLength: 20 }).map((parts) => parts.join(' ')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      let printed: string;
      try {
        printed = printPromql(parsePromql(text, all));
      } catch (error) {
        if (error instanceof ParseError) return;
        throw error;
      }
      expect(printPromql(parsePromql(printed, all))).toBe(printed);
    }),
    { numRuns: process.env.SIGNALBOX_TEST_TIER === 'full' ? 1_000_000 : 5_000 },
  );
});
