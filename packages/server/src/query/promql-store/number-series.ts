import type { RawSeries } from '../promql/queryable.ts';
import type { QueryContext } from '../query-context.ts';
import { deltaToCumulative, type Samples, samplesFrom } from './delta-to-cumulative.ts';
import { type ReadOptions, type ReadPoints, readPoints } from './read-points.ts';
import type { SelectedSeries } from './select-series.ts';

/** Gauges and sums. */
export async function numberSeries(
  context: QueryContext,
  selected: readonly SelectedSeries[],
  options: ReadOptions,
): Promise<RawSeries[]> {
  const points = await readPoints(context, 'number_points', selected, { value: 'value' }, options);
  const values = (points.columns.value ?? new Float64Array(0)) as Float64Array;
  return selected.map(({ labels }, slot) => {
    const rows = rowsOf(points, slot);
    return {
      labels,
      ...asSeen(
        samplesAt(points, rows, (row) => values[row]),
        points,
        rows,
        options,
      ),
    };
  });
}

export function rowsOf({ order }: ReadPoints, slot: number): Uint32Array {
  return order.rows.subarray(order.offsets[slot], order.offsets[slot + 1]);
}

/** The samples of some rows, with values taken from wherever they are. */
export function samplesAt(points: ReadPoints, rows: Uint32Array, read: (row: number) => number): Samples {
  const times = new Float64Array(rows.length);
  const values = new Float64Array(rows.length);
  let stale: Uint8Array | undefined;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    times[i] = points.times[row];
    values[i] = read(row);
    if (points.missing[row] === 1) {
      stale ??= new Uint8Array(rows.length);
      stale[i] = 1;
    }
  }
  return { times, values, stale };
}

/** Samples as PromQL gets them: added up where points say what came since the last one. */
export function asSeen(
  samples: Samples,
  points: ReadPoints,
  rows: Uint32Array,
  { isDelta, range }: ReadOptions,
): Omit<RawSeries, 'labels'> {
  const seen = isDelta
    ? samplesFrom(
        deltaToCumulative(
          samples,
          Float64Array.from(rows, (row) => points.starts[row]),
        ),
        range.fromMs,
      )
    : samples;
  const { times, values, stale } = seen;
  return stale === undefined ? { times, values } : { times, values, stale };
}
