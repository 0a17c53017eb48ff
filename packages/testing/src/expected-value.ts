import { isDeepStrictEqual } from 'node:util';
import type { RecordedAttributes, RecordedValue } from './recorded-value.ts';

/** What a value may be compared with; vitest's and jest's `expect.any(…)` and their like are welcome anywhere. */
export type ExpectedValue =
  | RecordedValue
  | RegExp
  | ((value: RecordedValue | undefined) => boolean)
  | { asymmetricMatch(value: unknown): boolean };

export type ExpectedAttributes = Readonly<Record<string, ExpectedValue>>;

export function isExpected(value: RecordedValue | undefined, expected: ExpectedValue): boolean {
  if (expected instanceof RegExp) return typeof value === 'string' && new RegExp(expected).test(value);
  if (typeof expected === 'function') return expected(value);
  if (isAsymmetric(expected)) return expected.asymmetricMatch(value);
  return isDeepStrictEqual(value, expected);
}

/** Whether all of `expected` is there; further attributes do not matter. */
export function hasAttributes(attributes: RecordedAttributes, expected: ExpectedAttributes): boolean {
  return Object.entries(expected).every(([name, value]) => isExpected(attributes[name], value));
}

function isAsymmetric(expected: unknown): expected is { asymmetricMatch(value: unknown): boolean } {
  return (
    typeof expected === 'object' &&
    expected !== null &&
    'asymmetricMatch' in expected &&
    typeof expected.asymmetricMatch === 'function'
  );
}
