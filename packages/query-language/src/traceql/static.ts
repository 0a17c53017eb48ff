/** A 64-bit integer: a number where that is exact, otherwise a bigint. The two compare with each other. */
export type Integer = number | bigint;

/**
 * A value of TraceQL. Durations are nanoseconds. `nil` is what an absent attribute has. Status: `error`, `ok`, `unset`;
 * kind: `unspecified`, `internal`, `client`, `server`, `producer`, `consumer`.
 */
export type Static =
  | { readonly type: 'nil'; readonly value: null }
  | { readonly type: 'int' | 'duration'; readonly value: Integer }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'string' | 'status' | 'kind'; readonly value: string }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'int[]'; readonly value: readonly Integer[] }
  | { readonly type: 'float[]'; readonly value: readonly number[] }
  | { readonly type: 'string[]'; readonly value: readonly string[] }
  | { readonly type: 'bool[]'; readonly value: readonly boolean[] };

export type StaticType = Static['type'];

export const NIL: Static = { type: 'nil', value: null };
export const TRUE: Static = { type: 'bool', value: true };
export const FALSE: Static = { type: 'bool', value: false };

export const STATUSES = ['error', 'ok', 'unset'] as const;
export const KINDS = ['unspecified', 'internal', 'client', 'server', 'producer', 'consumer'] as const;

export const MIN_INTEGER = -(2n ** 63n);
export const MAX_INTEGER = 2n ** 63n - 1n;

/** The integer as a number where that is exact. Beyond 64 bits it wraps around, as Go's do. */
export function toInteger(value: bigint): Integer {
  const wrapped = BigInt.asIntN(64, value);
  const number = Number(wrapped);
  return Number.isSafeInteger(number) ? number : wrapped;
}

/** Element types of array types. */
const ELEMENTS: Readonly<Partial<Record<StaticType, StaticType>>> = {
  'int[]': 'int',
  'float[]': 'float',
  'string[]': 'string',
  'bool[]': 'bool',
};

/** Type of an array's elements; undefined for what is no array. */
export function elementType(type: StaticType): StaticType | undefined {
  return ELEMENTS[type];
}

export function isNumeric(type: StaticType): boolean {
  return type === 'int' || type === 'float' || type === 'duration';
}

/** The elements of an array; anything else is its own only element. */
export function elementsOf(value: Static): readonly Static[] {
  const type = elementType(value.type);
  if (type === undefined) return [value];
  return (value.value as readonly unknown[]).map((element) => ({ type, value: element }) as Static);
}

/** NaN for what is no number. */
export function toFloat({ type, value }: Static): number {
  return isNumeric(type) ? Number(value) : Number.NaN;
}

/** The same text for the same value of the same type, for maps. */
export function staticKey({ type, value }: Static): string {
  if (elementType(type) === undefined) return `${type} ${value}`;
  return `${type} ${JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part))}`;
}
