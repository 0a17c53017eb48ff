import type { AttributeEntry, AttributeValue } from '@signalbox/records';
import type { Comparator } from './ast.ts';
import { OttlValueError } from './ottl-error.ts';

/** A point in time, in nanoseconds since 1970. */
export class Time {
  readonly nanoseconds: bigint;

  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds;
  }
}

/** A length of time, in nanoseconds. */
export class Duration {
  readonly nanoseconds: bigint;

  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds;
  }
}

/** What expressions give: the values of attributes, and times. Int is bigint, Double number, `nil` null. */
export type Value = AttributeValue | Time | Duration;

export interface MapValue {
  readonly entries: readonly AttributeEntry[];
}

export function isMap(value: Value): value is MapValue {
  return typeof value === 'object' && value !== null && 'entries' in value && Array.isArray(value.entries);
}

export function isList(value: Value): value is readonly AttributeValue[] {
  return Array.isArray(value);
}

/** The value as an attribute can hold it. */
export function storable(value: Value): AttributeValue {
  if (value instanceof Time || value instanceof Duration) {
    throw new OttlValueError(`${describe(value)} cannot be stored: use UnixNano(…) or Nanoseconds(…)`);
  }
  return value;
}

/** What kind of value it is, for messages. No more: values are secrets of the records. */
export function describe(value: Value): string {
  if (value === null) {
    return 'nil';
  }
  switch (typeof value) {
    case 'string':
      return 'a string';
    case 'bigint':
      return 'an int';
    case 'number':
      return 'a double';
    case 'boolean':
      return 'a bool';
    default:
  }
  if (value instanceof Time) {
    return 'a time';
  }
  if (value instanceof Duration) {
    return 'a duration';
  }
  return value instanceof Uint8Array ? 'bytes' : isMap(value) ? 'a map' : 'a list';
}

/**
 * Compares as OTTL says (LANGUAGE.md, "Comparison Rules"): values of types that do not compare are unequal and in no order;
 * int and double compare as numbers; nil equals only nil.
 */
export function compare(comparator: Comparator, left: Value, right: Value): boolean {
  switch (comparator) {
    case '==':
      return equal(left, right);
    case '!=':
      return !equal(left, right);
    default:
  }
  const order = orderOf(left, right);
  if (order === null) {
    return false;
  }
  switch (comparator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

export function equal(left: Value, right: Value): boolean {
  if (left === right) {
    return true;
  }
  if (left === null || right === null) {
    return false;
  }
  if (isNumeric(left) && isNumeric(right)) {
    // biome-ignore lint/suspicious/noDoubleEquals: across number and bigint it compares exactly, which === does not.
    return left == right;
  }
  if (typeof left !== 'object' || typeof right !== 'object') {
    return false;
  }
  if (left instanceof Uint8Array) {
    return right instanceof Uint8Array && Buffer.compare(left, right) === 0;
  }
  if (left instanceof Time || right instanceof Time) {
    return left instanceof Time && right instanceof Time && left.nanoseconds === right.nanoseconds;
  }
  if (left instanceof Duration || right instanceof Duration) {
    return left instanceof Duration && right instanceof Duration && left.nanoseconds === right.nanoseconds;
  }
  if (isMap(left)) {
    return isMap(right) && equalMaps(left, right);
  }
  return (
    isList(left) && isList(right) && left.length === right.length && left.every((v, i) => equal(v, right[i] ?? null))
  );
}

function equalMaps(left: MapValue, right: MapValue): boolean {
  if (left.entries.length !== right.entries.length) {
    return false;
  }
  const other = new Map(right.entries);
  return left.entries.every(([key, value]) => other.has(key) && equal(value, other.get(key) ?? null));
}

/** Negative, 0 or positive; null when the values are in no order. */
function orderOf(left: Value, right: Value): number | null {
  if (isNumeric(left) && isNumeric(right)) {
    return Number.isNaN(left) || Number.isNaN(right) ? null : left < right ? -1 : left > right ? 1 : 0;
  }
  if (typeof left === 'string' && typeof right === 'string') {
    // By code points, which is the order of their bytes; JavaScript compares UTF-16 units.
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  }
  if (typeof left === 'boolean' && typeof right === 'boolean') {
    return Number(left) - Number(right);
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    return Buffer.compare(left, right);
  }
  if ((left instanceof Time && right instanceof Time) || (left instanceof Duration && right instanceof Duration)) {
    return left.nanoseconds < right.nanoseconds ? -1 : left.nanoseconds > right.nanoseconds ? 1 : 0;
  }
  return null;
}

function isNumeric(value: Value): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}

/** What `operator` makes of two values (LANGUAGE.md, "Math Expressions"). Integers are of 64 bits and wrap, as Go's do. */
export function calculate(operator: '+' | '-' | '*' | '/', left: Value, right: Value): Value {
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    return calculateInt(operator, left, right);
  }
  if (isNumeric(left) && isNumeric(right)) {
    return calculateDouble(operator, Number(left), Number(right));
  }
  const sign = operator === '+' ? 1n : operator === '-' ? -1n : null;
  if (sign !== null) {
    if (left instanceof Time && right instanceof Duration) {
      return new Time(left.nanoseconds + sign * right.nanoseconds);
    }
    if (left instanceof Duration && right instanceof Duration) {
      return new Duration(left.nanoseconds + sign * right.nanoseconds);
    }
    if (left instanceof Time && right instanceof Time && operator === '-') {
      return new Duration(left.nanoseconds - right.nanoseconds);
    }
    if (left instanceof Duration && right instanceof Time && operator === '+') {
      return new Time(left.nanoseconds + right.nanoseconds);
    }
  }
  throw new OttlValueError(`${describe(left)} ${operator} ${describe(right)} cannot be calculated`);
}

function calculateInt(operator: '+' | '-' | '*' | '/', left: bigint, right: bigint): bigint {
  switch (operator) {
    case '+':
      return BigInt.asIntN(64, left + right);
    case '-':
      return BigInt.asIntN(64, left - right);
    case '*':
      return BigInt.asIntN(64, left * right);
    case '/':
      if (right === 0n) {
        throw new OttlValueError('an int was to be divided by zero');
      }
      return BigInt.asIntN(64, left / right);
  }
}

function calculateDouble(operator: '+' | '-' | '*' | '/', left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      if (right === 0) {
        throw new OttlValueError('a number was to be divided by zero');
      }
      return left / right;
  }
}
