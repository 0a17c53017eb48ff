import { describe, expect, test } from 'vitest';
import type { LogqlExpr } from './ast.ts';
import { formatByteSize, parseByteSize } from './byte-size.ts';
import { parseGoDuration } from './go-duration.ts';
import { containsIp, parseIpPattern } from './ip-pattern.ts';
import { capturesOf, matchesPattern, parseLinePattern, parsePatternFilter } from './line-pattern.ts';
import { LogqlParseError } from './parse-error.ts';
import { parseLogql } from './parser.ts';
import { prettyPrintLogql } from './pretty-print.ts';
import { printLogql } from './print.ts';

function errorOf(query: string): LogqlParseError {
  try {
    parseLogql(query);
  } catch (error) {
    if (error instanceof LogqlParseError) return error;
    throw error;
  }
  throw new Error(`${query} is accepted`);
}

/** The part of the query where a node stands. */
function textOf(query: string, { range }: Pick<LogqlExpr, 'range'>): string {
  return query.slice(range.start, range.end);
}

describe('parseLogql', () => {
  test('knows where everything stands', () => {
    const query = 'sum by (app) (rate({app="a"} |= "x" | json [5m])) / 2';
    const expr = parseLogql(query);
    if (expr.kind !== 'binary' || expr.left.kind !== 'vectorAggregation') throw new Error(expr.kind);
    expect(textOf(query, expr)).toBe(query);
    expect(textOf(query, expr.left)).toBe('sum by (app) (rate({app="a"} |= "x" | json [5m]))');
    const range = expr.left.expr;
    if (range.kind !== 'rangeAggregation') throw new Error(range.kind);
    expect(textOf(query, range)).toBe('rate({app="a"} |= "x" | json [5m])');
    expect(range.logRange.log.stages.map((stage) => textOf(query, stage))).toEqual(['|= "x"', '| json']);
    expect(textOf(query, expr.right)).toBe('2');
  });

  test('a comma, and nothing at all, join conditions more loosely than "or"', () => {
    expect(printLogql(parseLogql('{a="b"} | x=1 or y=2, z=3 or w=4'))).toBe(
      '{a="b"} | ( x==1 or ( y==2 , ( z==3 or w==4 ) ) )',
    );
    expect(printLogql(parseLogql('{a="b"} | x=1 and y=2 or z=3'))).toBe('{a="b"} | ( ( x==1 , y==2 ) or z==3 )');
    expect(printLogql(parseLogql('{a="b"} | x="1" y="2"'))).toBe('{a="b"} | ( x="1" , y="2" )');
  });

  test('operators bind as in PromQL', () => {
    expect(printLogql(parseLogql('vector(1) + vector(2) * vector(3) ^ vector(4) ^ vector(5)'))).toBe(
      '(vector(1.000000) + (vector(2.000000) * (vector(3.000000) ^ (vector(4.000000) ^ vector(5.000000)))))',
    );
    expect(printLogql(parseLogql('1 - 2 - 3'))).toBe('-4');
    expect(printLogql(parseLogql('2 ^ 3 ^ 2'))).toBe('512');
  });

  test.each([
    ['{a="b"} |~ "("', 'parse error : stage \'|~ "("\' : error parsing regexp: missing closing ): `(`'],
    ['{a=~"("}', 'parse error : error parsing regexp: missing closing ): `(`'],
    ['sum({a="b"} | json)', 'parse error at line 1, col 19: syntax error: unexpected )'],
    ['sum({a="b"}[5m])', 'parse error at line 0, col 12: syntax error: unexpected RANGE'],
    ['topk(5, {a="b"})', 'parse error at line 1, col 16: syntax error: unexpected )'],
    ['label_replace({a="b"},"a","b","c","d")', 'parse error at line 1, col 22: syntax error: unexpected ,'],
    ['({a="b"} x', 'parse error at line 1, col 10: syntax error: unexpected IDENTIFIER'],
    [
      '{a="b"} | c > 5 or "x"',
      'parse error at line 1, col 20: syntax error: unexpected STRING, expecting IDENTIFIER or (',
    ],
    ['rate({a="b"} | unwrap x)', 'parse error at line 1, col 24: syntax error: unexpected ), expecting RANGE or |'],
    ['rate(({a="b"}) x)', 'parse error at line 1, col 16: syntax error: unexpected IDENTIFIER, expecting RANGE'],
    [
      'rate({a="b"} | unwrap [5m])',
      'parse error at line 0, col 23: syntax error: unexpected RANGE, expecting IDENTIFIER or BYTES_CONV or DURATION_CONV or DURATION_SECONDS_CONV',
    ],
    [
      'sum by (a) (rate({b="c"}[1m])) / on (a) group_left (rate({b="c"}[1m]))',
      'parse error at line 1, col 53: syntax error: unexpected RATE, expecting IDENTIFIER or )',
    ],
    ['{a="b"', 'parse error at line 1, col 7: syntax error: unexpected $end, expecting } or ,'],
    ['{a="b"} |=', 'parse error at line 1, col 11: syntax error: unexpected $end, expecting STRING or ip'],
    ['rate({a="b"}[5m]', 'parse error at line 1, col 17: syntax error: unexpected $end, expecting )'],
    ['{a="b"} | drop', 'parse error at line 1, col 15: syntax error: unexpected $end, expecting IDENTIFIER'],
    ['', 'parse error at line 1, col 1: syntax error: unexpected $end'],
    ['{a="b', 'parse error at line 1, col 4: literal not terminated'],
    ['sum(3, rate({a="b"}[1m]))', 'parse error : unsupported parameter for operation sum(3,'],
    ['sort(rate({a="b"}[1m])) by (x)', "parse error : sort and sort_desc doesn't allow grouping by "],
  ])('says what is wrong with %s', (query, message) => {
    expect(errorOf(query).message).toBe(message);
  });

  test('formats line filters as one stage', () => {
    const long = `| json | level="${'x'.repeat(80)}"`;
    expect(prettyPrintLogql(parseLogql(`{a="b"} |= "c" != "d" ${long} |~ "e"`))).toBe(
      ['{a="b"}', '  |= "c" != "d"', ...long.split(/ (?=\|)/).map((stage) => `  ${stage}`), '  |~ "e"'].join('\n'),
    );
    expect(prettyPrintLogql(parseLogql('{a="b"} |= "one filter" |= "two filters" | json'), 30)).toBe(
      '{a="b"}\n  |= "one filter"\n  |= "two filters"\n  | json',
    );
  });

  test('nests no deeper than the stack bears', () => {
    expect(errorOf(`${'('.repeat(5000)}1${')'.repeat(5000)}`).reason).toContain('nested deeper');
    expect(errorOf(`{a="b"} | ${'('.repeat(5000)}x=1`).reason).toContain('nested deeper');
    expect(errorOf(`{a="${'x'.repeat(140_000)}"}`).reason).toContain('input size too long');
  });
});

