import type { TextRange, VectorSelector } from '@signalbox/query-language';
import type { Annotations } from '../annotations.ts';
import type { FloatHistogram } from '../histogram/float-histogram.ts';
import type { Window } from '../window.ts';

/** What a function over ranges knows besides the samples. */
export interface RangeContext {
  readonly annotations: Annotations;
  /** Where the range's expression stands in the query. */
  readonly place: TextRange;
  /** Where a scalar argument stands. */
  readonly argumentPlace: TextRange;
  readonly metricName: string;
  /** The length of the range, in ms. */
  readonly rangeMs: number;
  /** How far `extended` reaches beyond the range, in ms. */
  readonly lookbackMs: number;
  readonly extended: VectorSelector['extended'];
  readonly usesStartTimes: boolean;
}

/** Makes one value of the samples of a range, of which there is at least one; undefined: none. `args`: the scalar arguments. */
export type RangeFunction = (
  window: Window,
  args: readonly number[],
  context: RangeContext,
) => number | FloatHistogram | undefined;
