import { type MetricBatch, MetricType } from '@signalbox/records';
import type { ExposedSample } from './parse-exposition.ts';
import { type LabelPair, PrometheusBatch } from './prometheus-batch.ts';

/** A sample with the labels that it has after relabelling, `job` and `instance` among them. */
export interface ScrapedSample {
  readonly name: string;
  readonly labels: readonly LabelPair[];
  /** null: the series ended. */
  readonly value: number | null;
  readonly timeMs: number;
  readonly exemplar: ExposedSample['exemplar'];
}

/**
 * Points of scraped samples, under the names they were scraped with: sums are those of `_total`, all others gauges. `_created` is the start
 * of the sum of the same name and labels. `target_info` says what the resource is.
 */
export function scrapedBatch(
  samples: readonly ScrapedSample[],
  help: ReadonlyMap<string, string>,
  startMs: number,
): MetricBatch {
  const prometheus = new PrometheusBatch();
  const { numberPoints } = prometheus.batch;
  const created = new Map<string, number>();
  let resource: readonly LabelPair[] = [];
  for (const { name, labels, value } of samples) {
    if (name.endsWith('_created') && value !== null) created.set(seriesKey(name.slice(0, -8), labels), value * 1000);
    if (name === 'target_info') resource = labels.filter(([key]) => key !== 'job' && key !== 'instance');
  }
  for (const { name, labels, value, timeMs, exemplar } of samples) {
    if (name === 'target_info' || name.endsWith('_created')) continue;
    const values = new Map(labels);
    const isSum = name.endsWith('_total');
    const family = name.replace(/_(total|bucket|count|sum)$/, '');
    const metric = prometheus.metric(
      { job: values.get('job') ?? '', instance: values.get('instance') ?? '', resource },
      {
        name,
        type: isSum ? MetricType.Sum : MetricType.Gauge,
        help: help.get(name) ?? help.get(family) ?? '',
        unit: '',
      },
    );
    const own = labels.filter(([key]) => key !== 'job' && key !== 'instance');
    const start = isSum ? (created.get(seriesKey(family, labels)) ?? startMs) : 0;
    const row = prometheus.point(numberPoints, metric, own, start, timeMs);
    if (value === null) prometheus.setStale(numberPoints, row);
    else numberPoints.value.setDouble(row, value);
    if (exemplar !== null) {
      prometheus.exemplar(numberPoints.exemplars, { ...exemplar, timeMs: exemplar.timeMs || timeMs });
    }
    numberPoints.end();
  }
  return prometheus.batch;
}

function seriesKey(name: string, labels: readonly LabelPair[]): string {
  return JSON.stringify([name, [...labels].sort(([a], [b]) => (a < b ? -1 : 1))]);
}
