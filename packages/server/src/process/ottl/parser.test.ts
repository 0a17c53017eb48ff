import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FUZZ_TIMEOUT, fuzz } from '../../../../../tooling/fuzz.ts';
import type { Comparator, Condition, Expression } from './ast.ts';
import { OttlCompiler } from './compile.ts';
import { SPAN_DIALECT } from './dialects.ts';
import { OttlError } from './ottl-error.ts';
import { parseCondition, parseExpression } from './parser.ts';

const numRuns = process.env.SIGNALBOX_TEST_TIER === 'full' ? 100_000 : 1_000;

const position = 0;
const lowerName = fc
  .stringMatching(/^[a-z][a-z0-9_]{0,5}$/)
  .filter((name) => !/^(where|and|or|not|true|false|nil)$/.test(name));
const upperName = fc.stringMatching(/^[A-Z][A-Za-z0-9_]{0,5}$/);

const { expression, condition } = fc.letrec<{ expression: Expression; condition: Condition }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.record({
      kind: fc.constant('literal' as const),
      position: fc.constant(position),
      value: fc.oneof(
        fc.constant(null),
        fc.boolean(),
        fc.string({ unit: 'binary', maxLength: 6 }),
        fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
        fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
        fc.uint8Array({ maxLength: 4 }),
      ),
    }),
    fc.record({ kind: fc.constant('enum' as const), position: fc.constant(position), name: upperName }),
    fc.record({
      kind: fc.constant('path' as const),
      position: fc.constant(position),
      names: fc.array(lowerName, { minLength: 1, maxLength: 3 }),
      keys: fc.array(tie('expression'), { maxLength: 2 }),
    }),
    fc.record({
      kind: fc.constant('call' as const),
      position: fc.constant(position),
      name: upperName,
      arguments: fc
        .tuple(
          fc.array(tie('expression'), { maxLength: 2 }),
          fc.array(fc.tuple(lowerName, tie('expression')), { maxLength: 1 }),
        )
        .map(([places, named]) => [
          ...places.map((value) => ({ name: null, value, position })),
          ...named.map(([name, value]) => ({ name, value, position })),
        ]),
      keys: fc.array(tie('expression'), { maxLength: 1 }),
    }),
    fc.record({
      kind: fc.constant('list' as const),
      position: fc.constant(position),
      values: fc.array(tie('expression'), { maxLength: 3 }),
    }),
    fc.record({
      kind: fc.constant('map' as const),
      position: fc.constant(position),
      entries: fc.array(fc.tuple(fc.string({ maxLength: 4 }), tie('expression')), { maxLength: 2 }),
    }),
    fc.record({
      kind: fc.constant('arithmetic' as const),
      position: fc.constant(position),
      operator: fc.constantFrom('+' as const, '-' as const, '*' as const, '/' as const),
      left: tie('expression'),
      right: tie('expression'),
    }),
  ),
  condition: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.record({
      kind: fc.constant('comparison' as const),
      position: fc.constant(position),
      comparator: fc.constantFrom<Comparator>('==', '!=', '<', '<=', '>', '>='),
      left: tie('expression'),
      right: tie('expression'),
    }),
    fc.boolean().map((value) => ({
      kind: 'truth' as const,
      position,
      value: { kind: 'literal' as const, position, value },
    })),
    fc.record({ kind: fc.constant('not' as const), position: fc.constant(position), condition: tie('condition') }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      position: fc.constant(position),
      conditions: fc.array(tie('condition'), { minLength: 2, maxLength: 3 }),
    }),
  ),
}));

/** Everything in parentheses, so that what is printed says nothing of precedence. */
function printExpression(node: Expression): string {
  const keys = (list: readonly Expression[]) => list.map((key) => `[${printExpression(key)}]`).join('');
  switch (node.kind) {
    case 'literal':
      return printLiteral(node.value);
    case 'enum':
      return node.name;
    case 'path':
      return node.names.join(' . ') + keys(node.keys);
    case 'call': {
      const inner = node.arguments.map(
        ({ name, value }) => `${name === null ? '' : `${name}=`}${printExpression(value)}`,
      );
      return `${node.name}(${inner.join(', ')})${keys(node.keys)}`;
    }
    case 'list':
      return `[${node.values.map(printExpression).join(',')}]`;
    case 'map':
      return `{${node.entries.map(([key, value]) => `${printText(key)} : ${printExpression(value)}`).join(',')}}`;
    case 'arithmetic':
      return `(${printExpression(node.left)}) ${node.operator} (${printExpression(node.right)})`;
  }
}

