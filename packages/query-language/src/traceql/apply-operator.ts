import type { ArithmeticOperator, ComparisonOperator, FieldOperator } from './ast.ts';
import { canCombine, fitsOperator } from './operand-types.ts';
import {
  elementsOf,
  elementType,
  FALSE,
  type Integer,
  isNumeric,
  NIL,
  type Static,
  TRUE,
  toFloat,
  toInteger,
} from './static.ts';

/** Tells whether a text matches an expression of `=~` as a whole. */
export type PatternMatcher = (text: string) => boolean;

/**
 * The value of a binary operation. Comparisons of what can't be compared, and of nil, are false; arithmetic on what is no
 * number, and division of integers by zero, gives nil. Of an array some element must fulfil a comparison, of `!=` and
 * `!~` all.
 * @param matches of the right side, for `=~` and `!~`
 */
export function applyOperator(
  operator: FieldOperator,
  left: Static,
  right: Static,
  matches?: PatternMatcher | undefined,
): Static {
  if (!canCombine(left.type, right.type)) return FALSE;
  if (!fitsOperator(operator, left.type) || !fitsOperator(operator, right.type)) return FALSE;
  switch (operator) {
    case '&&':
      return truth(left.value === true && right.value === true);
    case '||':
      return truth(left.value === true || right.value === true);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '^':
      return applyArithmetic(operator, left, right);
    default: {
      const isLeftArray = elementType(left.type) !== undefined;
      const isRightArray = elementType(right.type) !== undefined;
      if (!isLeftArray && !isRightArray) return truth(compare(operator, left, right, matches));
      if (isLeftArray && isRightArray) return FALSE;
      const test = isLeftArray
        ? (element: Static) => compare(operator, element, right, matches)
        : (element: Static) => compare(operator, left, element, matches);
      const elements = elementsOf(isLeftArray ? left : right);
      return truth(operator === '!=' || operator === '!~' ? elements.every(test) : elements.some(test));
    }
  }
}

function truth(value: boolean): Static {
  return value ? TRUE : FALSE;
}

/** Of values that are no arrays. */
function compare(
  operator: ComparisonOperator | '=~' | '!~',
  left: Static,
  right: Static,
  matches: PatternMatcher | undefined,
): boolean {
  switch (operator) {
    case '=':
      return isEqual(left, right);
    case '!=':
      return left.type !== 'nil' && right.type !== 'nil' && !isEqual(left, right);
    case '=~':
    case '!~':
      if (left.type !== 'string' || matches === undefined) return false;
      return matches(left.value) === (operator === '=~');
    default:
      if (left.type === 'string' && right.type === 'string') {
        return ordered(operator, compareTexts(left.value, right.value), 0);
      }
      if (!isNumeric(left.type) || !isNumeric(right.type)) return false;
      return ordered(operator, left.value as Integer, right.value as Integer);
  }
}

function ordered(operator: '<' | '<=' | '>' | '>=', left: Integer, right: Integer): boolean {
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}

function isEqual(left: Static, right: Static): boolean {
  if (isNumeric(left.type) && isNumeric(right.type)) {
    // biome-ignore lint/suspicious/noDoubleEquals: a number and a bigint may be the same integer.
    return (left.value as Integer) == (right.value as Integer);
  }
  return left.type !== 'nil' && left.type === right.type && left.value === right.value;
}

/** Order of texts by their code points, which is that of their UTF-8 bytes: negative, 0 or positive. */
export function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    // Surrogates stand for what is beyond U+FFFF, after the private use area and what follows it.
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x2800 : unit >= 0xe000 ? unit - 0x800 : unit;
}

/** Integers with integers stay integers; everything else, durations too, becomes a float. */
function applyArithmetic(operator: ArithmeticOperator, left: Static, right: Static): Static {
  if (!isNumeric(left.type) || !isNumeric(right.type)) return NIL;
  if (left.type === 'int' && right.type === 'int') return integerArithmetic(operator, left.value, right.value);
  const a = toFloat(left);
  const b = toFloat(right);
  return { type: 'float', value: floatArithmetic(operator, a, b) };
}

function floatArithmetic(operator: ArithmeticOperator, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a % b;
    case '^':
      return a ** b;
  }
}

/** Powers go through floats, as in Tempo. */
function integerArithmetic(operator: ArithmeticOperator, left: Integer, right: Integer): Static {
  if (operator === '^') {
    const power = Number(left) ** Number(right);
    return { type: 'int', value: Number.isFinite(power) ? toInteger(BigInt(Math.trunc(power))) : -(2n ** 63n) };
  }
  const a = BigInt(left);
  const b = BigInt(right);
  if (b === 0n && (operator === '/' || operator === '%')) return NIL;
  const value =
    operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : operator === '/' ? a / b : a % b;
  return { type: 'int', value: toInteger(value) };
}

/** The value with the sign turned round; nil for what is no number. */
export function negate(value: Static): Static {
  switch (value.type) {
    case 'int':
    case 'duration':
      return { type: value.type, value: toInteger(-BigInt(value.value)) };
    case 'float':
      return { type: 'float', value: -value.value };
    default:
      return NIL;
  }
}
