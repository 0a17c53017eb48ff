import {
  attributeValue,
  type LogBatch,
  type MetricBatch,
  POINT_TABLES,
  type SpanBatch,
  setAnyValue,
} from '@signalbox/records';
import { LogCursor } from '../ottl/log-cursor.ts';
import { MetricCursor } from '../ottl/metric-cursor.ts';
import type { RecordCursor } from '../ottl/record-cursor.ts';
import { SpanCursor } from '../ottl/span-cursor.ts';
import type { Redactor } from './redactor.ts';

/** Redacts attributes of resources, scopes, spans and their events. */
export function redactSpans(redactor: Redactor) {
  return (batch: SpanBatch): SpanBatch => {
    const cursor = new SpanCursor(batch);
    redactOrigins(redactor, cursor);
    for (let row = 0; row < batch.rowCount; row++) {
      redactor.redactRow(cursor.attributes, row);
    }
    for (let event = 0; event < batch.events.count; event++) {
      redactor.redactRow(cursor.eventAttributes, event);
    }
    cursor.finish();
    return batch;
  };
}

/** Redacts attributes of resources, scopes and log records, and bodies. */
export function redactLogs(redactor: Redactor) {
  return (batch: LogBatch): LogBatch => {
    const cursor = new LogCursor(batch);
    redactOrigins(redactor, cursor);
    for (let row = 0; row < batch.rowCount; row++) {
      redactor.redactRow(cursor.attributes, row);
      const body = attributeValue(batch.bytes, batch.body, row);
      const redacted = redactor.redactBody(body);
      if (redacted !== body) {
        setAnyValue(batch, batch.body, row, redacted);
      }
    }
    cursor.finish();
    return batch;
  };
}

/** Redacts attributes of resources, scopes and points. */
export function redactPoints(redactor: Redactor) {
  return (batch: MetricBatch): MetricBatch => {
    const cursor = new MetricCursor(batch);
    redactOrigins(redactor, cursor);
    for (const table of POINT_TABLES) {
      for (let row = 0; row < batch[table].rowCount; row++) {
        cursor.moveToPoint(table, row);
        redactor.redactRow(cursor.pointAttributes, row);
      }
    }
    cursor.finish();
    return batch;
  };
}

function redactOrigins(redactor: Redactor, { batch, resourceAttributes, scopeAttributes }: RecordCursor): void {
  for (let row = 0; row < batch.resources.rowCount; row++) {
    redactor.redactRow(resourceAttributes, row);
  }
  for (let row = 0; row < batch.scopes.rowCount; row++) {
    redactor.redactRow(scopeAttributes, row);
  }
}
