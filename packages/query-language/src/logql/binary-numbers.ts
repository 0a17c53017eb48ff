import type { LogqlBinaryOperator } from './ast.ts';

/** What an operator makes of two numbers; comparisons give 1 and 0. The remainder is that of whole numbers only where Go's `Mod` is. */
export function applyLogqlOperator(operator: LogqlBinaryOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return right === 0 ? Number.NaN : left / right;
    case '%':
      return right === 0 ? Number.NaN : left % right;
    case '^':
      return power(left, right);
    case '==':
      return left === right ? 1 : 0;
    case '!=':
      return left !== right ? 1 : 0;
    case '>':
      return left > right ? 1 : 0;
    case '>=':
      return left >= right ? 1 : 0;
    case '<':
      return left < right ? 1 : 0;
    case '<=':
      return left <= right ? 1 : 0;
    default:
      throw new Error(`${operator} is not an operator of numbers`);
  }
}

/** Go's `Pow`: 1 to any power is 1, also to NaN. */
function power(left: number, right: number): number {
  if (left === 1) return 1;
  if (left === -1 && !Number.isFinite(right) && !Number.isNaN(right)) return 1;
  return left ** right;
}
