import {
  type ExemplarTable,
  type Float64Lists,
  HistogramPresence,
  type MetricBatch,
  type NumberColumn,
  NumberType,
  type Uint64Lists,
} from '@signalbox/records';
import type { ValueEncoder } from '../wire/encode-values.ts';
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from '../wire/ids.ts';
import type { ReverseWriter } from '../wire/reverse-writer.ts';

/** `NumberDataPoint` */
export function writeNumberPoint(batch: MetricBatch, row: number, values: ValueEncoder, writer: ReverseWriter): void {
  const points = batch.numberPoints;
  values.number(0x40, points.flags[row]);
  values.attributes(0x3a, points.attributes, row);
  writeNumber(points.value, row, 0x21, 0x31, writer);
  writeExemplars(0x2a, points.exemplars, row, values, writer);
  values.fixed64(0x19, points.time.words, row);
  values.fixed64(0x11, points.startTime.words, row);
}

/** `HistogramDataPoint` */
export function writeHistogramPoint(
  batch: MetricBatch,
  row: number,
  values: ValueEncoder,
  writer: ReverseWriter,
): void {
  const points = batch.histogramPoints;
  const presence = points.presence[row];
  if (presence & HistogramPresence.Max) values.double(0x61, points.max[row]);
  if (presence & HistogramPresence.Min) values.double(0x59, points.min[row]);
  values.number(0x50, points.flags[row]);
  values.attributes(0x4a, points.attributes, row);
  writeExemplars(0x42, points.exemplars, row, values, writer);
  writeDoubles(0x3a, points.explicitBounds, row, writer);
  writeFixed64s(0x32, points.bucketCounts, row, writer);
  if (presence & HistogramPresence.Sum) values.double(0x29, points.sum[row]);
  values.fixed64(0x21, points.valueCount.words, row);
  values.fixed64(0x19, points.time.words, row);
  values.fixed64(0x11, points.startTime.words, row);
}

/** `ExponentialHistogramDataPoint` */
export function writeExponentialHistogramPoint(
  batch: MetricBatch,
  row: number,
  values: ValueEncoder,
  writer: ReverseWriter,
): void {
  const points = batch.exponentialHistogramPoints;
  const presence = points.presence[row];
  if (points.zeroThreshold[row] !== 0) values.double(0x71, points.zeroThreshold[row]);
  if (presence & HistogramPresence.Max) values.double(0x69, points.max[row]);
  if (presence & HistogramPresence.Min) values.double(0x61, points.min[row]);
  writeExemplars(0x5a, points.exemplars, row, values, writer);
  values.number(0x50, points.flags[row]);
  writeBuckets(0x4a, points.negativeOffset[row], points.negativeCounts, row, writer);
  writeBuckets(0x42, points.positiveOffset[row], points.positiveCounts, row, writer);
  values.fixed64(0x39, points.zeroCount.words, row);
  if (points.scale[row] !== 0) {
    writer.sint32(points.scale[row]);
    writer.varint(0x30);
  }
  if (presence & HistogramPresence.Sum) values.double(0x29, points.sum[row]);
  values.fixed64(0x21, points.valueCount.words, row);
  values.fixed64(0x19, points.time.words, row);
  values.fixed64(0x11, points.startTime.words, row);
  values.attributes(0x0a, points.attributes, row);
}

/** `SummaryDataPoint` */
export function writeSummaryPoint(batch: MetricBatch, row: number, values: ValueEncoder, writer: ReverseWriter): void {
  const points = batch.summaryPoints;
  values.number(0x40, points.flags[row]);
  values.attributes(0x3a, points.attributes, row);
  const { offsets } = points.quantiles;
  const valuesFirst = points.quantileValues.offsets[row];
  for (let i = offsets[row + 1] - offsets[row] - 1; i >= 0; i--) {
    const before = writer.length;
    values.double(0x11, points.quantileValues.values[valuesFirst + i]);
    values.double(0x09, points.quantiles.values[offsets[row] + i]);
    writer.endMessage(0x32, before);
  }
  if (!Object.is(points.sum[row], 0)) values.double(0x29, points.sum[row]);
  values.fixed64(0x21, points.valueCount.words, row);
  values.fixed64(0x19, points.time.words, row);
  values.fixed64(0x11, points.startTime.words, row);
}

/** The oneof of a double and an sfixed64; nothing when the point has no recorded value. */
function writeNumber(
  column: NumberColumn,
  row: number,
  doubleTag: number,
  intTag: number,
  writer: ReverseWriter,
): void {
  if (column.type[row] !== NumberType.None) {
    writer.fixed64(column.words[row * 2], column.words[row * 2 + 1]);
    writer.varint(column.type[row] === NumberType.Int ? intTag : doubleTag);
  }
}

function writeExemplars(
  tag: number,
  exemplars: ExemplarTable,
  row: number,
  values: ValueEncoder,
  writer: ReverseWriter,
): void {
  for (let entry = exemplars.offsets[row + 1] - 1; entry >= exemplars.offsets[row]; entry--) {
    const before = writer.length;
    values.attributes(0x3a, exemplars.attributes, entry);
    writeNumber(exemplars.value, entry, 0x19, 0x31, writer);
    values.id(0x2a, exemplars.traceId, TRACE_ID_BYTES, entry);
    values.id(0x22, exemplars.spanId, SPAN_ID_BYTES, entry);
    values.fixed64(0x11, exemplars.time.words, entry);
    writer.endMessage(tag, before);
  }
}

function writeBuckets(tag: number, offset: number, counts: Uint64Lists, row: number, writer: ReverseWriter): void {
  const first = counts.offsets[row];
  const last = counts.offsets[row + 1];
  if (offset === 0 && first === last) {
    return;
  }
  const before = writer.length;
  if (last > first) {
    for (let i = last - 1; i >= first; i--) {
      writer.varint64(counts.words[i * 2], counts.words[i * 2 + 1]);
    }
    writer.endMessage(0x12, before);
  }
  if (offset !== 0) {
    writer.sint32(offset);
    writer.varint(0x08);
  }
  writer.endMessage(tag, before);
}

function writeFixed64s(tag: number, lists: Uint64Lists, row: number, writer: ReverseWriter): void {
  const before = writer.length;
  for (let i = lists.offsets[row + 1] - 1; i >= lists.offsets[row]; i--) {
    writer.fixed64(lists.words[i * 2], lists.words[i * 2 + 1]);
  }
  if (writer.length > before) writer.endMessage(tag, before);
}

function writeDoubles(tag: number, lists: Float64Lists, row: number, writer: ReverseWriter): void {
  const before = writer.length;
  for (let i = lists.offsets[row + 1] - 1; i >= lists.offsets[row]; i--) {
    writer.double(lists.values[i]);
  }
  if (writer.length > before) writer.endMessage(tag, before);
}