function printLiteral(value: Extract<Expression, { kind: 'literal' }>['value']): string {
  if (typeof value === 'string') return printText(value);
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
  if (value === null) return 'nil';
  return typeof value === 'number' && Number.isInteger(value) ? value.toExponential() : String(value);
}

function printText(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}

function printCondition(node: Condition): string {
  switch (node.kind) {
    case 'comparison':
      return `(${printExpression(node.left)}) ${node.comparator} (${printExpression(node.right)})`;
    case 'truth':
      return printExpression(node.value);
    case 'not':
      return `not (${printCondition(node.condition)})`;
    default:
      return node.conditions.map((part) => `(${printCondition(part)})`).join(`\n${node.kind} `);
  }
}

/** The node with every position 0. */
function placeless(node: unknown): unknown {
  return JSON.parse(
    JSON.stringify(node, (key, value) =>
      key === 'position'
        ? 0
        : typeof value === 'bigint'
          ? `${value}n`
          : typeof value === 'number'
            ? `${value}`
            : value instanceof Uint8Array
              ? [...value]
              : value,
    ),
  );
}

it('every expression that is printed is read back as it was', () => {
  fc.assert(
    fc.property(expression, (node) => {
      expect(placeless(parseExpression(printExpression(node)))).toEqual(placeless(node));
    }),
    { numRuns },
  );
});

it('every condition that is printed is read back as it was', () => {
  fc.assert(
    fc.property(condition, (node) => {
      expect(placeless(parseCondition(printCondition(node)))).toEqual(placeless(node));
    }),
    { numRuns },
  );
});

it('any text is either a statement or a mistake with its place', () => {
  const parts = fc.constantFrom(
    ...[
      'set',
      '(',
      ')',
      'name',
      ',',
      '"x"',
      'where',
      'and',
      'or',
      'not',
      '==',
      '<',
      '[',
      ']',
      '{',
      '}',
      ':',
      '.',
      '-',
      '1',
      '0x1f',
    ],
    ...['attributes', '["k"]', 'Concat', 'IsMatch', 'KIND', 'nil', 'true', '+', '*', '1.5', '=', '"', '\\', 'é'],
  );
  const texts = fc.oneof(
    fc.array(parts, { maxLength: 25 }).map((list) => list.join(' ')),
    fc.string({ unit: 'binary', maxLength: 60 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        OttlCompiler.statement(SPAN_DIALECT, text);
      } catch (error) {
        expect(error).toBeInstanceOf(OttlError);
        expect((error as OttlError).position).toBeLessThanOrEqual(text.length);
      }
    }),
    { numRuns },
  );
});

it('never does anything but compile or refuse hostile statements', { timeout: FUZZ_TIMEOUT }, () => {
  const statements = [
    'set(attributes["http.route"], Concat([name, "x\\"y"], "/")) where kind == SPAN_KIND_SERVER and not (status.code != 2)',
    'replace_all_patterns(attributes, "value", "(?i)pass(word)?=\\\\S+", "***") where IsMatch(name, "^/api/.*") or true',
    'delete_matching_keys(resource.attributes, "(?i).*token.*")',
    'keep_keys(attributes, ["a", "b.c"]) where attributes["n"] >= -1.5e3 + 2 * Len(name) and 0xff00 != trace_id',
    'merge_maps(attributes, {"a": {"b": [1, nil, false]}}, "upsert")',
    'limit(attributes, 10, ["keep"])',
  ];
  fuzz(
    statements.map((statement) => Buffer.from(statement)),
    (bytes) => OttlCompiler.statement(SPAN_DIALECT, Buffer.from(bytes).toString()),
    (error) => error instanceof OttlError,
  );
});
