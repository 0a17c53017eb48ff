import type { OttlDialect } from './compile.ts';
import {
  DATAPOINT_CONTEXT,
  LOG_CONTEXT,
  METRIC_CONTEXT,
  RESOURCE_CONTEXT,
  SCOPE_CONTEXT,
  SPAN_CONTEXT,
  SPAN_EVENT_CONTEXT,
} from './contexts.ts';
import { COMMON_FUNCTIONS, METRIC_FUNCTIONS, SPAN_FUNCTIONS } from './functions/context-functions.ts';
import type { LogCursor } from './log-cursor.ts';
import type { MetricCursor } from './metric-cursor.ts';
import type { RecordCursor } from './record-cursor.ts';
import type { SpanCursor } from './span-cursor.ts';

/** What statements may say, by what they work on. */
export const RESOURCE_DIALECT: OttlDialect<RecordCursor> = { context: RESOURCE_CONTEXT, functions: COMMON_FUNCTIONS };
export const SCOPE_DIALECT: OttlDialect<RecordCursor> = { context: SCOPE_CONTEXT, functions: COMMON_FUNCTIONS };
export const SPAN_DIALECT: OttlDialect<SpanCursor> = { context: SPAN_CONTEXT, functions: SPAN_FUNCTIONS };
export const SPAN_EVENT_DIALECT: OttlDialect<SpanCursor> = { context: SPAN_EVENT_CONTEXT, functions: SPAN_FUNCTIONS };
export const METRIC_DIALECT: OttlDialect<MetricCursor> = { context: METRIC_CONTEXT, functions: METRIC_FUNCTIONS };
export const DATAPOINT_DIALECT: OttlDialect<MetricCursor> = { context: DATAPOINT_CONTEXT, functions: COMMON_FUNCTIONS };
export const LOG_DIALECT: OttlDialect<LogCursor> = { context: LOG_CONTEXT, functions: COMMON_FUNCTIONS };
