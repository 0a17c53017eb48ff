import { grownFloat64, grownInt32, grownUint8 } from './capacity.ts';
import { ExemplarTable } from './exemplar-table.ts';
import { gatherFloat64, gatherInt32, gatherUint8 } from './gather.ts';
import { NumberColumn } from './number-column.ts';
import { Float64Lists, Uint64Lists } from './number-lists.ts';
import { PointTable } from './point-table.ts';
import type { SlicesVisitor } from './slices-visitor.ts';
import { Uint64Column } from './uint64-column.ts';

/** Bits of `presence` of a histogram's point: which of the optional numbers it has. Absent ones are 0. Stored: never change one. */
export const HistogramPresence = { Sum: 1, Min: 2, Max: 4 } as const;

/**
 * Further bits of `presence` of an exponential histogram's point that a recording rule made, which OTLP has no form for. No receiver
 * sets them, and such points go to the store only. Stored: never change one.
 *
 * - `FloatCounts`: all counts (of everything, of the zero bucket, of buckets) are the bits of doubles.
 * - `Gauge`: it goes up and down; a fall is no reset.
 * - `CustomBounds`: the scale is -53, `positiveOffset` the place of the first bucket minus 1, and in place of negative counts stand the
 *   bits of the upper bounds but the last, +Inf.
 */
export const RecordedHistogram = { FloatCounts: 8, Gauge: 16, CustomBounds: 32 } as const;

/** Points of gauges and sums (`NumberDataPoint`). A point with the flag "no recorded value" may have none. */
export class NumberPointTable extends PointTable {
  readonly value = new NumberColumn();
  readonly exemplars = new ExemplarTable();

  protected override growColumns(capacity: number): void {
    this.value.grow(capacity);
    this.exemplars.growRows(capacity);
  }

  protected override gatherColumns(first: number, source: this, rows: Uint32Array, shift: number): void {
    this.value.gather(first, source.value, rows);
    this.exemplars.gather(first, source.exemplars, rows, shift);
  }

  override visitSlices(visit: SlicesVisitor): void {
    super.visitSlices(visit);
    this.exemplars.visitSlices(visit);
  }

  protected override clearRow(row: number): void {
    this.value.setNone(row);
  }

  protected override endRow(row: number): void {
    this.exemplars.endRow(row);
  }

  protected override truncateColumns(row: number): void {
    this.exemplars.truncate(row);
  }
}

/** What points of both kinds of histogram share. */
abstract class AnyHistogramPointTable extends PointTable {
  readonly valueCount = new Uint64Column();
  sum: Float64Array<ArrayBuffer> = new Float64Array(0);
  min: Float64Array<ArrayBuffer> = new Float64Array(0);
  max: Float64Array<ArrayBuffer> = new Float64Array(0);
  /** Bits of HistogramPresence. */
  presence: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  readonly exemplars = new ExemplarTable();

  protected override growColumns(capacity: number): void {
    this.valueCount.grow(capacity);
    this.sum = grownFloat64(this.sum, capacity);
    this.min = grownFloat64(this.min, capacity);
    this.max = grownFloat64(this.max, capacity);
    this.presence = grownUint8(this.presence, capacity);
    this.exemplars.growRows(capacity);
  }

  protected override gatherColumns(first: number, source: this, rows: Uint32Array, shift: number): void {
    this.valueCount.gather(first, source.valueCount, rows);
    gatherFloat64(this.sum, first, source.sum, rows);
    gatherFloat64(this.min, first, source.min, rows);
    gatherFloat64(this.max, first, source.max, rows);
    gatherUint8(this.presence, first, source.presence, rows);
    this.exemplars.gather(first, source.exemplars, rows, shift);
  }

  override visitSlices(visit: SlicesVisitor): void {
    super.visitSlices(visit);
    this.exemplars.visitSlices(visit);
  }

  protected override clearRow(row: number): void {
    this.valueCount.setWords(row, 0, 0);
    this.sum[row] = 0;
    this.min[row] = 0;
    this.max[row] = 0;
    this.presence[row] = 0;
  }

  protected override endRow(row: number): void {
    this.exemplars.endRow(row);
  }

  protected override truncateColumns(row: number): void {
    this.exemplars.truncate(row);
  }
}

/** Points of histograms with explicit bounds (`HistogramDataPoint`): no buckets at all, or one count more than bounds. */
export class HistogramPointTable extends AnyHistogramPointTable {
  readonly bucketCounts = new Uint64Lists();
  readonly explicitBounds = new Float64Lists();

