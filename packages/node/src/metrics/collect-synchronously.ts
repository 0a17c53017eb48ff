import { millisToHrTime } from '@opentelemetry/core';
import {
  AggregationTemporality,
  type MeterProvider,
  type MetricData,
  type ResourceMetrics,
  type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import { runtimeScope } from './runtime.ts';

/**
 * Collects a provider's metrics without the event loop, for the moment when the process exits. The official collection
 * is asynchronous because of observable callbacks only; everything else behind it is synchronous, and that part is used
 * here through the provider's (pinned) internals. Observable instruments are left out: their last values went with the
 * last regular export. Returns undefined when nothing has been recorded since `previous`, the last export.
 */
export function collectSynchronously(
  provider: MeterProvider,
  previous: ResourceMetrics | undefined,
): ResourceMetrics | undefined {
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
  const known = previous === undefined ? new Map<string, string>() : fingerprints(previous);
  const current = fingerprints({ resource, scopeMetrics });
  const changed = [...current].some(([key, value]) => known.get(key) !== value);
  return changed ? { resource, scopeMetrics } : undefined;
}

/** A text for each cumulative point that differs whenever something was recorded; delta points always count as new. */
function fingerprints({ scopeMetrics }: ResourceMetrics): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { scope, metrics } of scopeMetrics) {
    // A garbage collection since the last export is no reason to start a thread at exit.
    if (scope.name === runtimeScope) continue;
    for (const { descriptor, aggregationTemporality, dataPoints } of metrics) {
      for (const { attributes, value, endTime } of dataPoints) {
        const key = JSON.stringify([scope.name, scope.version, descriptor.name, attributes]);
        const text = typeof value === 'number' ? String(value) : `${value.count} ${value.sum}`;
        texts.set(key, aggregationTemporality === AggregationTemporality.DELTA ? `${text} ${endTime}` : text);
      }
    }
  }
  return texts;
}
