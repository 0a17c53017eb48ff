import type { CidrTest, Field, FieldExpr, FieldOperator, Literal, SpansetFilter } from './ast.ts';
import { findIntrinsic } from './intrinsics.ts';
import { FALSE, KINDS, MAX_INTEGER, MIN_INTEGER, STATUSES, type Static, TRUE } from './static.ts';
import type { TokenReader } from './token-reader.ts';

/** How tightly operators between values of a span bind. `&&` and `||` bind alike; all but `^` group from the left. */
const PRECEDENCE: ReadonlyMap<string, number> = new Map<string, number>([
  ['&&', 1],
  ['||', 1],
  ...['=', '!=', '<', '<=', '>', '>=', '=~', '!~'].map((operator) => [operator, 2] as const),
  ['+', 3],
  ['-', 3],
  ['*', 5],
  ['/', 5],
  ['%', 5],
  ['^', 6],
]);
const POWER_PRECEDENCE = 6;
/** What an operand of `-` and of `!` may hold without parentheses: `!` binds more tightly than `-`. */
const MINUS_OPERAND = 4;
const NOT_OPERAND = 5;

const WORDS: ReadonlyMap<string, Static> = new Map<string, Static>([
  ['true', TRUE],
  ['false', FALSE],
  ['minInt', { type: 'int', value: MIN_INTEGER }],
  ['maxInt', { type: 'int', value: MAX_INTEGER }],
  ...STATUSES.map((value) => [value, { type: 'status', value }] as const),
  ...KINDS.map((value) => [value, { type: 'kind', value }] as const),
]);

/** `{ condition }` */
export function parseSpansetFilter(tokens: TokenReader): SpansetFilter {
  const { start, end: afterBrace } = tokens.expect('{');
  const isEmpty = tokens.is('}');
  const condition: FieldExpr = isEmpty
    ? { kind: 'literal', value: TRUE, range: { start: afterBrace, end: afterBrace } }
    : parseFieldExpr(tokens);
  const { end } = tokens.expect('}');
  return { kind: 'spansetFilter', condition, range: { start, end } };
}

/** An expression of values of a span. */
export function parseFieldExpr(tokens: TokenReader): FieldExpr {
  return parseOperations(tokens, 0);
}

/** Attributes and intrinsics, by commas. */
export function parseFields(tokens: TokenReader): Field[] {
  const fields = [parseField(tokens)];
  while (tokens.is(',')) {
    tokens.advance();
    fields.push(parseField(tokens));
  }
  return fields;
}

export function parseField(tokens: TokenReader): Field {
  return readField(tokens) ?? tokens.unexpected('an attribute');
}

/** `nil` only ever stands beside `=` and `!=`, where it asks whether there is a value. */
function parseOperations(tokens: TokenReader, minimum: number): FieldExpr {
  return tokens.nested(() => {
    let left = tokens.isWord('nil') ? parseLeadingNil(tokens) : parseOperand(tokens);
    for (;;) {
      const { token } = tokens;
      const precedence = token.kind === 'operator' ? PRECEDENCE.get(token.text) : undefined;
      if (precedence === undefined || precedence < minimum) return left;
      tokens.advance();
      if (tokens.isWord('nil') && (token.text === '=' || token.text === '!=')) {
        const { end } = tokens.take();
        const range = { start: left.range.start, end };
        left = { kind: 'existence', expr: left, exists: token.text === '!=', range };
        continue;
      }
      const right = parseOperations(tokens, precedence === POWER_PRECEDENCE ? precedence : precedence + 1);
      const range = { start: left.range.start, end: right.range.end };
      left = { kind: 'binary', operator: token.text as FieldOperator, left, right, range };
    }
  });
}

/** `nil = .a`; nil is never equal nor unequal to nil. */
function parseLeadingNil(tokens: TokenReader): FieldExpr {
  const { start } = tokens.take();
  const operator = tokens.token;
  if (!tokens.is('=') && !tokens.is('!=')) tokens.unexpected('"=" or "!="');
  tokens.advance();
  if (tokens.isWord('nil')) {
    const { end } = tokens.take();
    return { kind: 'literal', value: FALSE, range: { start, end } };
  }
  const expr = parseOperations(tokens, 3);
  return { kind: 'existence', expr, exists: operator.text === '!=', range: { start, end: expr.range.end } };
}

function parseOperand(tokens: TokenReader): FieldExpr {
  const { token } = tokens;
  if (tokens.is('-') || tokens.is('!')) {
    tokens.advance();
    const operator = token.text as '-' | '!';
    const expr = parseOperations(tokens, operator === '-' ? MINUS_OPERAND : NOT_OPERAND);
    return { kind: 'unary', operator, expr, range: { start: token.start, end: expr.range.end } };
  }
  if (tokens.is('(')) {
    tokens.advance();
    const expr = parseOperations(tokens, 0);
    const { end } = tokens.expect(')');
    return { ...expr, range: { start: token.start, end } };
  }
  const range = { start: token.start, end: token.end };
  if (token.kind === 'literal') {
    tokens.advance();
    return { kind: 'literal', value: token.value, range };
  }
  const field = readField(tokens);
  if (field !== undefined) return field;
  if (tokens.isWord('cidr')) return parseCidr(tokens);
  if (token.kind !== 'word') return tokens.unexpected();
  const value = WORDS.get(token.text);
  if (value === undefined) {
    return tokens.fail(
      `unknown identifier: ${token.text}. Attributes begin with a dot or a scope: .${token.text}`,
      range,
    );
  }
  tokens.advance();
  return { kind: 'literal', value, range };
}

/** `cidr(expr, "prefix", "prefix")` */
function parseCidr(tokens: TokenReader): CidrTest {
  const { start } = tokens.take();
  tokens.expect('(');
  const expr = parseOperations(tokens, 0);
  const prefixes: Literal[] = [];
  do {
    tokens.expect(',');
    const { token } = tokens;
    if (token.kind !== 'literal' || token.value.type !== 'string') return tokens.unexpected('a prefix in quotes');
    prefixes.push({ kind: 'literal', value: token.value, range: { start: token.start, end: token.end } });
    tokens.advance();
  } while (tokens.is(','));
  const { end } = tokens.expect(')');
  return { kind: 'cidr', expr, prefixes, range: { start, end } };
}

/** The field in view; undefined when something else is. */
function readField(tokens: TokenReader): Field | undefined {
  const { token } = tokens;
  const range = { start: token.start, end: token.end };
  if (token.kind === 'attribute') {
    tokens.advance();
    const { scope, isParent, name } = token;
    return { kind: 'attribute', scope, isParent, name, range };
  }
  if (token.kind === 'word') {
    const name = findIntrinsic('', token.text);
    if (name === undefined) return undefined;
    tokens.advance();
    return { kind: 'intrinsic', name, range };
  }
  if (token.kind !== 'scope') return undefined;
  tokens.advance();
  const word = tokens.token;
  const name = word.kind === 'word' ? findIntrinsic(token.text, word.text) : undefined;
  if (name === undefined) return tokens.unexpected(`an intrinsic of ${token.text === '' ? 'spans' : token.text}`);
  tokens.advance();
  return { kind: 'intrinsic', name, range: { start: token.start, end: word.end } };
}
