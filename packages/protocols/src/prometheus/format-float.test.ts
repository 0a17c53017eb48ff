import { expect, it } from 'vitest';
import { formatFloat } from './format-float.ts';

// As Go's strconv.FormatFloat(value, 'g', -1, 64) prints them.
it.each([
  [1e5, '100000'],
  [1e6, '1e+06'],
  [123456, '123456'],
  [1234567, '1.234567e+06'],
  [12345678.5, '1.23456785e+07'],
  [1e21, '1e+21'],
  [0.0001, '0.0001'],
  [0.00001, '1e-05'],
  [1e-7, '1e-07'],
  [-2.5, '-2.5'],
  [0, '0'],
  [-0, '-0'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, '+Inf'],
  [Number.NEGATIVE_INFINITY, '-Inf'],
])('%s: %s', (value, expected) => {
  expect(formatFloat(value)).toBe(expected);
});
