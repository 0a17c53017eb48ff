import { type HistogramPointTable, type MetricBatch, type NumberPointTable, NumberType } from '@signalbox/records';
import type { Rejections } from '../wire/rejections.ts';

/** DataPointFlags: the point says that there is no value. */
const NO_RECORDED_VALUE = 1;

/** How many points there were before a metric: to forget those that came since. */
export interface PointCounts {
  readonly number: number;
  readonly histogram: number;
  readonly exponentialHistogram: number;
  readonly summary: number;
}

export function pointCounts(batch: MetricBatch): PointCounts {
  return {
    number: batch.numberPoints.rowCount,
    histogram: batch.histogramPoints.rowCount,
    exponentialHistogram: batch.exponentialHistogramPoints.rowCount,
    summary: batch.summaryPoints.rowCount,
  };
}

/** Forgets the points that came since; returns how many. */
export function forgetPointsSince(batch: MetricBatch, counts: PointCounts): number {
  const before = batch.rowCount;
  batch.numberPoints.truncate(counts.number);
  batch.histogramPoints.truncate(counts.histogram);
  batch.exponentialHistogramPoints.truncate(counts.exponentialHistogram);
  batch.summaryPoints.truncate(counts.summary);
  return before - batch.rowCount;
}

/** Ends a metric: the data model gives it no identity without a name. */
export function endMetric(batch: MetricBatch, metric: number, counts: PointCounts, rejections: Rejections): void {
  const { name } = batch.metrics;
  if (name.start[metric] === name.end[metric]) {
    rejections.add('data points of metrics without a name', forgetPointsSince(batch, counts));
  }
}

/** Ends the point under construction: keeps it or rejects it. */
export function endNumberPoint(points: NumberPointTable, rejections: Rejections): void {
  const row = points.rowCount;
  if (points.value.type[row] === NumberType.None && (points.flags[row] & NO_RECORDED_VALUE) === 0) {
    points.rollback();
    rejections.add('data points without a value');
  } else {
    points.end();
  }
}

/** Ends the point under construction: keeps it, or rejects it when buckets and bounds break the rules of metrics.proto. */
export function endHistogramPoint(points: HistogramPointTable, rejections: Rejections): void {
  const row = points.rowCount;
  const { bucketCounts, explicitBounds } = points;
  const counts = bucketCounts.count - bucketCounts.offsets[row];
  const firstBound = explicitBounds.offsets[row];
  const bounds = explicitBounds.count - firstBound;
  if (counts === 0 ? bounds !== 0 : counts !== bounds + 1) {
    points.rollback();
    rejections.add('histogram points whose number of buckets is not the number of bounds plus one');
    return;
  }
  for (let i = firstBound; i < explicitBounds.count; i++) {
    const bound = explicitBounds.values[i];
    if (Number.isNaN(bound) || (i > firstBound && bound <= explicitBounds.values[i - 1])) {
      points.rollback();
      rejections.add('histogram points whose bounds do not increase');
      return;
    }
  }
  points.end();
}