test.each([
  ['1h15m30.918273645s', 4_530_918_273_645],
  ['-5s', -5e9],
  ['250ms', 250e6],
  ['0', 0],
  ['1d', undefined],
  ['', undefined],
  ['5', undefined],
])('parseGoDuration %s', (text, nanoseconds) => {
  expect(parseGoDuration(text)).toBe(nanoseconds);
});

test.each([
  [512, '512B'],
  [1000, '1.0kB'],
  [2_500_000, '2.5MB'],
  [25_000_000, '25MB'],
])('formatByteSize %d', (bytes, text) => {
  expect(formatByteSize(bytes)).toBe(text);
});

test.each([
  ['5kB', 5000],
  ['1KiB', 1024],
  ['2,048', 2048],
  ['1.5 MiB', 1_572_864],
  ['1.5B', 1],
  ['1XB', undefined],
  ['', undefined],
])('parseByteSize %s', (text, bytes) => {
  expect(parseByteSize(text)).toBe(bytes);
});

test.each([
  ['10.0.0.0/8', 'from 10.1.2.3:80', true],
  ['10.0.0.0/8', 'from 11.1.2.3', false],
  ['192.168.0.1-192.168.0.9', 'a 192.168.0.10 b 192.168.0.9', true],
  ['2001:db8::/32', 'got 2001:db8::68 here', true],
  ['::1', 'host ::1', true],
  ['1.2.3.4', 'version 1.2.3', false],
  ['1.2.3.4', '300.1.2.3 1.2.3.4', true],
])('addresses of %s in "%s"', (pattern, text, expected) => {
  const ip = parseIpPattern(pattern);
  if (!ip) throw new Error(`${pattern} is refused`);
  expect(containsIp(ip, text)).toBe(expected);
});

test.each(['', 'x', '10.0.0.0/33', '10.0.0.9-10.0.0.1', '10.0.0.1-::1', '1.2.3'])(
  '%s is no pattern of addresses',
  (text) => {
    expect(parseIpPattern(text)).toBeUndefined();
  },
);

test('patterns take captures between literals, and what is left when a literal is missing', () => {
  const pattern = parseLinePattern('<ip> - "<method> <_>" <status>');
  expect(capturesOf(pattern, '1.2.3.4 - "GET /x" 200')).toEqual([
    ['ip', '1.2.3.4'],
    ['method', 'GET'],
    ['status', '200'],
  ]);
  expect(capturesOf(pattern, '1.2.3.4 - rest')).toEqual([['ip', '1.2.3.4 - rest']]);
  expect(() => parseLinePattern('<a><b>')).toThrow("found consecutive capture '<a><b>': invalid expression");
});

test('pattern filters match whole lines without empty captures', () => {
  const matches = (pattern: string, line: string) => matchesPattern(parsePatternFilter(pattern), line);
  expect(matches('foo <_>', 'foo bar')).toBe(true);
  expect(matches('<_> bar', 'foo bar baz')).toBe(false);
  expect(matches('<_> bar <_>', ' bar ')).toBe(false);
  expect(matches('', '')).toBe(true);
});
