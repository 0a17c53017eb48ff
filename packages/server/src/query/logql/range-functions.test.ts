import type { RangeOperator } from '@signalbox/query-language';
import { expect, test } from 'vitest';
import { windowFunction } from './range-functions.ts';

const second = 1e9;

/** The value of samples at seconds, in the window of `seconds` up to `end`. */
function evaluate(
  operator: RangeOperator,
  samples: readonly (readonly [number, number])[],
  seconds: number,
  end: number,
) {
  const window = {
    times: Float64Array.from(samples, ([time]) => time * second),
    values: Float64Array.from(samples, ([, value]) => value),
    endNs: end * second,
    intervalNs: seconds * second,
  };
  return windowFunction(operator, 0.5)(window);
}

test.each([
  // 60 within 30 s, with half a distance on the left: 60 x 45/30 / 90 s.
  [
    'rate_counter',
    [
      [180, 40],
      [210, 100],
    ],
    90,
    210,
    1,
  ],
  // The counter began at zero, 5 s before the first sample: 60 x 35/30 / 90 s.
  [
    'rate_counter',
    [
      [180, 10],
      [210, 70],
    ],
    90,
    210,
    7 / 9,
  ],
  // A reset adds what was lost: 10 + 20 within 20 s, on both ends less than a distance.
  [
    'rate_counter',
    [
      [10, 10],
      [20, 20],
      [30, 20],
    ],
    30,
    30,
    (10 * (20 + 10)) / 20 / 30,
  ],
  [
    'rate_counter',
    [
      [10, 10],
      [20, 5],
      [30, 25],
    ],
    30,
    30,
    ((25 - 10 + 10) * (20 + 8)) / 20 / 30,
  ],
  ['rate_counter', [[10, 10]], 30, 30, 0],
  [
    'rate',
    [
      [10, 1],
      [20, 2],
    ],
    30,
    30,
    0.1,
  ],
  [
    'avg_over_time',
    [
      [10, 1],
      [20, 2],
    ],
    30,
    30,
    1.5,
  ],
  [
    'min_over_time',
    [
      [10, Number.NaN],
      [20, 2],
    ],
    30,
    30,
    2,
  ],
  [
    'max_over_time',
    [
      [10, Number.NaN],
      [20, 2],
    ],
    30,
    30,
    2,
  ],
  [
    'stdvar_over_time',
    [
      [10, 1],
      [20, 3],
    ],
    30,
    30,
    1,
  ],
  [
    'stddev_over_time',
    [
      [10, 1],
      [20, 3],
    ],
    30,
    30,
    1,
  ],
  [
    'quantile_over_time',
    [
      [10, 1],
      [20, 3],
    ],
    30,
    30,
    2,
  ],
  [
    'first_over_time',
    [
      [10, 1],
      [20, 3],
    ],
    30,
    30,
    1,
  ],
  [
    'last_over_time',
    [
      [10, 1],
      [20, 3],
    ],
    30,
    30,
    3,
  ],
] as const)('%s of %j in %d s to %d', (operator, samples, seconds, end, expected) => {
  expect(evaluate(operator, samples, seconds, end)).toBeCloseTo(expected, 12);
});
