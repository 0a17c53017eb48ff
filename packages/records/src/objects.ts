import type { AnyValueColumn } from './any-value-column.ts';
import { AnyValueReader } from './any-value-reader.ts';
import type { AttributeTable } from './attribute-table.ts';
import { AttributeType } from './attribute-type.ts';
import type { ByteSlices } from './byte-slices.ts';
import type { ExemplarTable } from './exemplar-table.ts';
import type { LogBatch } from './log-batch.ts';
import type { MetricBatch } from './metric-batch.ts';
import { type NumberColumn, NumberType } from './number-column.ts';
import type { PointTable } from './point-table.ts';
import { HistogramPresence } from './point-tables.ts';
import type { RecordBatch } from './record-batch.ts';
import type { SpanBatch } from './span-batch.ts';

/** An attribute's value as a JS value that keeps its type: Int is bigint, Double number, KeyValueList a list of entries. */
export type AttributeValue =
  | null
  | string
  | boolean
  | bigint
  | number
  | Uint8Array
  | readonly AttributeValue[]
  | { readonly entries: readonly AttributeEntry[] };

export type AttributeEntry = readonly [key: string, value: AttributeValue];

export type SpanObject = ReturnType<typeof spanObject>;
export type LogObject = ReturnType<typeof logObject>;
export type MetricPointObject = ReturnType<typeof metricPointObjects>[number];

// A byte order mark is part of a value.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Every span as an object with strings, ids in hexadecimal, times as bigint. For tests and rare paths. */
export function spanObjects(batch: SpanBatch) {
  return Array.from({ length: batch.rowCount }, (_, row) => spanObject(batch, row));
}

/** Every log record as an object. For tests and rare paths. */
export function logObjects(batch: LogBatch) {
  return Array.from({ length: batch.rowCount }, (_, row) => logObject(batch, row));
}

/** Every data point as an object that names its metric. For tests and rare paths. */
export function metricPointObjects(batch: MetricBatch) {
  const { numberPoints, histogramPoints, exponentialHistogramPoints, summaryPoints } = batch;
  const rows = ({ rowCount }: PointTable) => Array.from({ length: rowCount }, (_, row) => row);
  return [
    ...rows(numberPoints).map((row) => ({
      ...pointObject(batch, numberPoints, row),
      value: numberOf(numberPoints.value, row),
      exemplars: exemplarObjects(batch.bytes, numberPoints.exemplars, row),
    })),
    ...rows(histogramPoints).map((row) => ({
      ...pointObject(batch, histogramPoints, row),
      ...histogramObject(histogramPoints, row),
      bucketCounts: list(histogramPoints.bucketCounts, row),
      explicitBounds: list(histogramPoints.explicitBounds, row),
      exemplars: exemplarObjects(batch.bytes, histogramPoints.exemplars, row),
    })),
    ...rows(exponentialHistogramPoints).map((row) => ({
      ...pointObject(batch, exponentialHistogramPoints, row),
      ...histogramObject(exponentialHistogramPoints, row),
      scale: exponentialHistogramPoints.scale[row],
      zeroCount: exponentialHistogramPoints.zeroCount.values[row],
      zeroThreshold: exponentialHistogramPoints.zeroThreshold[row],
      positiveOffset: exponentialHistogramPoints.positiveOffset[row],
      positiveCounts: list(exponentialHistogramPoints.positiveCounts, row),
      negativeOffset: exponentialHistogramPoints.negativeOffset[row],
      negativeCounts: list(exponentialHistogramPoints.negativeCounts, row),
      exemplars: exemplarObjects(batch.bytes, exponentialHistogramPoints.exemplars, row),
    })),
    ...rows(summaryPoints).map((row) => ({
      ...pointObject(batch, summaryPoints, row),
      count: summaryPoints.valueCount.values[row],
      sum: summaryPoints.sum[row],
      quantiles: list(summaryPoints.quantiles, row),
      quantileValues: list(summaryPoints.quantileValues, row),
    })),
  ];
}

