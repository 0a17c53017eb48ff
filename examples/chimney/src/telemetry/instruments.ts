import { type Counter, type Histogram, type Meter, ValueType } from '@opentelemetry/api';

/** What chimney records by itself; the gauges are observed when the metrics are collected. */
export interface Instruments {
  requests: Counter;
  requestDuration: Histogram;
  cacheHits: Counter;
  cacheMisses: Counter;
  panics: Counter;
  deployEvents: Counter;
}

/** Where the gauges look. A null is "not known yet": no point is exported then. */
export interface Observed {
  cacheEntries(): number;
  rateLimitRemaining(): number | null;
  rateLimitReset(): number | null;
  dragonflyConnected(): boolean;
}

/** Creates all ten instruments. The SDK must have been started: a meter of the API alone never becomes a real one. */
export function createInstruments(meter: Meter, observed: Observed): Instruments {
  const gauge = (name: string, options: { description: string; unit?: string }, observe: () => number | null) => {
    meter.createObservableGauge(name, { ...options, valueType: ValueType.INT }).addCallback((result) => {
      const value = observe();
      if (value !== null) result.observe(value);
    });
  };
  gauge(
    'chimney.cache.entries',
    { description: 'Current in-memory entry count (observed at collection)', unit: '{entry}' },
    () => observed.cacheEntries(),
  );
  gauge(
    'chimney.github.rate_limit.remaining',
    { description: 'Last observed X-RateLimit-Remaining', unit: '{request}' },
    () => observed.rateLimitRemaining(),
  );
  gauge(
    'chimney.github.rate_limit.reset',
    { description: 'Last observed X-RateLimit-Reset (Unix epoch)', unit: 's' },
    () => observed.rateLimitReset(),
  );
  gauge('chimney.dragonfly.connected', { description: '1 = connected, 0 = not' }, () =>
    observed.dragonflyConnected() ? 1 : 0,
  );
  const counter = (name: string, description: string, unit: string) =>
    meter.createCounter(name, { description, unit, valueType: ValueType.INT });
  return {
    requests: counter('chimney.requests', 'Requests per route; status_class = 2xx/3xx/4xx/5xx', '{request}'),
    requestDuration: meter.createHistogram('chimney.request.duration', {
      description: 'Latency (ms)',
      unit: 'ms',
      advice: { explicitBucketBoundaries: [5, 25, 100, 500, 2000] },
    }),
    cacheHits: counter('chimney.cache.hits', 'Cache hits by tier (dragonfly / memory)', '{hit}'),
    cacheMisses: counter('chimney.cache.misses', 'Cache misses (upstream required)', '{miss}'),
    panics: counter('chimney.panics', 'Recovered panics', '{panic}'),
    deployEvents: counter('chimney.deploy_events', 'Deploy events received (success / failure)', '{event}'),
  };
}
