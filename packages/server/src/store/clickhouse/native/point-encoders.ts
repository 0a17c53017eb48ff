import {
  type ExponentialHistogramPointTable,
  type Float64Lists,
  type HistogramPointTable,
  type NumberPointTable,
  NumberType,
  type PointTable,
  type SummaryPointTable,
  type Uint64Lists,
} from '@signalbox/records';
import { BlockColumns, type Lists } from './block-columns.ts';
import type { ColumnBuffer } from './column-buffer.ts';
import { copyFixed, type RowSelection } from './copy-columns.ts';

/** Encodes the columns of one kind of data points, but for what `MetricEncoder` does for all kinds. */
export abstract class PointEncoder<Points extends PointTable> {
  rows = 0;
  readonly table: string;
  /** Words of the earliest time of a row, in ns since 1970; Infinity: there is none. */
  #earliestHigh = Number.POSITIVE_INFINITY;
  #earliestLow = Number.POSITIVE_INFINITY;
  readonly columns = new BlockColumns();
  readonly metricName = this.columns.add('metric_name', 'String');
  readonly seriesId = this.columns.add('series_id', 'UInt64');
  readonly #time = this.columns.add('time', "DateTime64(9, 'UTC')");
  readonly #startTime = this.columns.add('start_time', "DateTime64(9, 'UTC')");
  readonly #flags = this.columns.add('flags', 'UInt32');

  constructor(table: string) {
    this.table = table;
  }

