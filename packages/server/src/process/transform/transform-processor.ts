import { type LogBatch, type MetricBatch, POINT_TABLES, type SpanBatch } from '@signalbox/records';
import type { ContextName } from '../ottl/contexts.ts';
import {
  DATAPOINT_DIALECT,
  LOG_DIALECT,
  METRIC_DIALECT,
  RESOURCE_DIALECT,
  SCOPE_DIALECT,
  SPAN_DIALECT,
  SPAN_EVENT_DIALECT,
} from '../ottl/dialects.ts';
import { LogCursor } from '../ottl/log-cursor.ts';
import { MetricCursor } from '../ottl/metric-cursor.ts';
import type { RecordCursor } from '../ottl/record-cursor.ts';
import { SpanCursor } from '../ottl/span-cursor.ts';
import { compileGroup, resolveContexts, type StatementGroup } from './statement-group.ts';

type Warn = (message: string) => void;

/** A pass of one group over a batch. */
type Pass<Cursor> = (cursor: Cursor) => void;

/** Runs the groups in their order over a batch of spans. Throws OttlError. */
export function transformSpans(groups: readonly StatementGroup[], warn: Warn) {
  const passes = resolveContexts('traces', groups).map((group): Pass<SpanCursor> => {
    switch (group.context) {
      case 'span':
        return overSpans(compileGroup(SPAN_DIALECT, group, warn));
      case 'spanevent':
        return overEvents(compileGroup(SPAN_EVENT_DIALECT, group, warn));
      default:
        return originPass(group.context, group, warn);
    }
  });
  return (batch: SpanBatch): SpanBatch => {
    const cursor = new SpanCursor(batch);
    runAll(passes, cursor);
    return batch;
  };
}

/** As `transformSpans`, of log records. Throws OttlError. */
export function transformLogs(groups: readonly StatementGroup[], warn: Warn) {
  const passes = resolveContexts('logs', groups).map((group): Pass<LogCursor> => {
    if (group.context !== 'log') {
      return originPass(group.context, group, warn);
    }
    const run = compileGroup(LOG_DIALECT, group, warn);
    return (cursor) => {
      for (let row = 0; row < cursor.logs.rowCount; row++) {
        cursor.moveTo(row);
        run(cursor);
      }
    };
  });
  return (batch: LogBatch): LogBatch => {
    runAll(passes, new LogCursor(batch));
    return batch;
  };
}

/** As `transformSpans`, of metrics. Throws OttlError. */
export function transformMetrics(groups: readonly StatementGroup[], warn: Warn) {
  const passes = resolveContexts('metrics', groups).map((group): Pass<MetricCursor> => {
    switch (group.context) {
      case 'metric':
        return overMetrics(compileGroup(METRIC_DIALECT, group, warn));
      case 'datapoint':
        return overPoints(compileGroup(DATAPOINT_DIALECT, group, warn));
      default:
        return originPass(group.context, group, warn);
    }
  });
  return (batch: MetricBatch): MetricBatch => {
    runAll(passes, new MetricCursor(batch));
    return batch;
  };
}

function runAll<Cursor extends RecordCursor>(passes: readonly Pass<Cursor>[], cursor: Cursor): void {
  for (const pass of passes) {
    pass(cursor);
  }
  cursor.finish();
}

function overSpans(run: Pass<SpanCursor>): Pass<SpanCursor> {
  return (cursor) => {
    for (let row = 0; row < cursor.spans.rowCount; row++) {
      cursor.moveTo(row);
      run(cursor);
    }
  };
}

function overEvents(run: Pass<SpanCursor>): Pass<SpanCursor> {
  return (cursor) => {
    const { rowCount, events } = cursor.spans;
    for (let row = 0; row < rowCount; row++) {
      for (let entry = events.offsets[row] as number; entry < (events.offsets[row + 1] as number); entry++) {
        cursor.moveToEvent(row, entry);
        run(cursor);
      }
    }
  };
}

function overMetrics(run: Pass<MetricCursor>): Pass<MetricCursor> {
  return (cursor) => {
    for (let row = 0; row < cursor.metrics.metrics.rowCount; row++) {
      cursor.moveToMetric(row);
      run(cursor);
    }
  };
}

function overPoints(run: Pass<MetricCursor>): Pass<MetricCursor> {
  return (cursor) => {
    for (const table of POINT_TABLES) {
      for (let row = 0; row < cursor.metrics[table].rowCount; row++) {
        cursor.moveToPoint(table, row);
        run(cursor);
      }
    }
  };
}

function originPass(context: ContextName, group: StatementGroup, warn: Warn): Pass<RecordCursor> {
  if (context === 'resource') {
    const run = compileGroup(RESOURCE_DIALECT, group, warn);
    return (cursor) => {
      for (let row = 0; row < cursor.batch.resources.rowCount; row++) {
        cursor.moveToResource(row);
        run(cursor);
      }
    };
  }
  if (context === 'scope') {
    const run = compileGroup(SCOPE_DIALECT, group, warn);
    return (cursor) => {
      for (let row = 0; row < cursor.batch.scopes.rowCount; row++) {
        cursor.moveToScope(row);
        run(cursor);
      }
    };
  }
  throw new Error(`bug: a group of context ${context} reached another signal`);
}
