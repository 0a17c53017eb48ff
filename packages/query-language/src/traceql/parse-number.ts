import type { TextRange } from '../promql/ast.ts';
import { applyOperator, negate } from './apply-operator.ts';
import type { ArithmeticOperator, Literal } from './ast.ts';
import type { TokenReader } from './token-reader.ts';

/** How tightly operators between numbers bind. There is no `%` and no `^` here. */
const PRECEDENCE: ReadonlyMap<string, number> = new Map([
  ['+', 1],
  ['-', 1],
  ['*', 2],
  ['/', 2],
]);

/** Arithmetic with numbers, done right away. Integers stay integers: `1 / 2` is 0. */
export function parseNumber(tokens: TokenReader, minimum = 0): Literal {
  return tokens.nested(() => {
    let left = parseOperand(tokens);
    for (;;) {
      const { token } = tokens;
      const precedence = token.kind === 'operator' ? PRECEDENCE.get(token.text) : undefined;
      if (precedence === undefined || precedence < minimum) return left;
      tokens.advance();
      left = foldNumbers(tokens, token.text, left, parseNumber(tokens, precedence + 1));
    }
  });
}

/** The literal that an operation on two of them gives. */
export function foldNumbers(tokens: TokenReader, operator: string, left: Literal, right: Literal): Literal {
  const range: TextRange = { start: left.range.start, end: right.range.end };
  if (!PRECEDENCE.has(operator)) tokens.fail(`syntax error: unexpected ${operator} between numbers`, range);
  if (left.value.type === 'duration' || right.value.type === 'duration') {
    tokens.fail('duration cannot be used in scalar arithmetic', range);
  }
  const value = applyOperator(operator as ArithmeticOperator, left.value, right.value);
  if (value.type === 'nil') tokens.fail('division by zero', range);
  return { kind: 'literal', value, range };
}

function parseOperand(tokens: TokenReader): Literal {
  const { token } = tokens;
  const { start } = token;
  if (tokens.is('-')) {
    tokens.advance();
    const operand = tokens.nested(() => parseOperand(tokens));
    return { kind: 'literal', value: negate(operand.value), range: { start, end: operand.range.end } };
  }
  if (tokens.is('(')) {
    tokens.advance();
    const inner = parseNumber(tokens);
    const { end } = tokens.expect(')');
    return { ...inner, range: { start, end } };
  }
  const isNumber =
    token.kind === 'literal' &&
    (token.value.type === 'int' || token.value.type === 'float' || token.value.type === 'duration');
  if (!isNumber) return tokens.unexpected('a number');
  tokens.advance();
  return { kind: 'literal', value: token.value, range: { start, end: token.end } };
}
