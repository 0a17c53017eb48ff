import { prometheusUnit } from '@signalbox/otlp';
import type { QueryContext } from '../query-context.ts';
import { nanoRange } from './nano-range.ts';
import { type PrometheusType, prometheusType } from './prometheus-type.ts';
import type { SeriesCatalog } from './series-catalog.ts';
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
  for (const metric of await catalog.metrics(context, nanoRange(0, context.nowMs), true)) {
    const metadata = {
      type: prometheusType(metric.type, metric.isMonotonic),
      unit: prometheusUnit(metric.unit),
      help: metric.description,
    };
    const family = families.get(metric.family) ?? new Map<string, MetricMetadata>();
    families.set(metric.family, family.set(JSON.stringify(metadata), metadata));
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

/** For metrics that are made of spans when they are asked for. */
const latelyMs = 3_600_000;
