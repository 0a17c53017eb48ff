import { allRows } from './gather.ts';
import { LogBatch } from './log-batch.ts';
import { MetricBatch } from './metric-batch.ts';
import { pointRows } from './select-rows.ts';
import { SpanBatch } from './span-batch.ts';

export type AnyBatch = SpanBatch | LogBatch | MetricBatch;

/**
 * A batch of the same rows with columns of its own, so that one of two consumers may change them. It shares the bytes, which
 * nobody changes.
 */
export function copyBatch<Batch extends AnyBatch>(batch: Batch): Batch {
  const copy = emptyLike(batch, batch.bytes.subarray(0, batch.byteCount));
  appendRange(copy, batch, 0, batch.rowCount, 0);
  return copy;
}

/** One batch of all rows of `batches` in order, with bytes of its own. Throws BatchTooLargeError when they are too many for one. */
export function concatBatches<Batch extends AnyBatch>(batches: readonly [Batch, ...Batch[]]): Batch {
  const joined = emptyLike(batches[0], new Uint8Array(batches.reduce((sum, { byteCount }) => sum + byteCount, 0)));
  let shift = 0;
  for (const batch of batches) {
    joined.bytes.set(batch.bytes.subarray(0, batch.byteCount), shift);
    appendRange(joined, batch, 0, batch.rowCount, shift);
    shift += batch.byteCount;
  }
  return joined;
}

/** Batches of at most `maxRows` rows each, which share the bytes; `batch` itself if it is small enough. */
export function splitBatch<Batch extends AnyBatch>(batch: Batch, maxRows: number): Batch[] {
  if (batch.rowCount <= maxRows) {
    return [batch];
  }
  const parts: Batch[] = [];
  for (let row = 0; row < batch.rowCount; row += maxRows) {
    const part = emptyLike(batch, batch.bytes.subarray(0, batch.byteCount));
    appendRange(part, batch, row, Math.min(row + maxRows, batch.rowCount), 0);
    parts.push(part);
  }
  return parts;
}

/** Batches of one signal know each other's columns; TypeScript does not follow a generic batch that far. */
function appendRange<Batch extends AnyBatch>(to: Batch, from: Batch, first: number, end: number, shift: number): void {
  if (to instanceof SpanBatch && from instanceof SpanBatch) {
    to.append(from, allRows(from.rowCount).subarray(first, end), shift);
  } else if (to instanceof LogBatch && from instanceof LogBatch) {
    to.append(from, allRows(from.rowCount).subarray(first, end), shift);
  } else if (to instanceof MetricBatch && from instanceof MetricBatch) {
    let before = 0;
    const rows = pointRows((table) => {
      const { rowCount } = from[table];
      const ofTable = allRows(rowCount).subarray(Math.max(first - before, 0), Math.max(end - before, 0));
      before += rowCount;
      return ofTable;
    });
    to.append(from, rows, shift);
  } else {
    throw new TypeError('a batch of another signal');
  }
}

function emptyLike<Batch extends AnyBatch>(batch: Batch, bytes: Uint8Array): Batch {
  const empty: AnyBatch =
    batch instanceof SpanBatch
      ? new SpanBatch(bytes)
      : batch instanceof LogBatch
        ? new LogBatch(bytes)
        : new MetricBatch(bytes);
  return empty as Batch;
}
