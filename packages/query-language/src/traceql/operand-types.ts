import type { FieldOperator } from './ast.ts';
import { elementType, isNumeric, type StaticType } from './static.ts';

/** `attribute`: only the span will tell. */
export type OperandType = StaticType | 'attribute';

/** Whether values of the types can stand on both sides of some operator. An array goes with what its elements go with. */
export function canCombine(left: OperandType, right: OperandType): boolean {
  if (left === right || left === 'attribute' || right === 'attribute') return true;
  if (left === 'nil' || right === 'nil') return true;
  if (isNumeric(left) && isNumeric(right)) return true;
  const ofLeft = elementType(left);
  if (ofLeft !== undefined) return canCombine(ofLeft, right);
  const ofRight = elementType(right);
  return ofRight !== undefined && canCombine(left, ofRight);
}

const NUMERIC_OPERATORS: ReadonlySet<FieldOperator> = new Set([
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
  '=',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
]);
const STRING_OPERATORS: ReadonlySet<FieldOperator> = new Set(['=', '!=', '=~', '!~', '<', '<=', '>', '>=']);
const BOOL_OPERATORS: ReadonlySet<FieldOperator> = new Set(['&&', '||', '=', '!=']);

/** Whether a value of the type can be an operand. */
export function fitsOperator(operator: FieldOperator, type: OperandType): boolean {
  if (type === 'attribute') return true;
  const element = elementType(type) ?? type;
  if (isNumeric(element)) return NUMERIC_OPERATORS.has(operator);
  if (element === 'string') return STRING_OPERATORS.has(operator);
  if (element === 'bool') return BOOL_OPERATORS.has(operator);
  return operator === '=' || operator === '!=';
}

const TRUTH_OPERATORS: ReadonlySet<string> = new Set(['&&', '||', '=', '!=', '=~', '!~', '<', '<=', '>', '>=']);

/** Whether the operator's result is a bool. */
export function givesBool(operator: string): boolean {
  return TRUTH_OPERATORS.has(operator);
}
