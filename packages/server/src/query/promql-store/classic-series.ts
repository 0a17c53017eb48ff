import { MetricType } from '@signalbox/records';
import type { ResultList } from '../../store/connection.ts';
import { formatSample } from '../promql/format-go.ts';
import type { Labels } from '../promql/labels.ts';
import type { RawSeries } from '../promql/queryable.ts';
import type { QueryContext } from '../query-context.ts';
import { asSeen, staleOf } from './number-series.ts';
import { type ReadOptions, type ReadPoints, readPoints } from './read-points.ts';
import { boundLabels, type SelectedGroup, type SelectedSeries, type Selection } from './select-series.ts';
import type { Part } from './series-parts.ts';

/** Bits of `presence`. */
const hasSum = 1;

/** What each part of a histogram, and of a summary, needs. */
const histogramColumns: Readonly<Partial<Record<Part, Readonly<Record<string, string>>>>> = {
  count: { total: 'toFloat64(count)' },
  sum: { sum: 'sum', presence: 'presence' },
  bucket: { total: 'toFloat64(count)', bounds: 'explicit_bounds', counts: 'bucket_counts' },
};
const summaryColumns: typeof histogramColumns = {
  count: { total: 'toFloat64(count)' },
  sum: { sum: 'sum' },
  quantile: { bounds: 'quantiles', counts: 'quantile_values' },
};

/** Histograms with explicit bounds and summaries: a series per bound, one for the sum, one for the count. */
export async function classicSeries(
  context: QueryContext,
  { type, slots, series }: SelectedGroup,
  hasBound: Selection['hasBound'],
  options: ReadOptions,
): Promise<RawSeries[]> {
  const isHistogram = type === MetricType.Histogram;
  const columnsOf = isHistogram ? histogramColumns : summaryColumns;
  const wanted = new Set(series.flatMap((parts) => parts.map(({ part }) => part)));
  const points = await readPoints(
    context,
    isHistogram ? 'histogram_points' : 'summary_points',
    slots,
    Object.assign({}, ...Array.from(wanted, (part) => columnsOf[part])),
    options,
  );
  return series.flatMap((parts, slot) => {
    const own = new SlotPoints(points, slot, options);
    return parts.flatMap((one) => partSeries(one, own, hasBound));
  });
}

/** The points of a slot, of which several series are made. */
class SlotPoints {
  readonly points: ReadPoints;
  readonly options: ReadOptions;
  readonly rows: Uint32Array;
  readonly times: Float64Array;
  readonly stale: Uint8Array | undefined;

  constructor(points: ReadPoints, slot: number, options: ReadOptions) {
    this.points = points;
    this.options = options;
    this.rows = points.runs.rowsOf(slot);
    this.times = points.runs.timesOf(points.times, slot);
    this.stale = staleOf(points, slot);
  }

  column(name: string): Float64Array | undefined {
    return this.points.columns[name] as Float64Array | undefined;
  }

