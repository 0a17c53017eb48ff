import type { BinaryOperator, TextRange } from '@signalbox/query-language';
import type { Annotations } from './annotations.ts';
import { type FloatHistogram, IncompatibleSchemaError } from './histogram/float-histogram.ts';
import { trimHistogram } from './histogram/trim.ts';

export type Value = number | FloatHistogram;

/** The result of an operator over two elements. `keeps`: a comparison holds; for other operators it is true. */
export interface BinaryResult {
  readonly value: Value;
  readonly keeps: boolean;
}

/** The operator over two numbers; comparisons give 1 or 0. */
export function scalarBinary(operator: BinaryOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '^':
      return power(left, right);
    case 'atan2':
      return Math.atan2(left, right);
    default:
      return compares(operator, left, right) ? 1 : 0;
  }
}

/** IEEE 754's pow: JavaScript alone has it that 1 and -1 to the power of what is not finite, or of NaN, is not a number. */
function power(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === Number.POSITIVE_INFINITY)) return 1;
  return base ** exponent;
}

export function compares(operator: BinaryOperator, left: number, right: number): boolean {
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '<=':
      return left <= right;
    default:
      return left >= right;
  }
}

export function isComparison(operator: BinaryOperator): boolean {
  return (
    operator === '==' ||
    operator === '!=' ||
    operator === '<' ||
    operator === '>' ||
    operator === '<=' ||
    operator === '>='
  );
}

/** The operator over two elements of vectors; undefined, with an annotation: it makes no sense of them. */
export function elementBinary(
  operator: BinaryOperator,
  left: Value,
  right: Value,
  annotations: Annotations,
  place: TextRange,
): BinaryResult | undefined {
  if (typeof left === 'number' && typeof right === 'number') {
    if (operator === '</' || operator === '>/') return incompatible();
    if (isComparison(operator)) return { value: left, keeps: compares(operator, left, right) };
    return { value: scalarBinary(operator, left, right), keeps: true };
  }
  if (typeof left === 'number') {
    const histogram = right as FloatHistogram;
    return operator === '*' ? { value: histogram.copy().multiply(left).compact(), keeps: true } : incompatible();
  }
  if (typeof right === 'number') {
    switch (operator) {
      case '*':
        return { value: left.copy().multiply(right).compact(), keeps: true };
      case '/':
        return { value: left.copy().divide(right).compact(), keeps: true };
      case '</':
        return { value: trimHistogram(left, right, 'upper'), keeps: true };
      case '>/':
        return { value: trimHistogram(left, right, 'lower'), keeps: true };
      default:
        return incompatible();
    }
  }
  switch (operator) {
    case '+':
    case '-':
      return combine(operator, left, right, annotations, place);
    case '==':
      return { value: left, keeps: left.equals(right) };
    case '!=':
      return { value: left, keeps: !left.equals(right) };
    default:
      return incompatible();
  }

  function incompatible(): undefined {
    const typeOf = (value: Value) => (typeof value === 'number' ? 'float' : 'histogram');
    annotations.incompatibleTypes(typeOf(left), operator, typeOf(right), place);
    return undefined;
  }
}

function combine(
  operator: '+' | '-',
  left: FloatHistogram,
  right: FloatHistogram,
  annotations: Annotations,
  place: TextRange,
): BinaryResult | undefined {
  const result = left.copy();
  const operation = operator === '+' ? 'addition' : 'subtraction';
  try {
    const { resetsCollide, boundsReconciled } = operator === '+' ? result.add(right) : result.subtract(right);
    if (resetsCollide) annotations.resetsCollide(operation, place);
    if (boundsReconciled) annotations.boundsReconciled(operation, place);
  } catch (error) {
    if (!(error instanceof IncompatibleSchemaError)) throw error;
    annotations.incompatibleBuckets(operator, place);
    return undefined;
  }
  if (operator === '-') result.resetHint = 'gauge';
  return { value: result.compact(), keeps: true };
}
