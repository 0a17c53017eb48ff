import { type LogBatch, type MetricBatch, POINT_TABLES, type RecordBatch, type SpanBatch } from '@signalbox/records';
import type { Matcher } from '../match/record-matcher.ts';
import { LogCursor } from '../ottl/log-cursor.ts';
import { MetricCursor } from '../ottl/metric-cursor.ts';
import { RecordCursor } from '../ottl/record-cursor.ts';
import { SpanCursor } from '../ottl/span-cursor.ts';
import { type AttributeAction, type AttributeEdit, compileActions } from './attribute-actions.ts';

/** Changes the attributes of the spans that `chosen` is true for (null: of all). */
export function spanAttributes(actions: readonly AttributeAction[], chosen: Matcher<SpanCursor> | null) {
  const edit = compileActions(actions);
  return (batch: SpanBatch): SpanBatch => {
    const cursor = new SpanCursor(batch);
    for (let row = 0; row < batch.rowCount; row++) {
      if (chosen !== null) {
        cursor.moveTo(row);
        if (!chosen(cursor)) continue;
      }
      edit(cursor.attributes, row);
    }
    cursor.attributes.finish();
    return batch;
  };
}

/** As `spanAttributes`, of log records. */
export function logAttributes(actions: readonly AttributeAction[], chosen: Matcher<LogCursor> | null) {
  const edit = compileActions(actions);
  return (batch: LogBatch): LogBatch => {
    const cursor = new LogCursor(batch);
    for (let row = 0; row < batch.rowCount; row++) {
      if (chosen !== null) {
        cursor.moveTo(row);
        if (!chosen(cursor)) continue;
      }
      edit(cursor.attributes, row);
    }
    cursor.attributes.finish();
    return batch;
  };
}

/** As `spanAttributes`, of the points of metrics. */
export function pointAttributes(actions: readonly AttributeAction[], chosen: Matcher<MetricCursor> | null) {
  const edit = compileActions(actions);
  return (batch: MetricBatch): MetricBatch => {
    const cursor = new MetricCursor(batch);
    for (const table of POINT_TABLES) {
      for (let row = 0; row < batch[table].rowCount; row++) {
        cursor.moveToPoint(table, row);
        if (chosen === null || chosen(cursor)) {
          edit(cursor.pointAttributes, row);
        }
      }
    }
    cursor.finish();
    return batch;
  };
}

/** Changes the attributes of every resource. */
export function resourceAttributes(actions: readonly AttributeAction[]) {
  return editResources(compileActions(actions));
}

export function editResources(edit: AttributeEdit) {
  return <Batch extends RecordBatch>(batch: Batch): Batch => {
    const cursor = new RecordCursor(batch);
    for (let row = 0; row < batch.resources.rowCount; row++) {
      edit(cursor.resourceAttributes, row);
    }
    cursor.finish();
    return batch;
  };
}