  /** The series of a column's values. */
  ofColumn(labels: Labels, name: string): RawSeries {
    const column = this.column(name);
    return this.ofValues(labels, column === undefined ? new Float64Array(0) : this.#pick(column));
  }

  /** The series of a value for each point. */
  ofValues(labels: Labels, values: Float64Array): RawSeries {
    const { times, stale, options } = this;
    return { labels, ...asSeen({ times, values, stale }, () => this.#pick(this.points.starts), options) };
  }

  /** The series of a value for each of some points, by their places among all. */
  ofSome(labels: Labels, places: readonly number[], values: Float64Array): RawSeries {
    const { rows, stale, options } = this;
    const samples = {
      times: Float64Array.from(places, (place) => this.times[place]),
      values,
      stale: stale && Uint8Array.from(places, (place) => stale[place]),
    };
    return {
      labels,
      ...asSeen(samples, () => Float64Array.from(places, (place) => this.points.starts[rows[place]]), options),
    };
  }

  #pick(column: Float64Array): Float64Array {
    const { rows } = this;
    const picked = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) picked[i] = column[rows[i]];
    return picked;
  }
}

function partSeries(one: SelectedSeries, own: SlotPoints, hasBound: Selection['hasBound']): RawSeries[] {
  const { part, labels } = one;
  switch (part) {
    case 'count':
      return [own.ofColumn(labels, 'total')];
    case 'sum': {
      const presence = own.column('presence');
      if (presence === undefined) return [own.ofColumn(labels, 'sum')];
      const places = [...own.rows.keys()].filter(
        (place) => (presence[own.rows[place]] & hasSum) !== 0 || own.stale?.[place] === 1,
      );
      if (places.length === own.rows.length) return [own.ofColumn(labels, 'sum')];
      const sums = own.column('sum');
      return [
        own.ofSome(
          labels,
          places,
          Float64Array.from(places, (place) => sums?.[own.rows[place]] ?? 0),
        ),
      ];
    }
    case 'bucket':
    case 'quantile': {
      const series = boundSeries(one, part, own, hasBound);
      // The last bucket is not stored: it holds everything.
      if (part === 'bucket' && hasBound(part, '+Inf'))
        series.push(own.ofColumn(boundedLabels(one, part, '+Inf'), 'total'));
      return series;
    }
    default:
      throw new Error(`A histogram or summary has no ${part}`);
  }
}

function boundedLabels({ labels, bounded }: SelectedSeries, part: 'bucket' | 'quantile', text: string): Labels {
  let found = bounded.get(text);
  if (found === undefined) {
    found = labels.with(boundLabels[part], text);
    bounded.set(text, found);
  }
  return found;
}

/** A series for each bound that points have. Those at which nothing was recorded are of every bound that came before. */
function boundSeries(
  one: SelectedSeries,
  part: 'bucket' | 'quantile',
  own: SlotPoints,
  hasBound: Selection['hasBound'],
): RawSeries[] {
  const bounds = own.points.columns.bounds as ResultList | undefined;
  const counts = own.points.columns.counts as ResultList | undefined;
  if (bounds === undefined || counts === undefined) return [];
  const read = part === 'bucket' ? bucketReader(counts) : quantileReader(counts);
  const { rows } = own;
  const upperBounds = bounds.values as Float64Array;
  const width = own.stale === undefined ? commonWidth(bounds.offsets, upperBounds, rows) : undefined;
  if (width !== undefined) {
    // Nearly always all points have the same bounds, and all of their series the same times.
    const columns = Array.from({ length: width }, () => new Float64Array(rows.length));
    const row = new Float64Array(width);
    for (let i = 0; i < rows.length; i++) {
      read(rows[i], row);
      for (let bound = 0; bound < width; bound++) columns[bound][i] = row[bound];
    }
    return columns.flatMap((values, place) => {
      const bound = upperBounds[bounds.offsets[rows[0]] + place];
      const text = formatSample(bound);
      if (isLastBucket(part, bound) || !hasBound(part, text)) return [];
      return [own.ofValues(boundedLabels(one, part, text), values)];
    });
  }
  const found = new Map<number, { places: number[]; values: number[] }>();
  for (let i = 0; i < rows.length; i++) {
    if (own.stale?.[i] === 1) {
      for (const { places, values } of found.values()) {
        places.push(i);
        values.push(0);
      }
      continue;
    }
    const first = bounds.offsets[rows[i]];
    const row = new Float64Array(bounds.offsets[rows[i] + 1] - first);
    read(rows[i], row);
    for (const [place, value] of row.entries()) {
      const bound = upperBounds[first + place];
      if (isLastBucket(part, bound)) continue;
      const entry = found.get(bound) ?? { places: [], values: [] };
      found.set(bound, entry);
      // A bound that a point has twice counts once.
      if (entry.places.at(-1) === i) continue;
      entry.places.push(i);
      entry.values.push(value);
    }
  }
  return Array.from(found).flatMap(([bound, { places, values }]) => {
    const text = formatSample(bound);
    return hasBound(part, text) ? [own.ofSome(boundedLabels(one, part, text), places, Float64Array.from(values))] : [];
  });
}

/** Some senders name the last bucket, which is that of the count. */
function isLastBucket(part: Part, bound: number): boolean {
  return part === 'bucket' && bound === Number.POSITIVE_INFINITY;
}

/** How many bounds the rows have, if all have the same, none of them twice. */
function commonWidth(offsets: Uint32Array, values: Float64Array, rows: Uint32Array): number | undefined {
  if (rows.length === 0) return undefined;
  const first = offsets[rows[0]];
  const width = offsets[rows[0] + 1] - first;
  for (const row of rows) {
    const start = offsets[row];
    if (offsets[row + 1] - start !== width) return undefined;
    for (let i = 0; i < width; i++) if (values[start + i] !== values[first + i]) return undefined;
  }
  return new Set(Array.from({ length: width }, (_, i) => values[first + i])).size === width ? width : undefined;
}

/** Reads a row of a column of lists: a value for each bound. */
type RowReader = (row: number, into: Float64Array) => void;

/** How many observations are at most each bound: the store has how many are in each bucket, in 64 bits. */
function bucketReader({ offsets, values }: ResultList): RowReader {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  return (row, into) => {
    let sum = 0;
    let at = offsets[row] * 2;
    for (let bound = 0; bound < into.length; bound++, at += 2) {
      sum += words[at + 1] * 2 ** 32 + words[at];
      into[bound] = sum;
    }
  };
}

function quantileReader({ offsets, values }: ResultList): RowReader {
  return (row, into) => {
    for (let bound = 0; bound < into.length; bound++) into[bound] = Number(values[offsets[row] + bound]);
  };
}
