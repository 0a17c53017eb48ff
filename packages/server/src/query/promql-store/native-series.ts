import { RecordedHistogram } from '@signalbox/records';
import type { ResultList } from '../../store/connection.ts';
import { CUSTOM_BUCKETS_SCHEMA } from '../promql/histogram/bucket-bounds.ts';
import { type Buckets, FloatHistogram } from '../promql/histogram/float-histogram.ts';
import type { RawSeries } from '../promql/queryable.ts';
import type { QueryContext } from '../query-context.ts';
import { sumsBeginAt } from './delta-to-cumulative.ts';
import { type ReadOptions, type ReadPoints, readPoints } from './read-points.ts';
import type { SelectedGroup } from './select-series.ts';

/** Counts are whole, but those of recorded histograms, which are the bits of doubles. */
const isFloat = `bitAnd(presence, ${RecordedHistogram.FloatCounts}) != 0`;
const count = (column: string): string => `if(${isFloat}, reinterpretAsFloat64(${column}), toFloat64(${column}))`;
const counts = (column: string): string =>
  `if(${isFloat}, arrayMap(x -> reinterpretAsFloat64(x), ${column}), arrayMap(x -> toFloat64(x), ${column}))`;

const columns = {
  form: 'toFloat64(presence)',
  total: count('count'),
  sum: 'sum',
  scale: 'scale',
  zero_count: count('zero_count'),
  zero_threshold: 'zero_threshold',
  positive_offset: 'positive_offset',
  positive: counts('positive_counts'),
  negative_offset: 'negative_offset',
  negative: counts('negative_counts'),
};

/** What Prometheus takes for the width of the zero bucket of a histogram that does not tell. */
export const defaultZeroThreshold = 1e-128;

/** Schemas of native histograms. A finer scale is reduced to the finest; a coarser one has none. */
const finestSchema = 8;
const coarsestSchema = -4;

/** Exponential histograms as native histograms. */
export async function nativeSeries(
  context: QueryContext,
  { slots, series }: SelectedGroup,
  options: ReadOptions,
): Promise<RawSeries[]> {
  const points = await readPoints(context, 'exponential_histogram_points', slots, columns, options);
  return series.flat().map(({ labels }, slot) => {
    const samples = new HistogramSamples();
    for (const row of points.runs.rowsOf(slot)) {
      const time = points.times.baseMs + points.times.column[row];
      if (points.missing?.[row] === 1) samples.add(time, undefined);
      else {
        const histogram = histogramAt(points, row);
        if (histogram === undefined) continue;
        if (options.isDelta) samples.addDelta(time, points.starts[row], histogram);
        else samples.add(time, histogram, points.starts[row]);
      }
    }
    return { labels, ...samples.from(options.range.fromMs) };
  });
}

function histogramAt(points: ReadPoints, row: number): FloatHistogram | undefined {
  const number = (name: keyof typeof columns): number => (points.columns[name] as Float64Array)[row];
  const scale = number('scale');
  const form = number('form');
  const hasCustomBounds = (form & RecordedHistogram.CustomBounds) !== 0;
  if (scale < coarsestSchema && !hasCustomBounds) return undefined;
  const histogram = new FloatHistogram();
  histogram.count = number('total');
  histogram.sum = number('sum');
  if ((form & RecordedHistogram.Gauge) !== 0) histogram.resetHint = 'gauge';
  histogram.positive = bucketsAt(points.columns.positive as ResultList, number('positive_offset'), row);
  if (hasCustomBounds) {
    const { offsets, values } = points.columns.negative as ResultList;
    histogram.schema = CUSTOM_BUCKETS_SCHEMA;
    histogram.customBounds = Array.from(values.slice(offsets[row], offsets[row + 1]), Number);
    return histogram;
  }
  histogram.schema = scale;
  histogram.zeroCount = number('zero_count');
  histogram.zeroThreshold = number('zero_threshold');
  if (histogram.zeroThreshold === 0 && (form & RecordedHistogram.FloatCounts) === 0) {
    histogram.zeroThreshold = defaultZeroThreshold;
  }
  histogram.negative = bucketsAt(points.columns.negative as ResultList, number('negative_offset'), row);
  if (scale > finestSchema) histogram.reduceResolution(finestSchema);
  return histogram;
}

/** OTLP's bucket 0 begins at 1, Prometheus's ends there: indexes are one higher. */
function bucketsAt({ offsets, values }: ResultList, offset: number, row: number): Buckets {
  const first = offsets[row];
  const buckets: Buckets = { indexes: [], counts: [] };
  for (let place = first; place < offsets[row + 1]; place++) {
    const count = values[place];
    if (count === 0) continue;
    buckets.indexes.push(offset + place - first + 1);
    buckets.counts.push(Number(count));
  }
  return buckets;
}

class HistogramSamples {
  readonly #times: number[] = [];
  readonly #starts: number[] = [];
  readonly #histograms: (FloatHistogram | undefined)[] = [];
  #period = Number.NaN;
  #sum: FloatHistogram | undefined;

  /**
   * @param histogram undefined: the series ended
   * @param start when counting began, in ms since 1970; 0: unknown
   */
  add(time: number, histogram: FloatHistogram | undefined, start = 0): void {
    this.#times.push(time);
    this.#starts.push(start);
    this.#histograms.push(histogram);
  }

  /** As `deltaToCumulative` does for numbers: an empty histogram first, then the sum of all so far. */
  addDelta(time: number, start: number, histogram: FloatHistogram): void {
    const begin = sumsBeginAt(time);
    if (begin !== this.#period || this.#sum === undefined) {
      this.#period = begin;
      this.#sum = undefined;
      const zero = Math.max(begin, start, (this.#times.at(-1) ?? Number.NEGATIVE_INFINITY) + 1);
      if (zero < time) {
        const empty = new FloatHistogram();
        empty.schema = histogram.schema;
        empty.zeroThreshold = histogram.zeroThreshold;
        this.add(zero, empty);
      }
    }
    if (this.#sum === undefined) this.#sum = histogram;
    else {
      this.#sum = this.#sum.copy();
      this.#sum.add(histogram);
    }
    this.add(time, this.#sum);
  }

  from(fromMs: number): Omit<RawSeries, 'labels'> {
    const found = this.#times.findIndex((time) => time >= fromMs);
    const first = found < 0 ? this.#times.length : found;
    const times = Float64Array.from(this.#times.slice(first));
    const histograms = this.#histograms.slice(first);
    const starts = Float64Array.from(this.#starts.slice(first));
    const series = {
      times,
      values: new Float64Array(times.length),
      histograms,
      ...(starts.some((start) => start !== 0) && { startTimes: starts }),
    };
    if (!histograms.includes(undefined)) return series;
    return { ...series, stale: Uint8Array.from(histograms, (histogram) => (histogram === undefined ? 1 : 0)) };
  }
}