/** The text of a slice; invalid UTF-8 becomes U+FFFD. */
export function textOf(bytes: Uint8Array, slices: ByteSlices, row: number): string {
  return decoder.decode(bytes.subarray(slices.start[row], slices.end[row]));
}

/** Row `row` of a column of `width` bytes a row, in lower-case hexadecimal. */
export function hexOf(column: Uint8Array, width: number, row: number): string {
  return Buffer.from(column.buffer, column.byteOffset + row * width, width).toString('hex');
}

/** The attributes of a row in their order. */
export function attributesOf(bytes: Uint8Array, table: AttributeTable, row: number): AttributeEntry[] {
  const entries: AttributeEntry[] = [];
  for (let entry = table.offsets[row]; entry < table.offsets[row + 1]; entry++) {
    entries.push([textOf(bytes, table.keys, entry), attributeValue(bytes, table.values, entry)]);
  }
  return entries;
}

/** A value of a column. */
export function attributeValue(bytes: Uint8Array, column: AnyValueColumn, row: number): AttributeValue {
  const start = column.start[row];
  const end = column.end[row];
  switch (column.type[row]) {
    case AttributeType.String:
      return decoder.decode(bytes.subarray(start, end));
    case AttributeType.Bool:
      return column.ints[row] !== 0n;
    case AttributeType.Int:
      return column.ints[row];
    case AttributeType.Double:
      return column.doubles[row];
    case AttributeType.Bytes:
      return bytes.slice(start, end);
    case AttributeType.Array:
    case AttributeType.KeyValueList:
      return encodedValue(bytes, new AnyValueReader(bytes), start, end);
    default:
      return null;
  }
}

function encodedValue(bytes: Uint8Array, reader: AnyValueReader, from: number, to: number): AttributeValue {
  reader.read(from, to);
  const { start, end } = reader;
  switch (reader.type) {
    case AttributeType.String:
      return decoder.decode(bytes.subarray(start, end));
    case AttributeType.Bool:
      return reader.int !== 0n;
    case AttributeType.Int:
      return reader.int;
    case AttributeType.Double:
      return reader.double;
    case AttributeType.Bytes:
      return bytes.slice(start, end);
    case AttributeType.Array: {
      const values: AttributeValue[] = [];
      reader.elements(start, end, (a, b) => values.push(encodedValue(bytes, reader, a, b)));
      return values;
    }
    case AttributeType.KeyValueList: {
      const entries: AttributeEntry[] = [];
      reader.entries(start, end, (keyStart, keyEnd, a, b) =>
        entries.push([decoder.decode(bytes.subarray(keyStart, keyEnd)), encodedValue(bytes, reader, a, b)]),
      );
      return { entries };
    }
    default:
      return null;
  }
}

function originObject(batch: RecordBatch, resource: number, scope: number) {
  const { bytes, resources, scopes } = batch;
  return {
    resource: {
      service: textOf(bytes, resources.serviceName, resource),
      attributes: attributesOf(bytes, resources.attributes, resource),
      droppedAttributesCount: resources.droppedAttributesCount[resource],
      schemaUrl: textOf(bytes, resources.schemaUrl, resource),
    },
    scope: {
      name: textOf(bytes, scopes.name, scope),
      version: textOf(bytes, scopes.version, scope),
      attributes: attributesOf(bytes, scopes.attributes, scope),
      droppedAttributesCount: scopes.droppedAttributesCount[scope],
      schemaUrl: textOf(bytes, scopes.schemaUrl, scope),
    },
  };
}

