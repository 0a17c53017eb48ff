export { type AnyBatch, concatBatches, copyBatch, splitBatch } from './any-batch.ts';
export { AnyValueColumn } from './any-value-column.ts';
export { anyValueJson, attributesJson } from './any-value-json.ts';
export { AnyValueReader } from './any-value-reader.ts';
export { AttributeEditor, AttributeKey } from './attribute-editor.ts';
export { AttributeTable } from './attribute-table.ts';
export { AttributeType } from './attribute-type.ts';
export { ByteSlices } from './byte-slices.ts';
export { BatchTooLargeError, MAX_BATCH_BYTES, MAX_TABLE_ROWS } from './capacity.ts';
export { compactBatch } from './compact-batch.ts';
export { EventTable } from './event-table.ts';
export { ExemplarTable } from './exemplar-table.ts';
export { ExplicitHistogram } from './explicit-histogram.ts';
export { ExponentialHistogram } from './exponential-histogram.ts';
export { LinkTable } from './link-table.ts';
export { LogBatch } from './log-batch.ts';
export { MetricBatch, POINT_TABLES, type PointRows } from './metric-batch.ts';
export { MetricBuilder, type NewMetric, Temporality } from './metric-builder.ts';
export { MetricTable, MetricType } from './metric-table.ts';
export { NumberColumn, NumberType } from './number-column.ts';
export { Float64Lists, Uint64Lists } from './number-lists.ts';
export {
  type AttributeEntry,
  type AttributeValue,
  attributesOf,
  attributeValue,
  hexOf,
  type LogObject,
  logObjects,
  type MetricPointObject,
  metricPointObjects,
  type SpanObject,
  spanObjects,
  textOf,
} from './objects.ts';
export { PointTable } from './point-table.ts';
export {
  ExponentialHistogramPointTable,
  HistogramPointTable,
  HistogramPresence,
  NumberPointTable,
  RecordedHistogram,
  SummaryPointTable,
} from './point-tables.ts';
export { RecordBatch } from './record-batch.ts';
export { ResourceTable } from './resource-table.ts';
export { rowsByTrace } from './rows-by-trace.ts';
export { ScopeTable } from './scope-table.ts';
export { keptRows, pointRows, selectLogs, selectPoints, selectSpans } from './select-rows.ts';
export { setAnyValue } from './set-any-value.ts';
export { SpanBatch } from './span-batch.ts';
export { Uint64Column } from './uint64-column.ts';
