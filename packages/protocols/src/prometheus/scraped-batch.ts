import { type MetricBatch, MetricType } from '@signalbox/records';
import type { ExposedSample } from './exposition.ts';
import { floatType } from './float-type.ts';
import {
  CUSTOM_BUCKETS_SCHEMA,
  type NativeHistogram,
  setCustomPoint,
  setExponentialPoint,
} from './native-histogram.ts';
import { type LabelPair, PrometheusBatch } from './prometheus-batch.ts';

/** A sample with the labels that it has after relabelling, `job` and `instance` among them. */
export interface ScrapedSample {
  readonly name: string;
  readonly labels: readonly LabelPair[];
  readonly value: number | NativeHistogram;
  /** The series ended; `value` tells only of which kind it was. */
  readonly ended: boolean;
  readonly timeMs: number;
  readonly startMs: ExposedSample['startMs'];
  readonly exemplars: ExposedSample['exemplars'];
}

/**
 * Points of scraped samples, under the names they were scraped with: sums are those of `_total` (`floatType`), native histograms exponential ones (or, with
 * custom buckets, histograms), all others gauges. `_created` is the start of the sum of the same name and labels; what has no start
 * began at `startMs`. `target_info` says what the resource is. Throws ProtocolDecodeError when a histogram's buckets don't fit.
 */
export function scrapedBatch(
  samples: readonly ScrapedSample[],
  help: ReadonlyMap<string, string>,
  startMs: number,
): MetricBatch {
  const prometheus = new PrometheusBatch();
  const created = new Map<string, number>();
  let resource: readonly LabelPair[] = [];
  for (const { name, labels, value, ended } of samples) {
    if (name.endsWith('_created') && !ended && typeof value === 'number') {
      created.set(seriesKey(name.slice(0, -8), labels), value * 1000);
    }
    if (name === 'target_info') resource = labels.filter(([key]) => key !== 'job' && key !== 'instance');
  }
  for (const sample of samples) {
    const { name, labels, value } = sample;
    if (name === 'target_info' || name.endsWith('_created')) continue;
    const values = new Map(labels);
    const family = name.replace(/_(total|bucket|count|sum)$/, '');
    const type = metricType(name, value);
    const metric = prometheus.metric(
      { job: values.get('job') ?? '', instance: values.get('instance') ?? '', resource },
      { name, type, help: help.get(name) ?? help.get(family) ?? '', unit: '' },
    );
    const start = sample.startMs ?? created.get(seriesKey(family, labels)) ?? startMs;
    addPoint(prometheus, metric, type, { ...sample, startMs: type === MetricType.Gauge ? 0 : start });
  }
  return prometheus.batch;
}

function metricType(name: string, value: number | NativeHistogram): MetricType {
  if (typeof value === 'number') return floatType(name);
  return value.schema === CUSTOM_BUCKETS_SCHEMA ? MetricType.Histogram : MetricType.ExponentialHistogram;
}

function addPoint(
  prometheus: PrometheusBatch,
  metric: number,
  type: MetricType,
  { labels, value, ended, timeMs, startMs, exemplars }: ScrapedSample,
): void {
  const { numberPoints, histogramPoints, exponentialHistogramPoints } = prometheus.batch;
  const points =
    type === MetricType.ExponentialHistogram
      ? exponentialHistogramPoints
      : type === MetricType.Histogram
        ? histogramPoints
        : numberPoints;
  const own = labels.filter(([key]) => key !== 'job' && key !== 'instance');
  const row = prometheus.point(points, metric, own, startMs ?? 0, timeMs);
  if (ended) prometheus.setStale(points, row);
  else if (typeof value === 'number') numberPoints.value.setDouble(row, value);
  else if (type === MetricType.Histogram) setCustomPoint(histogramPoints, row, value);
  else setExponentialPoint(exponentialHistogramPoints, row, value);
  for (const exemplar of exemplars) {
    prometheus.exemplar(points.exemplars, { ...exemplar, timeMs: exemplar.timeMs || timeMs });
  }
  points.end();
}

function seriesKey(name: string, labels: readonly LabelPair[]): string {
  return JSON.stringify([name, [...labels].sort(([a], [b]) => (a < b ? -1 : 1))]);
}