function spanObject(batch: SpanBatch, row: number) {
  const { bytes, events, links } = batch;
  return {
    ...originObject(batch, batch.resource[row], batch.scope[row]),
    traceId: hexOf(batch.traceId, 16, row),
    spanId: hexOf(batch.spanId, 8, row),
    parentSpanId: hexOf(batch.parentSpanId, 8, row),
    traceState: textOf(bytes, batch.traceState, row),
    flags: batch.flags[row],
    name: textOf(bytes, batch.name, row),
    kind: batch.kind[row],
    startTime: batch.startTime.values[row],
    endTime: batch.endTime.values[row],
    attributes: attributesOf(bytes, batch.attributes, row),
    droppedAttributesCount: batch.droppedAttributesCount[row],
    events: entryRange(events.offsets, row).map((entry) => ({
      time: events.time.values[entry],
      name: textOf(bytes, events.name, entry),
      attributes: attributesOf(bytes, events.attributes, entry),
      droppedAttributesCount: events.droppedAttributesCount[entry],
    })),
    droppedEventsCount: batch.droppedEventsCount[row],
    links: entryRange(links.offsets, row).map((entry) => ({
      traceId: hexOf(links.traceId, 16, entry),
      spanId: hexOf(links.spanId, 8, entry),
      traceState: textOf(bytes, links.traceState, entry),
      flags: links.flags[entry],
      attributes: attributesOf(bytes, links.attributes, entry),
      droppedAttributesCount: links.droppedAttributesCount[entry],
    })),
    droppedLinksCount: batch.droppedLinksCount[row],
    statusCode: batch.statusCode[row],
    statusMessage: textOf(bytes, batch.statusMessage, row),
  };
}

function logObject(batch: LogBatch, row: number) {
  const { bytes } = batch;
  return {
    ...originObject(batch, batch.resource[row], batch.scope[row]),
    time: batch.time.values[row],
    observedTime: batch.observedTime.values[row],
    severityNumber: batch.severityNumber[row],
    severityText: textOf(bytes, batch.severityText, row),
    body: attributeValue(bytes, batch.body, row),
    eventName: textOf(bytes, batch.eventName, row),
    traceId: hexOf(batch.traceId, 16, row),
    spanId: hexOf(batch.spanId, 8, row),
    flags: batch.flags[row],
    attributes: attributesOf(bytes, batch.attributes, row),
    droppedAttributesCount: batch.droppedAttributesCount[row],
  };
}

function pointObject(batch: MetricBatch, points: PointTable, row: number) {
  const { bytes, metrics } = batch;
  const metric = points.metric[row];
  return {
    ...originObject(batch, metrics.resource[metric], metrics.scope[metric]),
    metric: {
      name: textOf(bytes, metrics.name, metric),
      description: textOf(bytes, metrics.description, metric),
      unit: textOf(bytes, metrics.unit, metric),
      type: metrics.type[metric],
      temporality: metrics.temporality[metric],
      monotonic: metrics.monotonic[metric] !== 0,
    },
    startTime: points.startTime.values[row],
    time: points.time.values[row],
    flags: points.flags[row],
    attributes: attributesOf(bytes, points.attributes, row),
  };
}

interface HistogramColumns {
  readonly valueCount: { readonly values: BigUint64Array };
  readonly sum: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly presence: Uint8Array;
}

function histogramObject(points: HistogramColumns, row: number) {
  const presence = points.presence[row];
  return {
    count: points.valueCount.values[row],
    sum: presence & HistogramPresence.Sum ? points.sum[row] : null,
    min: presence & HistogramPresence.Min ? points.min[row] : null,
    max: presence & HistogramPresence.Max ? points.max[row] : null,
  };
}

function exemplarObjects(bytes: Uint8Array, exemplars: ExemplarTable, row: number) {
  return entryRange(exemplars.offsets, row).map((entry) => ({
    time: exemplars.time.values[entry],
    value: numberOf(exemplars.value, entry),
    traceId: hexOf(exemplars.traceId, 16, entry),
    spanId: hexOf(exemplars.spanId, 8, entry),
    attributes: attributesOf(bytes, exemplars.attributes, entry),
  }));
}

function numberOf(column: NumberColumn, row: number): bigint | number | null {
  switch (column.type[row]) {
    case NumberType.Int:
      return column.ints[row];
    case NumberType.Double:
      return column.doubles[row];
    default:
      return null;
  }
}

function list<Value>(
  lists: { readonly offsets: Uint32Array; readonly values: ArrayLike<Value> },
  row: number,
): Value[] {
  return entryRange(lists.offsets, row).map((entry) => lists.values[entry]);
}

function entryRange(offsets: Uint32Array, row: number): number[] {
  const first = offsets[row];
  return Array.from({ length: offsets[row + 1] - first }, (_, index) => first + index);
}
