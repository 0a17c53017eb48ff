import type { RawSeries } from '../promql/queryable.ts';
import type { QueryContext } from '../query-context.ts';
import { deltaToCumulative, type Samples, samplesFrom } from './delta-to-cumulative.ts';
import { type ReadOptions, type ReadPoints, readPoints } from './read-points.ts';
import type { SelectedGroup } from './select-series.ts';

/** Gauges and sums. */
export async function numberSeries(
  context: QueryContext,
  { slots, series }: SelectedGroup,
  options: ReadOptions,
): Promise<RawSeries[]> {
  const points = await readPoints(context, 'number_points', slots, { value: 'value' }, options);
  const times = points.runs.pickAll(points.times);
  const values = points.runs.pickAll((points.columns.value ?? new Float64Array(0)) as Float64Array);
  return series.flat().map(({ labels }, slot) => {
    const samples = { times: times[slot], values: values[slot], stale: staleOf(points, slot) };
    return { labels, ...asSeen(samples, () => points.runs.pick(points.starts, slot), options) };
  });
}

/** Where a slot's series ended; undefined: nowhere. */
export function staleOf({ missing, runs }: ReadPoints, slot: number): Uint8Array | undefined {
  const stale = missing && runs.pick(missing, slot);
  return stale?.includes(1) ? stale : undefined;
}

/**
 * Samples as PromQL gets them: added up where points say what came since the last one.
 *
 * @param starts of delta temporality: when the counting of each point began
 */
export function asSeen(
  samples: Samples,
  starts: () => Float64Array,
  { isDelta, range }: ReadOptions,
): Omit<RawSeries, 'labels'> {
  const seen = isDelta ? samplesFrom(deltaToCumulative(samples, starts()), range.fromMs) : samples;
  const { times, values, stale } = seen;
  return stale === undefined ? { times, values } : { times, values, stale };
}
