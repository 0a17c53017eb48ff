import { type MetricBatch, MetricType } from '@signalbox/records';
import { encodeRequest } from '../wire/encode-request.ts';
import type { ValueEncoder } from '../wire/encode-values.ts';
import { type GroupedRows, groupRows } from '../wire/grouped-rows.ts';
import type { ReverseWriter } from '../wire/reverse-writer.ts';
import {
  writeExponentialHistogramPoint,
  writeHistogramPoint,
  writeNumberPoint,
  writeSummaryPoint,
} from './encode-points.ts';

type WritePoint = (batch: MetricBatch, row: number, values: ValueEncoder, writer: ReverseWriter) => void;

interface Points {
  readonly rows: GroupedRows;
  readonly write: WritePoint;
  /** Of the field of `Metric` that holds them. */
  readonly tag: number;
}

/**
 * Encodes points as an `ExportMetricsServiceRequest` in protobuf (metrics.proto); `decodeMetrics` gives equal points of it.
 * Metrics without points are left out.
 */
export function encodeMetrics(batch: MetricBatch): Uint8Array<ArrayBuffer> {
  const { metrics } = batch;
  const points = pointsOf(batch);
  const filled = Uint32Array.from({ length: metrics.rowCount }, (_, metric) => metric).filter((metric) => {
    const rows = points[metrics.type[metric]]?.rows;
    return rows !== undefined && rows.offsets[metric + 1] > rows.offsets[metric];
  });
  const scopeOf = filled.map((metric) => metrics.scope[metric]);
  return encodeRequest(batch, scopeOf, filled.length, (record, values, writer) => {
    const metric = filled[record];
    const type = metrics.type[metric];
    const { rows, write, tag } = points[type] as Points;
    const before = writer.length;
    if (type === MetricType.Sum) {
      values.number(0x18, metrics.monotonic[metric]);
    }
    if (type !== MetricType.Gauge && type !== MetricType.Summary) {
      values.number(0x10, metrics.temporality[metric]);
    }
    for (let i = rows.offsets[metric + 1] - 1; i >= rows.offsets[metric]; i--) {
      const beforePoint = writer.length;
      write(batch, rows.rows[i], values, writer);
      writer.endMessage(0x0a, beforePoint);
    }
    writer.endMessage(tag, before);
    values.text(0x1a, metrics.unit, metric);
    values.text(0x12, metrics.description, metric);
    values.text(0x0a, metrics.name, metric);
  });
}

/** The points of each type of metric by metric, at the index of the type. */
function pointsOf(batch: MetricBatch): readonly (Points | undefined)[] {
  const { metrics, numberPoints, histogramPoints, exponentialHistogramPoints, summaryPoints } = batch;
  const grouped = ({ metric, rowCount }: { metric: Uint32Array; rowCount: number }) =>
    groupRows(metric, rowCount, metrics.rowCount);
  const numbers = grouped(numberPoints);
  const points: (Points | undefined)[] = [];
  points[MetricType.Gauge] = { rows: numbers, write: writeNumberPoint, tag: 0x2a };
  points[MetricType.Sum] = { rows: numbers, write: writeNumberPoint, tag: 0x3a };
  points[MetricType.Histogram] = { rows: grouped(histogramPoints), write: writeHistogramPoint, tag: 0x4a };
  points[MetricType.ExponentialHistogram] = {
    rows: grouped(exponentialHistogramPoints),
    write: writeExponentialHistogramPoint,
    tag: 0x52,
  };
  points[MetricType.Summary] = { rows: grouped(summaryPoints), write: writeSummaryPoint, tag: 0x5a };
  return points;
}
