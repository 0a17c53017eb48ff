import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type IpPattern, isIpOf, parseIpPrefix } from '../logql/ip-pattern.ts';
import type { FieldExpr, TraceqlQuery } from './ast.ts';
import { parseTraceql, parseTraceqlSyntax } from './parser.ts';
import { printTraceql, printTraceqlField } from './print.ts';
import { TraceqlError } from './traceql-error.ts';

function conditionOf({ expr }: TraceqlQuery): FieldExpr {
  const stage = expr.kind === 'pipeline' ? expr.stages[0] : undefined;
  if (stage?.kind !== 'spansetFilter') throw new Error('no filter');
  return stage.condition;
}

/** The tree with a parenthesis around every operation. */
function grouped(expr: FieldExpr): string {
  switch (expr.kind) {
    case 'binary':
      return `(${grouped(expr.left)} ${expr.operator} ${grouped(expr.right)})`;
    case 'unary':
      return `(${expr.operator}${grouped(expr.expr)})`;
    case 'existence':
      return `(${grouped(expr.expr)} ${expr.exists ? '!=' : '='} nil)`;
    default:
      return printTraceqlField(expr);
  }
}

/** The tree without the places in the text. */
function shape(query: TraceqlQuery): unknown {
  return JSON.parse(
    JSON.stringify(query, (key, value) =>
      key === 'range' ? undefined : typeof value === 'bigint' ? `${value}n` : value,
    ),
  );
}

describe('operators between values of a span', () => {
  // TraceQL gives && and || the same precedence, unlike most languages.
  test.each([
    ['{ .a || .b && .c }', '((.a || .b) && .c)'],
    ['{ .a && .b || .c }', '((.a && .b) || .c)'],
    ['{ .a = 1 && .b > 2 }', '((.a = 1) && (.b > 2))'],
    ['{ .a + .b * .c = .d }', '((.a + (.b * .c)) = .d)'],
    ['{ .a - .b - .c = 0 }', '(((.a - .b) - .c) = 0)'],
    ['{ .a ^ .b ^ .c = 0 }', '((.a ^ (.b ^ .c)) = 0)'],
    ['{ .a = !.b && .c }', '((.a = (!.b)) && .c)'],
    ['{ -.a * .b = 0 }', '((-(.a * .b)) = 0)'],
    ['{ -.a + .b = 0 }', '(((-.a) + .b) = 0)'],
    ['{ nil != .a && .b }', '((.a != nil) && .b)'],
    ['{ .a + .b = nil }', '((.a + .b) = nil)'],
    ['{ !cidr(.a, "10.0.0.0/8") && .b }', '((!cidr(.a, `10.0.0.0/8`)) && .b)'],
  ])('%s', (query, expected) => {
    expect(grouped(conditionOf(parseTraceql(query)))).toBe(expected);
  });
});

