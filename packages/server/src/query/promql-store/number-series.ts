import { freeMemory } from '../../store/free-memory.ts';
import type { RawSeries } from '../promql/queryable.ts';
import type { QueryContext } from '../query-context.ts';
import { deltaToCumulative, type Samples, samplesFrom } from './delta-to-cumulative.ts';
import type { PointColumns } from './point-memory.ts';
import { joinParts, joinTimes } from './point-runs.ts';
import type { PointSlots } from './point-slots.ts';
import { type ReadOptions, type ReadPoints, readPointsInParts } from './read-points.ts';
import type { SelectedGroup } from './select-series.ts';

/** Gauges and sums. */
export async function numberSeries(
  context: QueryContext,
  { slots, series }: SelectedGroup,
  options: ReadOptions,
): Promise<RawSeries[]> {
  const { isDelta, withStarts, memory, range } = options;
  const hasStarts = isDelta || (withStarts ?? false);
  const points: NumberPoints =
    memory === undefined || hasStarts || slots.ids.length > maxKnownIds
      ? await readNumbers(context, slots, options)
      : await memory.get(context, slots, range, (part) => readNumbers(context, slots, { ...options, range: part }));
  const { times, values, missing, starts = [] } = points;
  return series.flat().map(({ labels }, slot): RawSeries => {
    const own = missing?.[slot];
    const stale = own?.includes(1) ? own : undefined;
    // Thousands of times, where there is nothing more to it.
    if (!hasStarts && stale === undefined) return { labels, times: times[slot], values: values[slot] };
    return { labels, ...asSeen({ times: times[slot], values: values[slot], stale }, () => starts[slot], options) };
  });
}

/** So many series of which points would fill the memory for them at once. */
const maxKnownIds = 10_000;

interface NumberPoints extends PointColumns {
  /** When the counting of each point began; undefined unless the options ask for it. */
  readonly starts?: readonly Float64Array[];
}

async function readNumbers(context: QueryContext, slots: PointSlots, options: ReadOptions): Promise<NumberPoints> {
  const parts = await readPointsInParts(context, 'number_points', slots, { value: 'value' }, options);
  const gather = <Column extends Float64Array | Uint8Array>(columnOf: (part: ReadPoints) => Column): Column[] => {
    const [first, ...others] = parts.map((part) => ({ runs: part.runs, column: columnOf(part) }));
    return first === undefined ? [] : joinParts([first, ...others], slots.count);
  };
  const times = joinTimes(parts, slots.count);
  const values = gather(({ columns }) => (columns.value ?? new Float64Array(0)) as Float64Array);
  const missing = parts.some((part) => part.missing)
    ? gather((part) => part.missing ?? new Uint8Array(part.times.column.length))
    : undefined;
  const starts = options.isDelta || options.withStarts ? { starts: gather((part) => part.starts) } : {};
  for (const { times: ofRows, columns } of parts) {
    freeMemory(ofRows.column);
    if (columns.value !== undefined) freeMemory(columns.value as Float64Array);
  }
  return { times, values, missing, ...starts };
}

/** Where a slot's series ended; undefined: nowhere. */
export function staleOf({ missing, runs }: ReadPoints, slot: number): Uint8Array | undefined {
  const stale = missing && runs.pick(missing, slot);
  return stale?.includes(1) ? stale : undefined;
}

/**
 * Samples as PromQL gets them: added up where points say what came since the last one.
 *
 * @param starts when the counting of each point began; asked for as the options say
 */
export function asSeen(
  samples: Samples,
  starts: () => Float64Array,
  { isDelta, withStarts, range }: ReadOptions,
): Omit<RawSeries, 'labels'> {
  const seen = isDelta ? samplesFrom(deltaToCumulative(samples, starts()), range.fromMs) : samples;
  const { times, values, stale } = seen;
  const series = stale === undefined ? { times, values } : { times, values, stale };
  return withStarts && !isDelta ? { ...series, startTimes: starts() } : series;
}
