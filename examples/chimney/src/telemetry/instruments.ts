import type { Counter, Histogram, Meter } from '@opentelemetry/api';

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
    meter.createObservableGauge(name, options).addCallback((result) => {
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
  return {
    requests: meter.createCounter('chimney.requests', {
      description: 'Requests per route; status_class = 2xx/3xx/4xx/5xx',
      unit: '{request}',
    }),
    requestDuration: meter.createHistogram('chimney.request.duration', {
      description: 'Latency (ms)',
      unit: 'ms',
      advice: { explicitBucketBoundaries: [5, 25, 100, 500, 2000] },
    }),
    cacheHits: meter.createCounter('chimney.cache.hits', {
      description: 'Cache hits by tier (dragonfly / memory)',
      unit: '{hit}',
    }),
    cacheMisses: meter.createCounter('chimney.cache.misses', {
      description: 'Cache misses (upstream required)',
      unit: '{miss}',
    }),
    panics: meter.createCounter('chimney.panics', { description: 'Recovered panics', unit: '{panic}' }),
    deployEvents: meter.createCounter('chimney.deploy_events', {
      description: 'Deploy events received (success / failure)',
      unit: '{event}',
    }),
  };
}
