import { LogBatch } from './log-batch.ts';
import { MetricBatch, POINT_TABLES, type PointRows } from './metric-batch.ts';
import type { RecordBatch } from './record-batch.ts';
import { SpanBatch } from './span-batch.ts';

/**
 * Batches of some rows of another. They have columns of their own and share its bytes, so that no text is copied; what a
 * processor appends to one of them is its own, since a batch whose bytes are full moves them before it adds to them.
 */
export function selectSpans(batch: SpanBatch, rows: Uint32Array): SpanBatch {
  const selected = new SpanBatch(usedBytes(batch));
  selected.append(batch, rows, 0);
  return selected;
}

export function selectLogs(batch: LogBatch, rows: Uint32Array): LogBatch {
  const selected = new LogBatch(usedBytes(batch));
  selected.append(batch, rows, 0);
  return selected;
}

/** A metric none of whose points is selected is left out. */
export function selectPoints(batch: MetricBatch, rows: PointRows): MetricBatch {
  const selected = new MetricBatch(usedBytes(batch));
  selected.append(batch, rows, 0);
  return selected;
}

/** The rows whose entry in `keep` is not 0. */
export function keptRows(keep: Uint8Array): Uint32Array<ArrayBuffer> {
  let count = 0;
  for (let row = 0; row < keep.length; row++) {
    count += keep[row] === 0 ? 0 : 1;
  }
  const rows = new Uint32Array(count);
  let at = 0;
  for (let row = 0; row < keep.length; row++) {
    if (keep[row] !== 0) {
      rows[at++] = row;
    }
  }
  return rows;
}

/** `rowsOf` decides for each table of points. */
export function pointRows(rowsOf: (table: (typeof POINT_TABLES)[number]) => Uint32Array): PointRows {
  const [numberPoints, histogramPoints, exponentialHistogramPoints, summaryPoints] = POINT_TABLES.map(rowsOf) as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  return { numberPoints, histogramPoints, exponentialHistogramPoints, summaryPoints };
}

function usedBytes(batch: RecordBatch): Uint8Array {
  return batch.bytes.subarray(0, batch.byteCount);
}
