import { MetricTable } from './metric-table.ts';
import {
  ExponentialHistogramPointTable,
  HistogramPointTable,
  NumberPointTable,
  SummaryPointTable,
} from './point-tables.ts';
import { RecordBatch } from './record-batch.ts';
import type { SlicesVisitor } from './slices-visitor.ts';
import { UsedRows } from './used-rows.ts';

/** Rows of each table of points. */
export interface PointRows {
  readonly numberPoints: Uint32Array;
  readonly histogramPoints: Uint32Array;
  readonly exponentialHistogramPoints: Uint32Array;
  readonly summaryPoints: Uint32Array;
}

/** The names of the tables of points, in the order in which rows of a batch are counted. */
export const POINT_TABLES = [
  'numberPoints',
  'histogramPoints',
  'exponentialHistogramPoints',
  'summaryPoints',
] as const satisfies readonly (keyof PointRows)[];

/** Data points of metrics in columns (metrics.proto), one table per kind of point. See RecordBatch for ownership. */
export class MetricBatch extends RecordBatch {
  readonly metrics = new MetricTable();
  /** Points of gauges and sums. */
  readonly numberPoints = new NumberPointTable();
  readonly histogramPoints = new HistogramPointTable();
  readonly exponentialHistogramPoints = new ExponentialHistogramPointTable();
  readonly summaryPoints = new SummaryPointTable();

  /** Data points of all kinds. */
  get rowCount(): number {
    return (
      this.numberPoints.rowCount +
      this.histogramPoints.rowCount +
      this.exponentialHistogramPoints.rowCount +
      this.summaryPoints.rowCount
    );
  }

  override reuse(bytes: Uint8Array): void {
    super.reuse(bytes);
    this.metrics.clear();
    for (const table of POINT_TABLES) {
      this[table].truncate(0);
    }
  }

  /**
   * Adds copies of points of `source`, with the metrics, resources and scopes that they refer to. Their texts are not
   * copied: they must already stand in `bytes`, `shift` bytes after where they stand in the source's.
   */
  append(source: MetricBatch, rows: PointRows, shift: number): void {
    const used = new UsedRows(source.metrics.rowCount, this.metrics.rowCount);
    for (const table of POINT_TABLES) {
      const { metric } = source[table];
      for (const row of rows[table]) {
        used.use(metric[row]);
      }
    }
    const maps = this.appendOrigins(source, source.metrics, used.rows(), shift);
    this.metrics.append(source.metrics, used.rows(), maps, shift);
    this.numberPoints.append(source.numberPoints, rows.numberPoints, used.map, shift);
    this.histogramPoints.append(source.histogramPoints, rows.histogramPoints, used.map, shift);
    this.exponentialHistogramPoints.append(
      source.exponentialHistogramPoints,
      rows.exponentialHistogramPoints,
      used.map,
      shift,
    );
    this.summaryPoints.append(source.summaryPoints, rows.summaryPoints, used.map, shift);
  }

  override visitSlices(visit: SlicesVisitor): void {
    super.visitSlices(visit);
    this.metrics.visitSlices(visit);
    for (const table of POINT_TABLES) {
      this[table].visitSlices(visit);
    }
  }
}
