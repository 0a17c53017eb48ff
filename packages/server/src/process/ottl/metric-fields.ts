import { type Float64Lists, HistogramPresence, NumberType, type Uint64Lists } from '@signalbox/records';
import { SMALL_INTS } from './enums.ts';
import {
  attributesField,
  countField,
  enumField,
  type Field,
  type Fields,
  intOf,
  textField,
  timeField,
} from './field.ts';
import type { MetricCursor } from './metric-cursor.ts';
import { OttlValueError } from './ottl-error.ts';
import { describe } from './value.ts';

const metric = (cursor: MetricCursor) => cursor.metric;
const point = (cursor: MetricCursor) => cursor.point;

export const METRIC_FIELDS: Fields<MetricCursor> = {
  name: textField((cursor) => cursor.metrics.metrics.name, metric),
  description: textField((cursor) => cursor.metrics.metrics.description, metric),
  unit: textField((cursor) => cursor.metrics.metrics.unit, metric),
  // Without `set`: points of another kind would be in another table.
  type: { get: (cursor) => SMALL_INTS[cursor.metrics.metrics.type[cursor.metric] as number] ?? 0n },
  aggregation_temporality: enumField((cursor) => cursor.metrics.metrics.temporality, metric, SMALL_INTS, 2),
  is_monotonic: {
    get: (cursor) => cursor.metrics.metrics.monotonic[cursor.metric] === 1,
    set: (cursor, value) => {
      if (typeof value !== 'boolean') {
        throw new OttlValueError(`expected a bool, found ${describe(value)}`);
      }
      cursor.metrics.metrics.monotonic[cursor.metric] = value ? 1 : 0;
    },
  },
};

const HISTOGRAMS = { histogramPoints: true, exponentialHistogramPoints: true } as const;

/** A field that only points of some kinds have; of others it is nil. */
function pointField(
  get: (cursor: MetricCursor) => ReturnType<Field<MetricCursor>['get']>,
  set?: (cursor: MetricCursor, value: Parameters<NonNullable<Field<MetricCursor>['set']>>[1]) => void,
): Field<MetricCursor> {
  return set === undefined ? { get } : { get, set };
}

function histogramNumber(name: 'sum' | 'min' | 'max', bit: number): Field<MetricCursor> {
  return pointField((cursor) => {
    if (cursor.table === 'summaryPoints' && name === 'sum') {
      return cursor.metrics.summaryPoints.sum[cursor.point] as number;
    }
    if (!(cursor.table in HISTOGRAMS)) {
      return null;
    }
    const points = cursor.metrics[cursor.table as keyof typeof HISTOGRAMS];
    return (points.presence[cursor.point] as number) & bit ? (points[name][cursor.point] as number) : null;
  });
}

function countsOf({ values, offsets }: Uint64Lists, row: number): bigint[] {
  return Array.from(values.subarray(offsets[row], offsets[row + 1]), (count) => BigInt.asIntN(64, count));
}

function boundsOf({ values, offsets }: Float64Lists, row: number): number[] {
  return Array.from(values.subarray(offsets[row], offsets[row + 1]));
}

const exponential = <Result>(cursor: MetricCursor, read: (row: number) => Result): Result | null =>
  cursor.table === 'exponentialHistogramPoints' ? read(cursor.point) : null;
const histogram = <Result>(cursor: MetricCursor, read: (row: number) => Result): Result | null =>
  cursor.table === 'histogramPoints' ? read(cursor.point) : null;

export const POINT_FIELDS: Fields<MetricCursor> = {
  attributes: attributesField((cursor) => cursor.pointAttributes, point),
  start_time_unix_nano: timeField((cursor) => cursor.metrics[cursor.table].startTime.values, point, false),
  time_unix_nano: timeField((cursor) => cursor.metrics[cursor.table].time.values, point, false),
  start_time: timeField((cursor) => cursor.metrics[cursor.table].startTime.values, point, true),
  time: timeField((cursor) => cursor.metrics[cursor.table].time.values, point, true),
  flags: countField((cursor) => cursor.metrics[cursor.table].flags, point),
  value_double: pointField(
    ({ metrics: { numberPoints }, table, point: row }) =>
      table === 'numberPoints' && numberPoints.value.type[row] === NumberType.Double
        ? (numberPoints.value.doubles[row] as number)
        : null,
    ({ metrics: { numberPoints }, table, point: row }, value) => {
      if (table !== 'numberPoints' || typeof value !== 'number') {
        throw new OttlValueError(`a point's double cannot be set to ${describe(value)}`);
      }
      numberPoints.value.setDouble(row, value);
    },
  ),
  value_int: pointField(
    ({ metrics: { numberPoints }, table, point: row }) =>
      table === 'numberPoints' && numberPoints.value.type[row] === NumberType.Int
        ? (numberPoints.value.ints[row] as bigint)
        : null,
    ({ metrics: { numberPoints }, table, point: row }, value) => {
      const bits = BigInt.asUintN(64, intOf(value));
      if (table !== 'numberPoints') {
        throw new OttlValueError('only points of gauges and sums have an int');
      }
      numberPoints.value.setIntWords(row, Number(bits & 0xffff_ffffn), Number(bits >> 32n));
    },
  ),
  count: pointField((cursor) =>
    cursor.table === 'numberPoints'
      ? null
      : BigInt.asIntN(64, cursor.metrics[cursor.table].valueCount.values[cursor.point] as bigint),
  ),
  sum: histogramNumber('sum', HistogramPresence.Sum),
  min: histogramNumber('min', HistogramPresence.Min),
  max: histogramNumber('max', HistogramPresence.Max),
  bucket_counts: pointField((cursor) =>
    histogram(cursor, (row) => countsOf(cursor.metrics.histogramPoints.bucketCounts, row)),
  ),
  explicit_bounds: pointField((cursor) =>
    histogram(cursor, (row) => boundsOf(cursor.metrics.histogramPoints.explicitBounds, row)),
  ),
  scale: pointField((cursor) =>
    exponential(cursor, (row) => BigInt(cursor.metrics.exponentialHistogramPoints.scale[row] as number)),
  ),
  zero_count: pointField((cursor) =>
    exponential(cursor, (row) =>
      BigInt.asIntN(64, cursor.metrics.exponentialHistogramPoints.zeroCount.values[row] as bigint),
    ),
  ),
  'positive.offset': pointField((cursor) =>
    exponential(cursor, (row) => BigInt(cursor.metrics.exponentialHistogramPoints.positiveOffset[row] as number)),
  ),
  'positive.bucket_counts': pointField((cursor) =>
    exponential(cursor, (row) => countsOf(cursor.metrics.exponentialHistogramPoints.positiveCounts, row)),
  ),
  'negative.offset': pointField((cursor) =>
    exponential(cursor, (row) => BigInt(cursor.metrics.exponentialHistogramPoints.negativeOffset[row] as number)),
  ),
  'negative.bucket_counts': pointField((cursor) =>
    exponential(cursor, (row) => countsOf(cursor.metrics.exponentialHistogramPoints.negativeCounts, row)),
  ),
};