  append(points: Points, selection: RowSelection): void {
    copyFixed(this.#time, points.time.values, 8, selection);
    copyFixed(this.#startTime, points.startTime.values, 8, selection);
    copyFixed(this.#flags, points.flags, 4, selection);
    this.appendValues(points, selection);
    this.rows += selection.count;
  }

  /** Takes note of a row's time. */
  noteTime(low: number, high: number): void {
    if (high > this.#earliestHigh || (high === this.#earliestHigh && low >= this.#earliestLow)) return;
    this.#earliestHigh = high;
    this.#earliestLow = low;
  }

  /** Of the rows, rounded down. */
  get earliestMs(): number {
    return Math.floor((this.#earliestHigh * 2 ** 32 + this.#earliestLow) / 1e6) - 1;
  }

  reset(): void {
    this.columns.reset();
    this.rows = 0;
    this.#earliestHigh = Number.POSITIVE_INFINITY;
    this.#earliestLow = Number.POSITIVE_INFINITY;
  }

  protected abstract appendValues(points: Points, selection: RowSelection): void;
}

export class NumberPointEncoder extends PointEncoder<NumberPointTable> {
  readonly #value = this.columns.add('value', 'Float64');
  readonly #intValue = this.columns.add('int_value', 'Int64');
  readonly #valueType = this.columns.add('value_type', 'UInt8');

  protected override appendValues({ value }: NumberPointTable, selection: RowSelection): void {
    for (let i = 0; i < selection.count; i++) {
      const row = selection.rows[i];
      const low = value.words[row * 2];
      const high = value.words[row * 2 + 1];
      if (value.type[row] === NumberType.Int) {
        this.#value.float64(int64ToNumber(low, high));
        this.#intValue.uint64(low, high);
      } else {
        this.#value.uint64(low, high);
        this.#intValue.uint64(0, 0);
      }
    }
    copyFixed(this.#valueType, value.type, 1, selection);
  }
}

export class HistogramPointEncoder extends PointEncoder<HistogramPointTable> {
  readonly #count = this.columns.add('count', 'UInt64');
  readonly #sum = this.columns.add('sum', 'Float64');
  readonly #min = this.columns.add('min', 'Float64');
  readonly #max = this.columns.add('max', 'Float64');
  readonly #presence = this.columns.add('presence', 'UInt8');
  readonly #bucketCounts = this.columns.addArrays(['bucket_counts', 'UInt64']);
  readonly #explicitBounds = this.columns.addArrays(['explicit_bounds', 'Float64']);

  protected override appendValues(points: HistogramPointTable, selection: RowSelection): void {
    copyFixed(this.#count, points.valueCount.values, 8, selection);
    copyFixed(this.#sum, points.sum, 8, selection);
    copyFixed(this.#min, points.min, 8, selection);
    copyFixed(this.#max, points.max, 8, selection);
    copyFixed(this.#presence, points.presence, 1, selection);
    copyLists(this.#bucketCounts, points.bucketCounts, selection);
    copyLists(this.#explicitBounds, points.explicitBounds, selection);
  }
}

export class ExponentialHistogramPointEncoder extends PointEncoder<ExponentialHistogramPointTable> {
  readonly #count = this.columns.add('count', 'UInt64');
  readonly #sum = this.columns.add('sum', 'Float64');
  readonly #min = this.columns.add('min', 'Float64');
  readonly #max = this.columns.add('max', 'Float64');
  readonly #presence = this.columns.add('presence', 'UInt8');
  readonly #scale = this.columns.add('scale', 'Int32');
  readonly #zeroCount = this.columns.add('zero_count', 'UInt64');
  readonly #zeroThreshold = this.columns.add('zero_threshold', 'Float64');
  readonly #positiveOffset = this.columns.add('positive_offset', 'Int32');
  readonly #positiveCounts = this.columns.addArrays(['positive_counts', 'UInt64']);
  readonly #negativeOffset = this.columns.add('negative_offset', 'Int32');
  readonly #negativeCounts = this.columns.addArrays(['negative_counts', 'UInt64']);

  protected override appendValues(points: ExponentialHistogramPointTable, selection: RowSelection): void {
    copyFixed(this.#count, points.valueCount.values, 8, selection);
    copyFixed(this.#sum, points.sum, 8, selection);
    copyFixed(this.#min, points.min, 8, selection);
    copyFixed(this.#max, points.max, 8, selection);
    copyFixed(this.#presence, points.presence, 1, selection);
    copyFixed(this.#scale, points.scale, 4, selection);
    copyFixed(this.#zeroCount, points.zeroCount.values, 8, selection);
    copyFixed(this.#zeroThreshold, points.zeroThreshold, 8, selection);
    copyFixed(this.#positiveOffset, points.positiveOffset, 4, selection);
    copyLists(this.#positiveCounts, points.positiveCounts, selection);
    copyFixed(this.#negativeOffset, points.negativeOffset, 4, selection);
    copyLists(this.#negativeCounts, points.negativeCounts, selection);
  }
}

export class SummaryPointEncoder extends PointEncoder<SummaryPointTable> {
  readonly #count = this.columns.add('count', 'UInt64');
  readonly #sum = this.columns.add('sum', 'Float64');
  readonly #quantiles = this.columns.addArrays(['quantiles', 'Float64']);
  readonly #quantileValues = this.columns.addArrays(['quantile_values', 'Float64']);

  protected override appendValues(points: SummaryPointTable, selection: RowSelection): void {
    copyFixed(this.#count, points.valueCount.values, 8, selection);
    copyFixed(this.#sum, points.sum, 8, selection);
    copyLists(this.#quantiles, points.quantiles, selection);
    copyLists(this.#quantileValues, points.quantileValues, selection);
  }
}

/** The double nearest to an int64 in two words: one rounding, as the high word alone is exact. */
export function int64ToNumber(low: number, high: number): number {
  return (high | 0) * 0x1_0000_0000 + low;
}

/** Copies lists of 64-bit numbers. */
function copyLists(
  to: Lists<readonly [ColumnBuffer]>,
  lists: Uint64Lists | Float64Lists,
  selection: RowSelection,
): void {
  const { values, offsets } = lists;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let i = 0; i < selection.count; i++) {
    const row = selection.rows[i];
    const first = offsets[row];
    const last = offsets[row + 1];
    to.values[0].raw(bytes, first * 8, last * 8);
    to.count += last - first;
    to.endRow();
  }
}
