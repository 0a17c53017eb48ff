import { KahanSum } from '../kahan.ts';
import { noteIgnoredHistograms } from './over-time.ts';
import type { RangeFunction } from './range-function.ts';

const LEFT = 0;
const RIGHT = 1;
const TRAPEZOIDS = 2;

/**
 * The area under the samples of a range, in the metric's unit times seconds: of trapezoids between two samples or, where asked for, of
 * rectangles as high as the earlier (0) or the later (1) of them. A sample that is NaN counts as 0, and before the first there is nothing.
 */
export const integral: RangeFunction = (window, [given], context) => {
  const indexes = window.floatIndexes();
  if (indexes.length === 0) return undefined;
  noteIgnoredHistograms(window, context);
  let strategy = given ?? TRAPEZOIDS;
  if (strategy !== LEFT && strategy !== RIGHT && strategy !== TRAPEZOIDS) {
    context.annotations.invalidIntegralStrategy(strategy, context.argumentPlace);
    strategy = TRAPEZOIDS;
  }
  const { times, values } = window.series;
  const area = new KahanSum();
  for (let i = 1; i < indexes.length; i++) {
    const [earlier, later] = [indexes[i - 1], indexes[i]];
    const height = heightBetween(numberOr0(values[earlier]), numberOr0(values[later]), strategy);
    if (height.sum === 0 && height.compensation === 0) continue;
    const seconds = (times[later] - times[earlier]) / 1000;
    area.compensation += height.compensation * seconds;
    area.add(height.sum * seconds);
  }
  return area.total;
};

function heightBetween(left: number, right: number, strategy: number): KahanSum {
  if (strategy !== TRAPEZOIDS) return new KahanSum(strategy === LEFT ? left : right);
  const mean = new KahanSum(left);
  mean.add(right);
  if (Number.isFinite(mean.sum)) {
    mean.sum /= 2;
    mean.compensation /= 2;
    return mean;
  }
  // The sum may be too large where the mean is not.
  const halves = new KahanSum(left / 2);
  halves.add(right / 2);
  return halves;
}

function numberOr0(value: number): number {
  return Number.isNaN(value) ? 0 : value;
}
