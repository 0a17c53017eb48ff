import {
  keptRows,
  type LogBatch,
  type MetricBatch,
  pointRows,
  type SpanBatch,
  selectLogs,
  selectPoints,
  selectSpans,
} from '@signalbox/records';
import type { Matcher } from '../match/record-matcher.ts';
import { LogCursor } from '../ottl/log-cursor.ts';
import { MetricCursor } from '../ottl/metric-cursor.ts';
import { SpanCursor } from '../ottl/span-cursor.ts';

/** Tests that a record must not pass to stay; null: none. */
export interface SpanDrops {
  readonly span: Matcher<SpanCursor> | null;
  readonly event: Matcher<SpanCursor> | null;
}

/** The batch without the spans and events that are to be dropped; itself when all spans stay. */
export function filterSpans({ span, event }: SpanDrops) {
  return (batch: SpanBatch): SpanBatch => {
    const cursor = new SpanCursor(batch);
    const keep = span === null ? null : keepMask(batch.rowCount, cursor, span);
    const kept = keep === null ? batch : selectSpans(batch, keptRows(keep));
    if (event !== null && kept.events.count > 0) {
      dropEvents(kept, event);
    }
    return kept;
  };
}

function dropEvents(batch: SpanBatch, drop: Matcher<SpanCursor>): void {
  const { events } = batch;
  const cursor = new SpanCursor(batch);
  const keep = new Uint8Array(events.count).fill(1);
  let dropped = 0;
  for (let row = 0; row < batch.rowCount; row++) {
    for (let entry = events.offsets[row] as number; entry < (events.offsets[row + 1] as number); entry++) {
      cursor.moveToEvent(row, entry);
      if (drop(cursor)) {
        keep[entry] = 0;
        dropped++;
      }
    }
  }
  if (dropped > 0) {
    events.retain(keep, batch.rowCount);
  }
}

/** The batch without the records that `drop` is true for; itself when all stay. */
export function filterLogs(drop: Matcher<LogCursor>) {
  return (batch: LogBatch): LogBatch => {
    const keep = keepMask(batch.rowCount, new LogCursor(batch), drop);
    return keep === null ? batch : selectLogs(batch, keptRows(keep));
  };
}

export interface MetricDrops {
  readonly metric: Matcher<MetricCursor> | null;
  readonly point: Matcher<MetricCursor> | null;
}

/** The batch without the metrics and points that are to be dropped; itself when all stay. */
export function filterMetrics({ metric, point }: MetricDrops) {
  return (batch: MetricBatch): MetricBatch => {
    const cursor = new MetricCursor(batch);
    const dropMetric = new Uint8Array(batch.metrics.rowCount);
    if (metric !== null) {
      for (let row = 0; row < batch.metrics.rowCount; row++) {
        cursor.moveToMetric(row);
        dropMetric[row] = metric(cursor) ? 1 : 0;
      }
    }
    let dropped = 0;
    const rows = pointRows((table) => {
      const points = batch[table];
      const keep = new Uint8Array(points.rowCount);
      for (let row = 0; row < points.rowCount; row++) {
        cursor.moveToPoint(table, row);
        const drop = dropMetric[points.metric[row] as number] === 1 || (point?.(cursor) ?? false);
        keep[row] = drop ? 0 : 1;
        dropped += drop ? 1 : 0;
      }
      return keptRows(keep);
    });
    return dropped === 0 ? batch : selectPoints(batch, rows);
  };
}

/** 1 for each row to keep; null: all. */
function keepMask<Cursor extends { moveTo(row: number): void }>(
  rowCount: number,
  cursor: Cursor,
  drop: Matcher<Cursor>,
): Uint8Array | null {
  const keep = new Uint8Array(rowCount);
  let kept = 0;
  for (let row = 0; row < rowCount; row++) {
    cursor.moveTo(row);
    if (!drop(cursor)) {
      keep[row] = 1;
      kept++;
    }
  }
  return kept === rowCount ? null : keep;
}
