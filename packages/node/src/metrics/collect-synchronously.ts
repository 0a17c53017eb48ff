import { millisToHrTime } from '@opentelemetry/core';
import type { MeterProvider, MetricData, ResourceMetrics, ScopeMetrics } from '@opentelemetry/sdk-metrics';

/**
 * Collects a provider's metrics without the event loop, for the moment when the process exits. The official collection
 * is asynchronous because of observable callbacks only; everything else behind it is synchronous, and that part is used
 * here through the provider's (pinned) internals. Observable instruments are left out: their last values went with the
 * last regular export. Returns undefined when there is nothing to report.
 */
export function collectSynchronously(provider: MeterProvider): ResourceMetrics | undefined {
  // biome-ignore lint/complexity/useLiteralKeys: the bracket is how TypeScript lets private members through.
  const { resource, metricCollectors, meterSharedStates } = provider['_sharedState'];
  const [collector] = metricCollectors;
  if (collector === undefined) return undefined;
  const now = millisToHrTime(Date.now());
  const scopeMetrics: ScopeMetrics[] = [];
  for (const meter of meterSharedStates.values()) {
    const metrics: MetricData[] = [];
    for (const storage of meter.metricStorageRegistry.getStorages(collector)) {
      const data = storage.collect(collector, now);
      if (data !== undefined && data !== null) metrics.push(data);
    }
    // biome-ignore lint/complexity/useLiteralKeys: as above.
    if (metrics.length > 0) scopeMetrics.push({ scope: meter['_instrumentationScope'], metrics });
  }
  return scopeMetrics.length === 0 ? undefined : { resource, scopeMetrics };
}
