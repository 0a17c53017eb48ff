import { textOfValue } from '../text-of-value.ts';
import { isList, isMap, type Value } from '../value.ts';
import { type CommonFunction, ofValue } from './function.ts';

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** Null: the value is none that an int can be made of. */
export function toInt(value: Value): bigint | null {
  switch (typeof value) {
    case 'bigint':
      return value;
    case 'number':
      return Number.isFinite(value) ? BigInt.asIntN(64, BigInt(Math.trunc(value))) : null;
    case 'boolean':
      return value ? 1n : 0n;
    case 'string':
      return parseInt64(value);
    default:
      return null;
  }
}

function parseInt64(text: string): bigint | null {
  if (!/^[-+]?\d{1,20}$/.test(text)) {
    return null;
  }
  const value = BigInt(text.replace('+', ''));
  return BigInt.asIntN(64, value) === value ? value : null;
}

/** Null: the value is none that a double can be made of. */
export function toDouble(value: Value): number | null {
  switch (typeof value) {
    case 'number':
      return value;
    case 'bigint':
      return Number(value);
    case 'boolean':
      return value ? 1 : 0;
    case 'string':
      return /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(value) ? Number(value) : null;
    default:
      return null;
  }
}

function toBool(value: Value): Value {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'bigint':
    case 'number':
      return value !== 0n && value !== 0;
    case 'string':
      return TRUE.has(value) ? true : FALSE.has(value) ? false : null;
    default:
      return null;
  }
}

function isEmpty(value: Value): boolean {
  if (value === null || value === '' || value === 0n || value === 0 || value === false) {
    return true;
  }
  if (value instanceof Uint8Array) {
    return value.every((byte) => byte === 0);
  }
  return (isMap(value) && value.entries.length === 0) || (isList(value) && value.length === 0);
}

export const TYPE_CONVERTERS: readonly (readonly [string, CommonFunction])[] = [
  ['Int', ofValue(toInt)],
  ['Double', ofValue(toDouble)],
  ['Bool', ofValue(toBool)],
  ['String', ofValue(textOfValue)],
  ['IsString', ofValue((value) => typeof value === 'string')],
  ['IsInt', ofValue((value) => typeof value === 'bigint')],
  ['IsDouble', ofValue((value) => typeof value === 'number')],
  ['IsBool', ofValue((value) => typeof value === 'boolean')],
  ['IsMap', ofValue(isMap)],
  ['IsList', ofValue(isList)],
  ['IsEmpty', ofValue(isEmpty)],
];
