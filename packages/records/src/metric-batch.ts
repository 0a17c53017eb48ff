import { MetricTable } from './metric-table.ts';
import {
  ExponentialHistogramPointTable,
  HistogramPointTable,
  NumberPointTable,
  SummaryPointTable,
} from './point-tables.ts';
import { RecordBatch } from './record-batch.ts';

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
}