  protected override growColumns(capacity: number): void {
    super.growColumns(capacity);
    this.bucketCounts.growRows(capacity);
    this.explicitBounds.growRows(capacity);
  }

  protected override gatherColumns(first: number, source: this, rows: Uint32Array, shift: number): void {
    super.gatherColumns(first, source, rows, shift);
    this.bucketCounts.gather(first, source.bucketCounts, rows);
    this.explicitBounds.gather(first, source.explicitBounds, rows);
  }

  protected override endRow(row: number): void {
    super.endRow(row);
    this.bucketCounts.endRow(row);
    this.explicitBounds.endRow(row);
  }

  protected override truncateColumns(row: number): void {
    super.truncateColumns(row);
    this.bucketCounts.truncate(row);
    this.explicitBounds.truncate(row);
  }
}

/** Points of exponential histograms (`ExponentialHistogramDataPoint`). */
export class ExponentialHistogramPointTable extends AnyHistogramPointTable {
  scale: Int32Array<ArrayBuffer> = new Int32Array(0);
  readonly zeroCount = new Uint64Column();
  zeroThreshold: Float64Array<ArrayBuffer> = new Float64Array(0);
  positiveOffset: Int32Array<ArrayBuffer> = new Int32Array(0);
  readonly positiveCounts = new Uint64Lists();
  negativeOffset: Int32Array<ArrayBuffer> = new Int32Array(0);
  readonly negativeCounts = new Uint64Lists();

  protected override growColumns(capacity: number): void {
    super.growColumns(capacity);
    this.scale = grownInt32(this.scale, capacity);
    this.zeroCount.grow(capacity);
    this.zeroThreshold = grownFloat64(this.zeroThreshold, capacity);
    this.positiveOffset = grownInt32(this.positiveOffset, capacity);
    this.positiveCounts.growRows(capacity);
    this.negativeOffset = grownInt32(this.negativeOffset, capacity);
    this.negativeCounts.growRows(capacity);
  }

  protected override gatherColumns(first: number, source: this, rows: Uint32Array, shift: number): void {
    super.gatherColumns(first, source, rows, shift);
    gatherInt32(this.scale, first, source.scale, rows);
    this.zeroCount.gather(first, source.zeroCount, rows);
    gatherFloat64(this.zeroThreshold, first, source.zeroThreshold, rows);
    gatherInt32(this.positiveOffset, first, source.positiveOffset, rows);
    this.positiveCounts.gather(first, source.positiveCounts, rows);
    gatherInt32(this.negativeOffset, first, source.negativeOffset, rows);
    this.negativeCounts.gather(first, source.negativeCounts, rows);
  }

  protected override clearRow(row: number): void {
    super.clearRow(row);
    this.scale[row] = 0;
    this.zeroCount.setWords(row, 0, 0);
    this.zeroThreshold[row] = 0;
    this.positiveOffset[row] = 0;
    this.negativeOffset[row] = 0;
  }

  protected override endRow(row: number): void {
    super.endRow(row);
    this.positiveCounts.endRow(row);
    this.negativeCounts.endRow(row);
  }

  protected override truncateColumns(row: number): void {
    super.truncateColumns(row);
    this.positiveCounts.truncate(row);
    this.negativeCounts.truncate(row);
  }
}

/** Points of summaries (`SummaryDataPoint`). */
export class SummaryPointTable extends PointTable {
  readonly valueCount = new Uint64Column();
  sum: Float64Array<ArrayBuffer> = new Float64Array(0);
  /** Quantiles, 0 to 1, and their values: lists of equal length. */
  readonly quantiles = new Float64Lists();
  readonly quantileValues = new Float64Lists();

  protected override growColumns(capacity: number): void {
    this.valueCount.grow(capacity);
    this.sum = grownFloat64(this.sum, capacity);
    this.quantiles.growRows(capacity);
    this.quantileValues.growRows(capacity);
  }

  protected override gatherColumns(first: number, source: this, rows: Uint32Array): void {
    this.valueCount.gather(first, source.valueCount, rows);
    gatherFloat64(this.sum, first, source.sum, rows);
    this.quantiles.gather(first, source.quantiles, rows);
    this.quantileValues.gather(first, source.quantileValues, rows);
  }

  protected override clearRow(row: number): void {
    this.valueCount.setWords(row, 0, 0);
    this.sum[row] = 0;
  }

  protected override endRow(row: number): void {
    this.quantiles.endRow(row);
    this.quantileValues.endRow(row);
  }

  protected override truncateColumns(row: number): void {
    this.quantiles.truncate(row);
    this.quantileValues.truncate(row);
  }
}
