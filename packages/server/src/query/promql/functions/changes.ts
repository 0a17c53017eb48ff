import { detectReset } from '../histogram/counter-reset.ts';
import type { FloatHistogram } from '../histogram/float-histogram.ts';
import type { Window } from '../window.ts';
import type { RangeContext, RangeFunction } from './range-function.ts';
import { isStartTimeReset } from './start-times.ts';

type Sample = number | FloatHistogram;

export const resets: RangeFunction = (window, _, context) =>
  count(window, context, (previous, current, index) => {
    if (context.usesStartTimes && isStartTimeReset(window, index)) return true;
    if (typeof previous === 'number') return typeof current !== 'number' || current < previous;
    return typeof current === 'number' || detectReset(current, previous);
  });

export const changes: RangeFunction = (window, _, context) =>
  count(window, context, (previous, current) => {
    if (typeof previous === 'number') {
      return (
        typeof current !== 'number' || !(previous === current || (Number.isNaN(previous) && Number.isNaN(current)))
      );
    }
    return typeof current === 'number' || !current.equals(previous);
  });

/** How many samples are different from the one before; anchored, the last one before the range is the first to compare with. */
function count(
  window: Window,
  { extended }: RangeContext,
  differs: (previous: Sample, current: Sample, index: number) => boolean,
): number | undefined {
  const { times } = window.series;
  let first = window.from;
  if (extended === 'anchored') {
    let inside = first;
    while (inside < window.to && times[inside] <= window.startMs) inside++;
    if (inside === window.to) return undefined;
    first = Math.max(first, inside - 1);
  }
  let found = 0;
  for (let i = first + 1; i < window.to; i++) if (differs(window.at(i - 1), window.at(i), i)) found++;
  return found;
}
