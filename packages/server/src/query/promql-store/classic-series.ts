import { MetricType } from '@signalbox/records';
import type { ResultList } from '../../store/connection.ts';
import { formatSample } from '../promql/format-go.ts';
import type { RawSeries } from '../promql/queryable.ts';
import type { QueryContext } from '../query-context.ts';
import { asSeen, rowsOf, samplesAt } from './number-series.ts';
import { type ReadOptions, type ReadPoints, readPoints } from './read-points.ts';
import type { SelectedSeries, Selection } from './select-series.ts';

/** Bits of `presence`. */
const hasSum = 1;

const histogramColumns = {
  total: 'toFloat64(count)',
  sum: 'sum',
  presence: 'presence',
  bounds: 'explicit_bounds',
  counts: 'arrayCumSum(arrayMap(x -> toFloat64(x), bucket_counts))',
};

const summaryColumns = {
  total: 'toFloat64(count)',
  sum: 'sum',
  bounds: 'quantiles',
  counts: 'quantile_values',
};

/** Histograms with explicit bounds and summaries: a series per bound, one for the sum, one for the count. */
export async function classicSeries(
  context: QueryContext,
  selected: readonly SelectedSeries[],
  type: typeof MetricType.Histogram | typeof MetricType.Summary,
  hasBound: Selection['hasBound'],
  options: ReadOptions,
): Promise<RawSeries[]> {
  // Sum, count and buckets are of the same points, which are read once.
  const groups = new Map<string, SelectedSeries[]>();
  for (const series of selected) {
    const key = series.members.map(({ id }) => id).join();
    groups.set(key, [...(groups.get(key) ?? []), series]);
  }
  const slots = [...groups.values()];
  const isHistogram = type === MetricType.Histogram;
  const points = await readPoints(
    context,
    isHistogram ? 'histogram_points' : 'summary_points',
    slots.map(([first]) => ({ members: first?.members ?? [] })),
    isHistogram ? histogramColumns : summaryColumns,
    options,
  );
  return slots.flatMap((parts, slot) => {
    const rows = rowsOf(points, slot);
    return parts.flatMap((series) => partSeries(series, points, rows, hasBound, options));
  });
}

function partSeries(
  { part, labels }: SelectedSeries,
  points: ReadPoints,
  rows: Uint32Array,
  hasBound: Selection['hasBound'],
  options: ReadOptions,
): RawSeries[] {
  const { total, sum, presence } = points.columns as Record<string, Float64Array | undefined>;
  const seen = (own: Uint32Array, read: (row: number) => number): Omit<RawSeries, 'labels'> =>
    asSeen(samplesAt(points, own, read), points, own, options);
  switch (part) {
    case 'count':
      return [{ labels, ...seen(rows, (row) => total?.[row] as number) }];
    case 'sum': {
      const own =
        presence === undefined
          ? rows
          : rows.filter((row) => (presence[row] & hasSum) !== 0 || points.missing[row] === 1);
      return [{ labels, ...seen(own, (row) => sum?.[row] as number) }];
    }
    case 'bucket':
    case 'quantile': {
      const name = part === 'bucket' ? 'le' : 'quantile';
      const series = Array.from(rowsByBound(points, rows), ([bound, { own, places }]) => ({
        text: formatSample(bound),
        own,
        places,
      }))
        .filter(({ text }) => hasBound(part, text))
        .map(({ text, own, places }) => {
          const { values } = points.columns.counts as ResultList & { values: Float64Array };
          const samples = samplesAt(points, own, () => 0);
          for (let i = 0; i < places.length; i++) if (places[i] >= 0) samples.values[i] = values[places[i]];
          return { labels: labels.with(name, text), ...asSeen(samples, points, own, options) };
        });
      // The last bucket is not stored: it holds everything.
      if (part === 'bucket' && hasBound(part, '+Inf')) {
        series.push({ labels: labels.with(name, '+Inf'), ...seen(rows, (row) => total?.[row] as number) });
      }
      return series;
    }
    default:
      throw new Error(`A histogram or summary has no ${part}`);
  }
}

interface BoundRows {
  /** Rows that have the bound, and those at which nothing was recorded. */
  readonly own: Uint32Array;
  /** Where in the flat column of counts the value of each row is; -1: nowhere. */
  readonly places: Int32Array;
}

/** Bounds can change from point to point: each is a series of its own. */
function rowsByBound(points: ReadPoints, rows: Uint32Array): ReadonlyMap<number, BoundRows> {
  const bounds = points.columns.bounds as ResultList | undefined;
  const counts = points.columns.counts as ResultList | undefined;
  const found = new Map<number, GrowingRows>();
  if (bounds === undefined || counts === undefined) return found;
  // Mostly all points have the same bounds: they are compared with the last ones, which is quicker than looking each up.
  let last: number[] = [];
  let entries: GrowingRows[] = [];
  for (const row of rows) {
    if (points.missing[row] === 1) {
      for (const entry of found.values()) entry.add(row, -1);
      continue;
    }
    const first = bounds.offsets[row];
    const length = bounds.offsets[row + 1] - first;
    let isSame = length === last.length;
    for (let i = 0; isSame && i < length; i++) isSame = bounds.values[first + i] === last[i];
    if (!isSame) {
      last = Array.from({ length }, (_, i) => Number(bounds.values[first + i]));
      entries = last.map((bound) => {
        const entry = found.get(bound) ?? new GrowingRows(rows.length);
        // The last bucket, which some senders name, is that of the count.
        if (bound !== Number.POSITIVE_INFINITY) found.set(bound, entry);
        return entry;
      });
    }
    const place = counts.offsets[row];
    for (let i = 0; i < length; i++) entries[i]?.add(row, place + i);
  }
  return found;
}

class GrowingRows implements BoundRows {
  readonly #rows: Uint32Array;
  readonly #places: Int32Array;
  #length = 0;

  constructor(maxLength: number) {
    this.#rows = new Uint32Array(maxLength);
    this.#places = new Int32Array(maxLength);
  }

  get own(): Uint32Array {
    return this.#rows.subarray(0, this.#length);
  }

  get places(): Int32Array {
    return this.#places.subarray(0, this.#length);
  }

  add(row: number, place: number): void {
    this.#rows[this.#length] = row;
    this.#places[this.#length++] = place;
  }
}
