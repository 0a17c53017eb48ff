import { prometheusUnit } from '@signalbox/otlp';
import { MetricType } from '@signalbox/records';
import type { QueryContext } from '../query-context.ts';
import { nanoRange } from './nano-range.ts';
import { type PrometheusType, prometheusType } from './prometheus-type.ts';
import type { SeriesCatalog, StoredMetric } from './series-catalog.ts';
import { selectSpanMetrics } from './span-metrics/select-span-metrics.ts';

/** What is known of a metric, in Prometheus's terms. */
export interface MetricMetadata {
  readonly type: PrometheusType;
  readonly help: string;
  readonly unit: string;
}

/** Metadata by the name of the family; several where senders disagree. */
export async function listMetadata(
  context: QueryContext,
  catalog: SeriesCatalog,
): Promise<ReadonlyMap<string, readonly MetricMetadata[]>> {
  const families = new Map<string, Map<string, MetricMetadata>>();
  const metrics = await catalog.metrics(context, nanoRange(0, context.nowMs), true);
  const classic = classicFamilies(metrics);
  for (const metric of metrics) {
    const metadata: { -readonly [Key in keyof MetricMetadata]: MetricMetadata[Key] } = {
      type: prometheusType(metric.type, metric.isMonotonic),
      unit: prometheusUnit(metric.unit),
      help: metric.description,
    };
    const whole = classic.get(metric);
    if (whole !== undefined) metadata.type = whole.type;
    const name = whole?.family ?? metric.family;
    const family = families.get(name) ?? new Map<string, MetricMetadata>();
    families.set(name, family.set(JSON.stringify(metadata), metadata));
  }
  const lately = { fromMs: context.nowMs - latelyMs, toMs: context.nowMs };
  for (const { family } of await selectSpanMetrics(context, catalog, [], lately)) {
    const metadata = { type: prometheusType(family.type, true), unit: '', help: family.help };
    families.set(family.family, new Map([['', metadata]]));
  }
  return new Map(
    Array.from(families, ([name, family]) => [name, [...family.values()]] as const).sort(([a], [b]) =>
      a < b ? -1 : 1,
    ),
  );
}

/**
 * Histograms and summaries that were scraped, or written remotely, lie in the store as their series, each a gauge: told by `_count` and
 * `_sum` that have the same description. Their metadata is the family's, as it was where they come from.
 */
function classicFamilies(
  metrics: readonly StoredMetric[],
): ReadonlyMap<StoredMetric, { readonly family: string; readonly type: PrometheusType }> {
  const gauges = new Map<string, StoredMetric>();
  for (const metric of metrics) {
    if (metric.type === MetricType.Gauge) gauges.set(`${metric.family} ${metric.description}`, metric);
  }
  const found = new Map<StoredMetric, { readonly family: string; readonly type: PrometheusType }>();
  for (const { family: name, description } of gauges.values()) {
    if (!name.endsWith('_count')) continue;
    const family = name.slice(0, -'_count'.length);
    const part = (suffix: string): StoredMetric | undefined => gauges.get(`${family}${suffix} ${description}`);
    const [bucket, sum, count, quantiles] = [part('_bucket'), part('_sum'), part('_count'), part('')];
    if (count === undefined || sum === undefined) continue;
    const type = bucket === undefined ? 'summary' : 'histogram';
    for (const metric of [bucket, sum, count, quantiles]) if (metric !== undefined) found.set(metric, { family, type });
  }
  return found;
}

/** For metrics that are made of spans when they are asked for. */
const latelyMs = 3_600_000;