describe('addresses in prefixes', () => {
  test.each([
    [['10.0.0.0/8'], '10.1.2.3', true],
    [['10.0.0.0/8'], '192.168.1.1', false],
    [['203.0.113.5/32'], '203.0.113.5', true],
    [['203.0.113.5/32'], '203.0.113.4', false],
    [['10.1.2.3/8'], '10.9.9.9', true],
    [['0.0.0.0/0'], '8.8.8.8', true],
    [['fc00::/7'], 'fd12:3456::1', true],
    [['fc00::/7'], '2001:db8::1', false],
    [['fc00::/7'], '10.0.0.1', false],
    [['::/0'], '10.0.0.1', false],
    [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
    [['10.0.0.0/8', 'fc00::/7'], 'fd00::1', true],
    [['10.0.0.0/8', 'fc00::/7'], '10.9.9.9', true],
    [['10.0.0.0/8'], '10.1.2.3:8080', false],
    [['10.0.0.0/8'], ' 10.1.2.3', false],
    [['10.0.0.0/8'], 'no address', false],
    [['10.0.0.0/8'], '', false],
  ])('%j: %s', (prefixes, text, expected) => {
    expect(
      isIpOf(
        prefixes.map((prefix) => parseIpPrefix(prefix) as IpPattern),
        text,
      ),
    ).toBe(expected);
  });

  test.each([
    ['{ cidr(.a, "10.0.0.0") }', 'type', 'invalid prefix: `10.0.0.0`'],
    ['{ cidr(.a, "10.0.0.0/33") }', 'type', 'invalid prefix'],
    ['{ cidr(.a, "10.0.0.0/08") }', 'type', 'invalid prefix'],
    ['{ cidr(.a, "10.0.0.1-10.0.0.9") }', 'type', 'invalid prefix'],
    ['{ cidr(duration, "10.0.0.0/8") }', 'type', 'requires a string'],
    ['{ cidr(5, "10.0.0.0/8") }', 'type', 'requires a string'],
    ['{ cidr(parent.a, "10.0.0.0/8") }', 'unsupported', 'parent'],
    ['{ cidr(.a, "10.0.0.0/8") + 1 = 2 }', 'type', 'same type'],
    ['{ cidr(.a) }', 'syntax', 'expecting ","'],
    ['{ cidr(.a, .b) }', 'syntax', 'expecting a prefix'],
    ['{ cidr(.a, "10.0.0.0/8" }', 'syntax', 'unexpected "}"'],
    ['{ cidr }', 'syntax', 'expecting "("'],
  ])('%s', (query, kind, message) => {
    let thrown: unknown;
    try {
      parseTraceql(query);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TraceqlError);
    expect(thrown).toMatchObject({ kind, message: expect.stringContaining(message) });
  });

  test('an attribute may have the name', () => {
    expect(grouped(conditionOf(parseTraceql('{ .cidr = 1 }')))).toBe('(.cidr = 1)');
  });
});

describe('names of attributes', () => {
  test.each([
    ['.foo', 'none', 'foo'],
    ['.http-other.3', 'none', 'http-other.3'],
    ['."bar z".foo."bar"', 'none', 'bar z.foo.bar'],
    ['.foo."bar \\" \\\\ baz"', 'none', 'foo.bar " \\ baz'],
    ['.😝', 'none', '😝'],
    ['.duration', 'none', 'duration'],
    ['span.name', 'span', 'name'],
    ['resource."{ } ( ) = ~ ! < > & | ^"', 'resource', '{ } ( ) = ~ ! < > & | ^'],
    ['instrumentation.a', 'instrumentation', 'a'],
  ])('%s', (text, scope, name) => {
    expect(conditionOf(parseTraceql(`{${text}}`))).toMatchObject({ kind: 'attribute', scope, name, isParent: false });
  });

  test('a scoped intrinsic is not the attribute of that name', () => {
    expect(conditionOf(parseTraceqlSyntax('{ span:name }'))).toMatchObject({ kind: 'intrinsic', name: 'name' });
    expect(conditionOf(parseTraceqlSyntax('{ span.name }'))).toMatchObject({ kind: 'attribute', name: 'name' });
  });
});

describe('literals', () => {
  test.each([
    ['1', { type: 'int', value: 1 }],
    ['9223372036854775807', { type: 'int', value: 9223372036854775807n }],
    ['.5', { type: 'float', value: 0.5 }],
    ['1e3', { type: 'float', value: 1000 }],
    ['1h30m', { type: 'duration', value: 5_400_000_000_000 }],
    ['1.5ms', { type: 'duration', value: 1_500_000 }],
    ['10µs', { type: 'duration', value: 10_000 }],
    ['1d', { type: 'duration', value: 86_400_000_000_000 }],
    ['`a\\n"b`', { type: 'string', value: 'a\\n"b' }],
    ['"a\\n\\u00e4"', { type: 'string', value: 'a\nä' }],
    ['unset', { type: 'status', value: 'unset' }],
    ['consumer', { type: 'kind', value: 'consumer' }],
    ['minInt', { type: 'int', value: -(2n ** 63n) }],
  ])('%s', (text, value) => {
    expect(conditionOf(parseTraceqlSyntax(`{ ${text} }`))).toMatchObject({ kind: 'literal', value });
  });
});

describe('a mistake', () => {
  test.each([
    ['{ .a =\n  .b &&& .c }', 'syntax', '&', 'parse error at line 2, col 8: unexpected character "&"'],
    ['{ status_code = 5 }', 'syntax', 'status_code', 'unknown identifier: status_code'],
    ['{ .a = 1 } | coun() > 1', 'syntax', 'coun', 'unexpected "coun"'],
    ['{ .a = 1', 'syntax', '', 'unexpected end of the query'],
    ['{ duration > `1s` }', 'type', 'duration > `1s`', 'must operate on the same type'],
    ['{ .a =~ "(" }', 'type', '"("', 'invalid regex'],
    ['{ .a = "\\d" }', 'syntax', '"\\d"', 'unknown escape'],
    ['{ parent.a = 1 }', 'unsupported', 'parent.a', 'parent not yet supported'],
    ['{} | compare({ .a = 1 }, 1001)', 'type', 'compare({ .a = 1 }, 1001)', 'must be an integer between 1 and 1000'],
    ['{} | rate() | topk(0)', 'type', 'topk(0)', 'limit must be greater than 0'],
  ])('%s is told where it stands', (query, kind, place, message) => {
    let error: unknown;
    try {
      parseTraceql(query);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TraceqlError);
    const { range, kind: actual, message: text } = error as TraceqlError;
    expect({ kind: actual, place: query.slice(range.start, range.end) }).toEqual({ kind, place });
    expect(text).toContain(message);
  });

  test('very deep and very long queries are refused', () => {
    expect(() => parseTraceql(`{ ${'('.repeat(5_000)}true${')'.repeat(5_000)} }`)).toThrow('nested deeper');
    expect(() => parseTraceql(`{ ${'-'.repeat(5_000)}.a = 1 }`)).toThrow('nested deeper');
    expect(() => parseTraceql(`${'('.repeat(5_000)}{}`)).toThrow('nested deeper');
    expect(() => parseTraceql(' '.repeat(200_000))).toThrow('longer than');
  });
});

describe('printing', () => {
  test.each([
    [
      '{span:duration>1s&&.a}|count()>2|by(name)|select(.b,trace:id)',
      '{ duration > 1s && .a } | count() > 2 | by(name) | select(.b, trace:id)',
    ],
    ['{} >> {}', '{ } >> { }'],
    ['{.a} && ({.b} || {.c})', '{ .a } && ({ .b } || { .c })'],
    ['({.a} | {.b}) && ({.c})', '({ .a } | { .b }) && ({ .c })'],
    ['{ .a = (.b && .c) }', '{ .a = (.b && .c) }'],
    ['({}|rate())/({}|count_over_time())*2', '(({ } | rate()) / ({ } | count_over_time())) * 2'],
    [
      '{}|quantile_over_time(duration,.5,0.99)by(span.x)|topk(3)>5 with(sample=true)',
      '{ } | quantile_over_time(duration, 0.5, 0.99) by (span.x) | topk(3) > 5 with(sample=true)',
    ],
    ['{cidr(span.a,"10.0.0.0/8",`fc00::/7`)=.b}', '{ cidr(span.a, `10.0.0.0/8`, `fc00::/7`) = .b }'],
    ['{} | compare({status=error})', '{ } | compare({ status = error }, 10)'],
  ])('%s', (query, printed) => {
    expect(printTraceql(parseTraceql(query))).toBe(printed);
  });

  const attribute = fc
    .tuple(fc.constantFrom('.', 'span.', 'resource.'), fc.string({ minLength: 1, maxLength: 6 }))
    .map(([scope, name]) => `${scope}"${name.replace(/[\\"]/g, '\\$&')}"`);
  const literal = fc.oneof(
    fc.string({ maxLength: 6 }).map((text) => JSON.stringify(text.replace(/[^ -~]/g, ' '))),
    fc.integer().map(String),
    fc.constantFrom('1.5', '10ms', '1h', 'true', 'error', 'server', '1e30'),
  );
  const { field } = fc.letrec<{ field: string; leaf: string }>((tie) => ({
    leaf: fc.oneof(attribute, literal, fc.constantFrom('name', 'trace:duration', 'event:name')),
    field: fc.oneof(
      { maxDepth: 4 },
      tie('leaf'),
      fc
        .tuple(
          tie('field'),
          fc.constantFrom('+', '-', '*', '/', '%', '^', '=', '!=', '<', '>=', '=~', '&&', '||'),
          tie('field'),
        )
        .map(([a, op, b]) => `(${a}) ${op} (${b})`),
      fc
        .tuple(tie('field'), fc.constantFrom('+', '-', '*', '=', '&&', '||'), tie('field'))
        .map(([a, op, b]) => `${a} ${op} ${b}`),
      fc.tuple(fc.constantFrom('-', '!'), tie('field')).map(([op, a]) => `${op}(${a})`),
      tie('field').map((a) => `(${a}) != nil`),
      fc.tuple(tie('field'), fc.constantFrom('"10.0.0.0/8"', '`a`, ""')).map(([a, list]) => `cidr(${a}, ${list})`),
    ),
  }));
  const spansets = fc.letrec<{ set: string }>((tie) => ({
    set: fc.oneof(
      { maxDepth: 3 },
      field.map((text) => `{ ${text} }`),
      fc
        .tuple(tie('set'), fc.constantFrom('&&', '||', '>', '>>', '!~', '&<<'), tie('set'))
        .map(([a, op, b]) => `(${a}) ${op} (${b})`),
      fc.tuple(tie('set'), fc.constantFrom('&&', '>', '~'), tie('set')).map(([a, op, b]) => `${a} ${op} ${b}`),
    ),
  })).set;

  test('what is printed reads back as the same', () => {
    fc.assert(
      fc.property(spansets, (text) => {
        const parsed = parseTraceqlSyntax(text);
        expect(shape(parseTraceqlSyntax(printTraceql(parsed)))).toEqual(shape(parsed));
      }),
      { numRuns: 300 },
    );
  });

  test('no text makes the parser do anything but give a query or a TraceqlError', () => {
    const part = fc.constantFrom(
      '{',
      '}',
      '(',
      ')',
      '|',
      '.a',
      'by',
      'rate',
      '1',
      '"x"',
      '`',
      '&&',
      '>',
      '!',
      '=',
      ' ',
      ',',
      'span:',
      'nil',
      '-',
      'with',
      '😝',
      '/*',
      '\\',
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
        (text) => {
          try {
            parseTraceql(text);
          } catch (error) {
            expect(error).toBeInstanceOf(TraceqlError);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
