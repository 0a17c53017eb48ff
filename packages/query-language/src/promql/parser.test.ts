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

describe('a mistake', () => {
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
    ['a{b=~"("}', 'missing'],
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
